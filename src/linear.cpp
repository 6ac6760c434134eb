#include <klue/linear/src.hpp>
