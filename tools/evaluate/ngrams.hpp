#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pairs.hpp"

namespace evaluate {

/// The letters and pairs of neighbouring letters of a text, a space before and after every word
/// included, in lower case (of ASCII): what scikit-learn's TfidfVectorizer(analyzer="char_wb",
/// ngram_range=(1, 2)) counts in Korean text.
std::vector<std::string> ngrams(std::string_view text);

/// A baseline that knows no Korean: for each pair, the cosine of the TF-IDF vectors of its
/// sentences' `ngrams`, from 0 to 1, with logarithmic counts (sublinear_tf=True). How rare an
/// n-gram is, is learned from the sentences of these pairs, each as often as it stands there.
std::vector<double> ngram_cosines(const Pairs& pairs);

}  // namespace evaluate
