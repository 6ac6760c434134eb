#include <klue/train/src.hpp>
