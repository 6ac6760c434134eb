// A pair outlives the string that it would show.
#include <klue/core/texts.hpp>
const klue::TextPair pair{"전제", std::string("가설")};
