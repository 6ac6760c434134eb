#pragma once

#include <string>
#include <vector>

namespace evaluate {

/// Sentence pairs and how similar people found them, in the order of the file.
struct Pairs {
  std::vector<std::string> first, second;
  std::vector<double> scores;
};

/// Reads a file of scored pairs. What it is, its content says:
/// - KLUE-STS: a JSON array of objects with "sentence1", "sentence2" and "labels", of which
///   "real-label", the mean of the annotators, is the score;
/// - KorSTS, or any table with tabs: its first line names the columns, among them sentence1,
///   sentence2 and score. Quotes are text like any other.
/// Throws klue::IoError for a file that cannot be read, and klue::FormatError with the line or the
/// entry (both from 1) for one that is neither, has fewer than two pairs or a score that is no
/// finite number.
Pairs read_pairs(const std::string& path);

}  // namespace evaluate
