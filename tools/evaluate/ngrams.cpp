#include "ngrams.hpp"

#include <cmath>
#include <cstddef>
#include <map>

#include <klue/core/utf8.hpp>
#include <klue/klue.hpp>

namespace evaluate {
namespace {

// n-grams in one order always, so that sums of floating-point numbers are the same every time.
using Counts = std::map<std::string, double>;

bool is_space(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

// The words, each as its letters between two spaces.
std::vector<std::u32string> padded_words(std::string_view text) {
  std::vector<std::u32string> words;
  bool inside = false;
  while (!text.empty()) {
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    text.remove_prefix(point.length);
    const bool is_letter = !is_space(point.value);
    if (is_letter && !inside) words.emplace_back(U" ");
    if (!is_letter && inside) words.back().push_back(U' ');
    if (is_letter)
      words.back().push_back(point.value >= 'A' && point.value <= 'Z' ? point.value + ('a' - 'A')
                                                                      : point.value);
    inside = is_letter;
  }
  if (inside) words.back().push_back(U' ');
  return words;
}

Counts counts_of(std::string_view text) {
  Counts counts;
  for (const std::string& ngram : ngrams(text))
    ++counts[ngram];
  return counts;
}

// Weights a sentence's counts, and makes them a vector of length 1.
void weight(Counts& counts, const Counts& sentences_with, double sentences) {
  double square = 0;
  for (auto& [ngram, value] : counts) {
    const double rarity = std::log((1 + sentences) / (1 + sentences_with.at(ngram))) + 1;
    value = (1 + std::log(value)) * rarity;
    square += value * value;
  }
  for (auto& [ngram, value] : counts)
    value /= std::sqrt(square);
}

double dot(const Counts& a, const Counts& b) {
  double sum = 0;
  for (const auto& [ngram, value] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) sum += value * found->second;
  }
  return sum;
}

}  // namespace

std::vector<std::string> ngrams(std::string_view text) {
  std::vector<std::string> result;
  for (const std::u32string& word : padded_words(text))
    for (std::size_t size = 1; size <= 2; ++size)
      for (std::size_t begin = 0; begin + size <= word.size(); ++begin) {
        std::string& ngram = result.emplace_back();
        for (std::size_t i = begin; i < begin + size; ++i)
          klue::append_utf8(ngram, word[i]);
      }
  return result;
}

std::vector<double> ngram_cosines(const Pairs& pairs) {
  std::vector<Counts> first, second;
  Counts sentences_with;
  for (std::size_t i = 0; i < pairs.scores.size(); ++i) {
    first.push_back(counts_of(pairs.first[i]));
    second.push_back(counts_of(pairs.second[i]));
    for (const Counts* counts : {&first.back(), &second.back()})
      for (const auto& [ngram, count] : *counts)
        ++sentences_with[ngram];
  }
  const double sentences = 2.0 * static_cast<double>(pairs.scores.size());
  std::vector<double> cosines;
  for (std::size_t i = 0; i < first.size(); ++i) {
    weight(first[i], sentences_with, sentences);
    weight(second[i], sentences_with, sentences);
    cosines.push_back(dot(first[i], second[i]));
  }
  return cosines;
}

}  // namespace evaluate
