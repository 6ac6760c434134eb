#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>

#include "record.hpp"
#include "record_json.hpp"

namespace finetune {
namespace {

using nlohmann::json;

constexpr std::array kTextKeys{"text",  "sentence1", "premise", "question",
                               "title", "sentence",  "document"};
constexpr std::array kPairKeys{"text_pair", "sentence2", "hypothesis", "context", "passage"};
constexpr std::array kLabelKeys{"gold_label", "label", "score", "labels"};

[[noreturn]] void refuse(const std::string& place, const std::string& message,
                         const std::string& field, const std::string& expected = {}) {
  throw klue::FormatError(message, {.file = place, .field = field, .expected = expected});
}

template <std::size_t N>
const json* first_of(const json& object, const std::array<const char*, N>& keys) {
  for (const char* key : keys)
    if (const auto found = object.find(key); found != object.end()) return &*found;
  return nullptr;
}

std::string text_of(const json& value, const std::string& place, const char* field) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  refuse(place, "wrong type", field, "text or a number");
}

template <class T>
std::vector<T> list_of(const json& value, const std::string& place, const char* field) {
  try {
    return value.get<std::vector<T>>();
  } catch (const json::exception&) {
    refuse(place, "wrong type", field, "a list");
  }
}

// Whole numbers, and no other in disguise: the library's own conversion would cut 5.7 to 5.
std::vector<std::int32_t> ids_of(const json& value, const std::string& place, const char* field) {
  if (!value.is_array()) refuse(place, "wrong type", field, "a list");
  std::vector<std::int32_t> ids;
  for (const json& id : value) {
    if (!id.is_number_integer() || id < std::numeric_limits<std::int32_t>::min() ||
        id > std::numeric_limits<std::int32_t>::max())
      throw klue::FormatError("no token's number",
                              {.file = place,
                               .field = field,
                               .expected = "whole numbers",
                               .actual = id.dump(-1, ' ', false, json::error_handler_t::replace)});
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

void read_label(Record& record, const json& value) {
  if (value.is_array()) {
    record.several_labels = true;
    for (const json& label : value)
      record.labels.push_back(text_of(label, record.place, "labels"));
  } else if (value.is_object()) {  // KLUE-STS: the annotators' mean is the score
    if (!value.contains("real-label"))
      refuse(record.place, "a label of an unknown kind", "labels", "real-label");
    record.label = text_of(value["real-label"], record.place, "real-label");
  } else if (!value.is_null()) {
    record.label = text_of(value, record.place, "label");
  }
}

void read_answers(Record& record, const json& object) {
  const auto found = object.find("answers");
  if (found == object.end()) return;
  record.answered = true;
  if (!found->is_array()) refuse(record.place, "wrong type", "answers", "a list");
  for (const json& answer : *found) {
    if (!answer.is_object() || !answer.contains("text") || !answer.contains("answer_start") ||
        !answer["answer_start"].is_number_unsigned())
      refuse(record.place, "an answer without its place", "answers", "text and answer_start");
    record.answers.push_back(
        {text_of(answer["text"], record.place, "text"), answer["answer_start"].get<std::size_t>()});
  }
}

// "B-PS" on the first character of a word goes on as "I-PS".
void read_words(Record& record, const json& words, const json& tags) {
  const auto texts = list_of<std::string>(words, record.place, "words");
  const auto names = list_of<std::string>(tags, record.place, "tags");
  if (texts.size() != names.size())
    refuse(record.place, "not as many tags as words", "tags", std::to_string(texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) {
      record.text += ' ';
      record.tags.push_back("O");
    }
    record.text += texts[i];
    const std::size_t count = code_points(texts[i]).size();
    std::string rest = names[i];
    if (rest.starts_with("B-")) rest[0] = 'I';
    for (std::size_t c = 0; c < count; ++c)
      record.tags.push_back(c == 0 ? names[i] : rest);
  }
}

}  // namespace

std::vector<std::string> code_points(const std::string& text) {
  std::vector<std::string> points;
  for (const char byte : text) {
    if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80 || points.empty()) points.emplace_back();
    points.back() += byte;
  }
  return points;
}

Record record_from_json(const json& object, const std::string& place) {
  Record record{.place = place, .text = {}};
  if (!object.is_object()) refuse(place, "no JSON object", "");
  if (const auto ids = object.find("input_ids"); ids != object.end()) {
    record.ids = ids_of(*ids, place, "input_ids");
    if (record.ids.empty()) refuse(place, "a sequence without tokens", "input_ids");
    if (const auto types = object.find("token_type_ids"); types != object.end())
      record.types = ids_of(*types, place, "token_type_ids");
    if (const auto tags = object.find("tags"); tags != object.end())
      record.tags = list_of<std::string>(*tags, place, "tags");
  } else if (object.contains("words") && object.contains("tags")) {
    read_words(record, object["words"], object["tags"]);
  } else {
    const json* text = first_of(object, kTextKeys);
    if (text == nullptr) refuse(place, "a line without text", "text", "text or input_ids");
    record.text = text_of(*text, place, "text");
    if (const json* pair = first_of(object, kPairKeys))
      if (!pair->is_null()) record.pair = text_of(*pair, place, "text_pair");
  }
  if (const json* label = first_of(object, kLabelKeys)) read_label(record, *label);
  read_answers(record, object);
  return record;
}

std::vector<Record> records_of_mrc(const json& file, const std::string& path) {
  std::vector<Record> records;
  if (!file["data"].is_array()) refuse(path, "wrong type", "data", "a list");
  for (const json& document : file["data"])
    for (const json& paragraph : document.value("paragraphs", json::array()))
      for (const json& qa : paragraph.value("qas", json::array())) {
        Record record{.place = path + ":" + qa.value("guid", qa.value("id", std::string("?"))),
                      .text = qa.value("question", std::string()),
                      .pair = paragraph.value("context", std::string())};
        record.answered = qa.value("is_impossible", false);
        if (!record.answered) read_answers(record, qa);
        records.push_back(std::move(record));
      }
  return records;
}

std::vector<Record> records_of_ner(const std::string& content, const std::string& path) {
  std::vector<Record> records;
  Record record;
  std::size_t number = 0, begin = 0;
  const auto finish = [&] {
    if (!record.text.empty()) records.push_back(std::move(record));
    record = {};
  };
  while (begin < content.size()) {
    std::size_t end = content.find('\n', begin);
    if (end == std::string::npos) end = content.size();
    std::string line = content.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      finish();
      continue;
    }
    if (line.starts_with("##") && !line.starts_with("##\t")) continue;
    const std::size_t tab = line.find('\t');
    const std::string place = path + ":" + std::to_string(number);
    if (tab == std::string::npos || tab == 0 || line.find('\t', tab + 1) != std::string::npos)
      refuse(place, "wrong number of columns", "", "a character, a tab and its tag");
    if (record.text.empty()) record.place = place;
    const std::string text = line.substr(0, tab);
    record.text += text;
    for (std::size_t i = code_points(text).size(); i > 0; --i)
      record.tags.push_back(line.substr(tab + 1));
  }
  finish();
  return records;
}

}  // namespace finetune
