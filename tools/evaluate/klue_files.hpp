#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/task/klue_ner.hpp>
#include <klue/task/klue_re.hpp>

/// KLUE's files as they are published (v1.1). All readers throw klue::IoError for a file that
/// cannot be read, and klue::FormatError with the entry, counted from 1, and its field for one that
/// is not what it should be. NER's are read by klue::baseline::parse_ner.
namespace evaluate {

/// A text or pair with a label, by its number.
struct LabelledText {
  std::string text;
  std::optional<std::string> pair;
  std::int32_t label = 0;
};

/// ynat-v1.1_*.json: "title", "label".
std::vector<LabelledText> read_ynat(const std::string& file);

/// klue-nli-v1.1_*.json: "premise", "hypothesis", "gold_label".
std::vector<LabelledText> read_nli(const std::string& file);

/// klue-re-v1.1_*.json: "sentence", "subject_entity", "object_entity", "label".
struct RelationExample {
  std::string sentence;
  klue::baseline::ReEntity subject, object;
  std::int32_t label = 0;
};

std::vector<RelationExample> read_re(const std::string& file);

/// klue-mrc-v1.1_*.json, one for each question.
struct ReadingExample {
  std::string id, question, context;
  std::vector<std::string> answers{};  ///< none where there is none in the context
  std::int32_t type = 1;
};

std::vector<ReadingExample> read_mrc(const std::string& file);

std::vector<klue::baseline::NerSentence> read_ner(const std::string& file);

/// All bytes of a file, without a byte order mark. Throws klue::IoError.
std::string content_of(const std::string& file);

}  // namespace evaluate
