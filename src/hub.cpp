#include <klue/hub/src.hpp>
