#include <klue/model/src.hpp>
