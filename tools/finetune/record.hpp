#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace finetune {

/// Where an answer stands in its context: its text, and the code point it begins at.
struct Answer {
  std::string text;
  std::size_t start = 0;
};

/// One line or entry of a data file, whatever its format. What a task does not want is left alone.
struct Record {
  std::string place;  ///< "train.tsv:17", for errors
  std::string text;
  std::optional<std::string> pair{};
  std::optional<std::string> label{};        ///< as it is written: "neutral", "2", "3.5"
  std::vector<std::string> labels{};         ///< several at once
  bool several_labels = false;               ///< `labels` is what is meant, even where it is empty
  std::vector<std::int32_t> ids{}, types{};  ///< already tokenized; text is then not looked at
  std::vector<std::string> tags{};           ///< of every code point of text, or of every id
  std::vector<Answer> answers{};             ///< empty: the context has no answer
  bool answered = false;                     ///< `answers` is what is meant, even where it is empty
};

/// Reads a file for training. What it is, its content says:
/// - JSON lines with "text" (or sentence1, premise, question, title, sentence, document),
/// "text_pair"
///   (sentence2, hypothesis, context, passage), and "label", "labels", "score", "gold_label" or
///   "answers"; or "input_ids" ("token_type_ids"); or "words" with "tags";
/// - KLUE's JSON: an array of objects of NLI, STS or YNAT, or MRC's {"data": …};
/// - KLUE-NER: characters and tags in lines, sentences apart, "##" before what is neither;
/// - a table with tabs, whose first line may name columns as above; else it is text and label, or
///   text, text and label.
/// Throws klue::IoError for a file that cannot be read and klue::FormatError, with the line, for
/// one that is empty or that is none of these.
std::vector<Record> read_records(const std::string& path);

}  // namespace finetune
