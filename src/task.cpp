#include <klue/task/src.hpp>
