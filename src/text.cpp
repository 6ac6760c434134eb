#include <klue/text/src.hpp>
