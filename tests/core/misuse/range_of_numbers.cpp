// Numbers are no texts.
#include <klue/core/texts.hpp>
int count(const klue::Texts& texts);
const int n = count(std::vector<int>{1});
