#include <klue/encoder/src.hpp>
