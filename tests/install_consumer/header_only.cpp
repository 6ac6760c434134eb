#include <klue/src.hpp>
