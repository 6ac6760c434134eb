#include <klue/kernels/src.hpp>
