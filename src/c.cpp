#include <klue/c/src.hpp>
