#include "klue_files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/klue.hpp>
#include <klue/task/klue_inputs.hpp>

#include "common/line_reader.hpp"
#include "shown.hpp"

namespace evaluate {
namespace {

using klue::baseline::Benchmark;
using nlohmann::json;

/// A JSON object of a file, with its place in it for errors.
class Entry {
 public:
  Entry(const json& value, const std::string& file, std::string place)
      : value_(value), file_(file), place_(std::move(place)) {
    if (!value.is_object())
      throw klue::FormatError("not an object",
                              {.file = file_, .field = place_, .actual = shown(value)});
  }

  std::string text(const char* key) const {
    const json& value = at(key, "a string");
    if (!value.is_string()) refuse(key, "a string", shown(value));
    return value.get<std::string>();
  }

  Entry object(const char* key) const {
    const json& value = at(key, "an object");
    if (!value.is_object()) refuse(key, "an object", shown(value));
    return Entry(value, file_, place_ + ": " + key);
  }

  /// A list's objects.
  std::vector<Entry> objects(const char* key) const {
    const json& values = at(key, "a list");
    if (!values.is_array()) refuse(key, "a list", shown(values));
    std::vector<Entry> entries;
    for (const json& value : values)
      entries.emplace_back(
          value, file_,
          (place_.empty() ? "" : place_ + ": ") + key + "[" + std::to_string(entries.size()) + "]");
    return entries;
  }

  /// A whole number, or one written as a string, which Python's int() takes, too.
  std::int64_t integer(const char* key) const {
    const json& value = at(key, "a whole number");
    if (value.is_number_unsigned()) {
      if (value.get<std::uint64_t>() <= std::numeric_limits<std::int32_t>::max())
        return value.get<std::int64_t>();
    } else if (value.is_number_integer()) {
      if (value.get<std::int64_t>() >= std::numeric_limits<std::int32_t>::min())
        return value.get<std::int64_t>();
    } else if (value.is_string()) {
      const auto& digits = value.get_ref<const std::string&>();
      std::int32_t number = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc{} && end == digits.data() + digits.size()) return number;
    }
    refuse(key, "a whole number", shown(value));
  }

  bool has(const char* key) const { return value_.contains(key); }

  /// The number of a label that is given by its name.
  std::int32_t label(const char* key, Benchmark benchmark) const {
    const auto names = klue::baseline::label_names(benchmark);
    const std::string name = text(key);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string expected(names[0]);
      for (const std::string_view other : names.subspan(1))
        expected.append(", ").append(other);
      refuse(key, expected, name);
    }
    return static_cast<std::int32_t>(found - names.begin());
  }

 private:
  const json& at(const char* key, const char* expected) const {
    const auto found = value_.find(key);
    if (found == value_.end())
      throw klue::FormatError("missing",
                              {.file = file_, .field = field(key), .expected = expected});
    return *found;
  }

  [[noreturn]] void refuse(const char* key, std::string expected, std::string actual) const {
    throw klue::FormatError("wrong value", {.file = file_,
                                            .field = field(key),
                                            .expected = std::move(expected),
                                            .actual = std::move(actual)});
  }

  std::string field(const char* key) const { return place_.empty() ? key : place_ + ": " + key; }

  const json& value_;
  const std::string& file_;
  std::string place_;
};

json parse(const std::string& file) {
  try {
    return json::parse(content_of(file));
  } catch (const json::exception& error) {
    throw klue::FormatError("not valid JSON", {.file = file, .actual = error.what()});
  }
}

/// Reads a file that is a list, one example from each of its objects.
template <class Read>
auto read_list(const std::string& file, const Read& read) {
  const json root = parse(file);
  if (!root.is_array())
    throw klue::FormatError(
        "wrong value", {.file = file, .expected = "a list of examples", .actual = shown(root)});
  std::vector<decltype(read(std::declval<const Entry&>()))> examples;
  for (const json& value : root)
    examples.push_back(read(Entry(value, file, "entry " + std::to_string(examples.size() + 1))));
  return examples;
}

klue::baseline::ReEntity read_entity(const Entry& entry) {
  return {.start = entry.integer("start_idx"), .last = entry.integer("end_idx")};
}

ReadingExample read_question(const Entry& question, const std::string& context) {
  ReadingExample example{
      .id = question.text("guid"), .question = question.text("question"), .context = context};
  for (const Entry& answer : question.objects("answers"))
    example.answers.push_back(answer.text("text"));
  if (question.has("question_type"))
    example.type = static_cast<std::int32_t>(question.integer("question_type"));
  return example;
}

}  // namespace

std::string content_of(const std::string& file) {
  if (std::filesystem::is_directory(file))
    throw klue::IoError("is a directory, not a file", {.file = file});
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    throw klue::IoError("cannot open the file",
                        {.file = file, .actual = std::generic_category().message(errno)});
  std::string content{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) throw klue::IoError("cannot read on", {.file = file});
  tools::check_text(content, file);
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);  // byte order mark
  return content;
}

std::vector<LabelledText> read_ynat(const std::string& file) {
  return read_list(file, [](const Entry& entry) {
    return LabelledText{.text = entry.text("title"),
                        .pair = std::nullopt,
                        .label = entry.label("label", Benchmark::ynat)};
  });
}

std::vector<LabelledText> read_nli(const std::string& file) {
  return read_list(file, [](const Entry& entry) {
    return LabelledText{.text = entry.text("premise"),
                        .pair = entry.text("hypothesis"),
                        .label = entry.label("gold_label", Benchmark::nli)};
  });
}

std::vector<RelationExample> read_re(const std::string& file) {
  return read_list(file, [](const Entry& entry) {
    return RelationExample{.sentence = entry.text("sentence"),
                           .subject = read_entity(entry.object("subject_entity")),
                           .object = read_entity(entry.object("object_entity")),
                           .label = entry.label("label", Benchmark::re)};
  });
}

std::vector<ReadingExample> read_mrc(const std::string& file) {
  const json root = parse(file);
  std::vector<ReadingExample> examples;
  for (const Entry& article : Entry(root, file, "").objects("data"))
    for (const Entry& paragraph : article.objects("paragraphs")) {
      const std::string context = paragraph.text("context");
      for (const Entry& question : paragraph.objects("qas"))
        examples.push_back(read_question(question, context));
    }
  return examples;
}

std::vector<klue::baseline::NerSentence> read_ner(const std::string& file) {
  return klue::baseline::parse_ner(content_of(file), file);
}

}  // namespace evaluate
