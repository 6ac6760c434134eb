#include <klue/checkpoint/src.hpp>
