// Two texts belong together, three do not.
#include <klue/core/texts.hpp>
int count(const klue::Texts& texts);
const int n = count({{"하나", "둘", "셋"}});
