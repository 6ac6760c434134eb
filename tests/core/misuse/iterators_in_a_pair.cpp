// Two iterators are no pair of texts.
#include <klue/core/texts.hpp>
int count(const klue::Texts& texts);
const std::string text = "하나";
const int n = count({{text.begin(), text.end()}});
