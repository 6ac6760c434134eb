#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace finetune {

/// A score of a model on its development data, from 0 to 100 where it is a percentage.
struct Score {
  std::string name;
  double value = 0;
};

double accuracy(std::span<const std::size_t> guesses, std::span<const std::size_t> labels);

/// The mean over labels of their F1; a label that is neither there nor guessed is left out.
double macro_f1(std::span<const std::size_t> guesses, std::span<const std::size_t> labels,
                std::size_t count);

/// Ranks of equal values are averaged. NaN where one side is constant.
double pearson(std::span<const double> a, std::span<const double> b);
double spearman(std::span<const double> a, std::span<const double> b);

/// The mean of the precision at every relevant entry, the highest values first.
double average_precision(std::span<const double> values, std::span<const double> relevant);

/// F1 of entities, of all sentences together: one counts if type, first and last word agree. An I-
/// that nothing of its type precedes begins one, as in seqeval.
double entity_f1(const std::vector<std::vector<std::string>>& guesses,
                 const std::vector<std::vector<std::string>>& tags);

/// How much of two answers agrees, in characters without white space: F1.
double character_f1(const std::string& guess, const std::string& answer);

}  // namespace finetune
