// Sentences with marked entities, after KLUE-baseline's data/klue_re.py.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/code_points.hpp>
#include <klue/task/klue_re.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::baseline {
namespace {

constexpr std::array<std::string_view, 30> kRelationNames{"no_relation",
                                                          "org:dissolved",
                                                          "org:founded",
                                                          "org:place_of_headquarters",
                                                          "org:alternate_names",
                                                          "org:member_of",
                                                          "org:members",
                                                          "org:political/religious_affiliation",
                                                          "org:product",
                                                          "org:founded_by",
                                                          "org:top_members/employees",
                                                          "org:number_of_employees/members",
                                                          "per:date_of_birth",
                                                          "per:date_of_death",
                                                          "per:place_of_birth",
                                                          "per:place_of_death",
                                                          "per:place_of_residence",
                                                          "per:origin",
                                                          "per:employee_of",
                                                          "per:schools_attended",
                                                          "per:alternate_names",
                                                          "per:parents",
                                                          "per:children",
                                                          "per:siblings",
                                                          "per:spouse",
                                                          "per:other_family",
                                                          "per:colleagues",
                                                          "per:product",
                                                          "per:religion",
                                                          "per:title"};

struct EntityMarkers {
  std::string_view begin, end;
};
constexpr EntityMarkers kSubjectMarkers{"<subj>", "</subj>"}, kObjectMarkers{"<obj>", "</obj>"};

// Python's text[begin:end].
std::u32string_view python_slice(std::u32string_view text, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(text.size());
  const auto place = [size](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
  };
  const std::int64_t from = place(begin), to = place(end);
  if (from >= to) return {};
  return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
}

[[noreturn]] void refuse_nothing_behind(std::string_view marker) {
  throw UsageError("nothing follows the end of an entity, which the original cannot take",
                   {.field = std::string(marker)});
}

// A particle is torn from its word by the marker before it and so tokenized as a word of its own;
// the original mends the piece, but only the first, and only where no space follows the marker.
void mend_piece_behind(const EntityMarkers& markers, std::string_view marked_text,
                       std::vector<std::string>& tokens) {
  const std::size_t behind = marked_text.find(markers.end) + markers.end.size();
  if (behind >= marked_text.size()) refuse_nothing_behind(markers.end);
  if (marked_text[behind] == ' ') return;
  const auto marker = std::find(tokens.begin(), tokens.end(), markers.end);
  if (marker == tokens.end() || marker + 1 == tokens.end()) refuse_nothing_behind(markers.end);
  std::string& piece = *(marker + 1);
  if (piece.empty() || piece.starts_with("##")) return;
  const char32_t first = decode_utf8(piece).value;
  if (first >= U'가' && first <= U'힣') piece.insert(0, "##");
}

}  // namespace

std::span<const std::string_view> re_label_names() noexcept {
  return kRelationNames;
}

std::string mark_entities(std::string_view sentence, const ReEntity& subject,
                          const ReEntity& object) {
  const auto place = [](const ReEntity& entity) { return std::pair(entity.start, entity.last); };
  if (place(subject) == place(object))
    throw UsageError(
        "subject and object are at the same place",
        {.field = "object_entity",
         .actual = std::to_string(object.start) + " to " + std::to_string(object.last)});
  const bool subject_first = place(subject) < place(object);
  const auto& [first, second] =
      subject_first ? std::tie(subject, object) : std::tie(object, subject);
  const auto& [first_markers, second_markers] = subject_first
                                                    ? std::tie(kSubjectMarkers, kObjectMarkers)
                                                    : std::tie(kObjectMarkers, kSubjectMarkers);
  const std::u32string text = detail::code_points_of(sentence);
  const auto part = [&text](std::int64_t begin, std::int64_t end) {
    return detail::utf8_of(python_slice(text, begin, end));
  };
  std::string marked = part(0, first.start);
  marked.append(first_markers.begin).append(part(first.start, first.last + 1));
  marked.append(first_markers.end).append(part(first.last + 1, second.start));
  marked.append(second_markers.begin).append(part(second.start, second.last + 1));
  marked.append(second_markers.end);
  marked.append(part(second.last + 1, static_cast<std::int64_t>(text.size())));
  return marked;
}

Tokenizer re_tokenizer(const Tokenizer& tokenizer) {
  detail::TokenizerConfig config = tokenizer.config();
  std::vector<detail::AddedToken>& added = config.added_tokens;
  auto next = static_cast<std::int32_t>(tokenizer.vocabulary().size());
  for (const std::string_view marker :
       {kSubjectMarkers.begin, kSubjectMarkers.end, kObjectMarkers.begin, kObjectMarkers.end}) {
    const bool known =
        std::any_of(added.begin(), added.end(),
                    [marker](const detail::AddedToken& token) { return token.content == marker; });
    if (known) continue;
    const std::optional<std::int32_t> id = tokenizer.vocabulary().find(marker);
    added.push_back({.content = std::string(marker),
                     .id = id ? *id : next++,
                     .normalized = false,
                     .special = true});
  }
  return Tokenizer({.vocabulary = Vocabulary(tokenizer.vocabulary().pieces()),
                    .config = std::move(config),
                    .source = {}},
                   tokenizer.dialect());
}

ReInput re_input(const Tokenizer& tokenizer, std::string_view sentence, const ReEntity& subject,
                 const ReEntity& object, std::size_t max_seq_length) {
  ReInput input;
  input.marked_text = mark_entities(sentence, subject, object);
  for (const std::int32_t id : tokenizer.tokenize(input.marked_text).ids)
    input.tokens.push_back(tokenizer.token(id));
  mend_piece_behind(kSubjectMarkers, input.marked_text, input.tokens);
  mend_piece_behind(kObjectMarkers, input.marked_text, input.tokens);
  const SpecialIds& special = tokenizer.special_ids();
  input.ids.push_back(special.cls);
  for (const std::string& token : input.tokens)
    if (input.ids.size() + 1 < max_seq_length)
      input.ids.push_back(tokenizer.vocabulary().find(token).value_or(special.unk));
  input.ids.push_back(special.sep);
  return input;
}

}  // namespace klue::baseline
