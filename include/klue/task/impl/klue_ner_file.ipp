// KLUE's named-entity files, after `_create_examples` of KLUE-baseline's data/klue_ner.py.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/klue_ner.hpp>
#include <klue/text/detail/python_string.hpp>

namespace klue::baseline {
namespace {

constexpr std::array<std::string_view, 13> kEntityLabelNames{"B-PS", "I-PS", "B-LC", "I-LC", "B-OG",
                                                             "I-OG", "B-DT", "I-DT", "B-TI", "I-TI",
                                                             "B-QT", "I-QT", "O"};

std::optional<std::int32_t> ner_label_named(std::string_view name) {
  for (std::size_t i = 0; i < kEntityLabelNames.size(); ++i)
    if (kEntityLabelNames[i] == name) return static_cast<std::int32_t>(i);
  return std::nullopt;
}

class NerFileReader {
 public:
  explicit NerFileReader(const std::string& file) : file_(file) {}

  void read_line(std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line == "\t")
      end_sentence();
    else if (line.starts_with("##"))
      sentence().name = detail::python_strip(line.substr(2, line.find('\t', 2) - 2));
    else
      read_character(line, number);
  }

  std::vector<NerSentence> take() {
    end_sentence();
    return std::move(sentences_);
  }

 private:
  NerSentence& sentence() {
    if (!open_) sentences_.emplace_back();
    open_ = true;
    return sentences_.back();
  }
  void end_sentence() { open_ = false; }

  void read_character(std::string_view line, std::size_t number) {
    const auto refuse = [&](const char* message, const char* expected, std::string_view actual) {
      throw FormatError(message, {.file = file_,
                                  .field = "line " + std::to_string(number),
                                  .expected = expected,
                                  .actual = std::string(actual)});
    };
    const std::size_t tab = line.find('\t');
    if (tab == line.npos || tab == 0 || line.find('\t', tab + 1) != line.npos)
      refuse("not a labelled character", "a character, a tab and a label", line.substr(0, 60));
    const std::string_view character = line.substr(0, tab), name = line.substr(tab + 1);
    const std::optional<std::int32_t> label = ner_label_named(name);
    if (!label) refuse("no such label", "B- or I- with PS, LC, OG, DT, TI or QT, or O", name);
    sentence().text.append(character);
    if (character != " ") sentence().labels.push_back(*label);
  }

  const std::string& file_;
  std::vector<NerSentence> sentences_;
  bool open_ = false;
};

}  // namespace

std::span<const std::string_view> ner_label_names() noexcept {
  return kEntityLabelNames;
}

std::vector<NerSentence> parse_ner(std::string_view content, const std::string& file) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // byte order mark
  std::string_view rest = detail::python_strip(content);
  std::size_t number = 1;
  for (const char c : content.substr(0, static_cast<std::size_t>(rest.data() - content.data())))
    number += c == '\n' ? 1 : 0;
  NerFileReader reader(file);
  for (; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    reader.read_line(rest.substr(0, end), number);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  return reader.take();
}

}  // namespace klue::baseline
