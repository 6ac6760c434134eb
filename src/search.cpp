#include <klue/search/src.hpp>
