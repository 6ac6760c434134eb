#include <klue/task/klue_src.hpp>
