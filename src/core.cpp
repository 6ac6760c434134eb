#include <klue/core/src.hpp>
