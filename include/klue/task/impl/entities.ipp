#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <klue/core/detail/sorted_order.hpp>
#include <klue/core/utf8.hpp>
#include <klue/task/detail/entities.hpp>
#include <klue/task/detail/scores.hpp>

namespace klue::detail {
namespace {

/// A token, or a word made of several, on its way to an entity.
struct TagUnit {
  std::string word;
  Offset offset;
  std::vector<double> scores;  ///< of a token: of every label
  bool continues_word = false;
  std::string label;
  double score = 0;
};

std::size_t code_point_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count)
    at += decode_utf8(text.substr(at)).length;
  return count;
}

std::string_view covered(std::string_view text, Offset offset) {
  return text.substr(offset.begin, offset.end - offset.begin);
}

/// gather_pre_entities. What counts as a continuation is the original's own test: the lengths of
/// the piece, its "##" included, and of the text it covers differ.
std::vector<TagUnit> tag_units(const Tokenizer& tokenizer, std::string_view text,
                               const Encoding& window, std::span<const float> logits,
                               std::size_t labels) {
  std::vector<TagUnit> units;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window.special_tokens_mask[i] == 1) continue;
    TagUnit unit{.word = tokenizer.token(window.ids[i]),
                 .offset = window.offsets[i],
                 .scores = softmax(logits.subspan(i * labels, labels)),
                 .label = {}};
    const std::string_view source = covered(text, unit.offset);
    unit.continues_word = code_point_count(unit.word) != code_point_count(source);
    if (window.ids[i] == tokenizer.special_ids().unk) {
      unit.word = source;
      unit.continues_word = false;
    }
    units.push_back(std::move(unit));
  }
  return units;
}

void choose_label(TagUnit& unit, std::span<const double> scores,
                  const std::vector<std::string>& labels) {
  const std::size_t best = first_largest(scores);
  unit.label = labels[best];
  unit.score = scores[best];
}

/// numpy.nanmean.
double mean_but_nan(const std::vector<double>& values) {
  double sum = 0;
  std::size_t count = 0;
  for (const double x : values)
    if (!std::isnan(x)) sum += x, ++count;
  return sum / static_cast<double>(count);
}

/// The scores by which a word chooses its label.
std::vector<double> word_scores(std::span<const TagUnit> tokens, Aggregation aggregation) {
  if (aggregation == Aggregation::first) return tokens.front().scores;
  if (aggregation == Aggregation::max) {
    const auto surest = [](const TagUnit& token) {
      return token.scores[first_largest(token.scores)];
    };
    const TagUnit* best = &tokens.front();
    for (const TagUnit& token : tokens)
      if (surest(token) > surest(*best)) best = &token;
    return best->scores;
  }
  std::vector<double> average(tokens.front().scores.size()), column(tokens.size());
  for (std::size_t label = 0; label < average.size(); ++label) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      column[i] = tokens[i].scores[label];
    average[label] = mean_but_nan(column);
  }
  return average;
}

std::string joined_words(const Tokenizer& tokenizer, std::span<const TagUnit> units) {
  std::vector<std::string> words;
  for (const TagUnit& unit : units)
    words.push_back(unit.word);
  return tokenizer.join(words);
}

/// aggregate_words.
std::vector<TagUnit> words_of_tokens(const Tokenizer& tokenizer, std::span<const TagUnit> tokens,
                                     const std::vector<std::string>& labels,
                                     Aggregation aggregation) {
  std::vector<TagUnit> words;
  for (std::size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
    for (end = begin + 1; end < tokens.size() && tokens[end].continues_word;)
      ++end;
    const auto parts = tokens.subspan(begin, end - begin);
    TagUnit word{.word = joined_words(tokenizer, parts),
                 .offset = {parts.front().offset.begin, parts.back().offset.end},
                 .scores = {},
                 .label = {}};
    choose_label(word, word_scores(parts, aggregation), labels);
    words.push_back(std::move(word));
  }
  return words;
}

/// get_tag: the kind of a label, and whether an entity begins with it. A label without a prefix
/// goes on.
std::pair<std::string_view, bool> kind_of_label(std::string_view label) {
  if (label.starts_with("B-")) return {label.substr(2), true};
  if (label.starts_with("I-")) return {label.substr(2), false};
  return {label, false};
}

/// group_sub_entities.
Entity group_of(const Tokenizer& tokenizer, std::span<const TagUnit> units) {
  Entity entity;
  const std::string& label = units.front().label;
  const std::size_t dash = label.find('-');
  entity.label = dash == std::string::npos ? label : label.substr(dash + 1);
  std::vector<double> scores;
  for (const TagUnit& unit : units)
    scores.push_back(unit.score);
  entity.score = mean_but_nan(scores);
  entity.word = joined_words(tokenizer, units);
  entity.offset = {units.front().offset.begin, units.back().offset.end};
  return entity;
}

/// group_entities. Nothing checks that neighbours touch: the original has it so.
std::vector<Entity> groups_of(const Tokenizer& tokenizer, std::span<const TagUnit> units) {
  std::vector<Entity> entities;
  for (std::size_t begin = 0, end = 0; begin < units.size(); begin = end) {
    for (end = begin + 1; end < units.size(); ++end) {
      const auto [kind, begins] = kind_of_label(units[end].label);
      if (begins || kind != kind_of_label(units[end - 1].label).first) break;
    }
    entities.push_back(group_of(tokenizer, units.subspan(begin, end - begin)));
  }
  return entities;
}

}  // namespace

std::vector<Entity> entities_of(const Tokenizer& tokenizer, std::string_view text,
                                const Encoding& window, std::span<const float> logits,
                                const std::vector<std::string>& labels, const TagOptions& options) {
  std::vector<TagUnit> units = tag_units(tokenizer, text, window, logits, labels.size());
  std::vector<Entity> entities;
  if (options.aggregation == Aggregation::none || options.aggregation == Aggregation::simple)
    for (TagUnit& unit : units)
      choose_label(unit, unit.scores, labels);
  else
    units = words_of_tokens(tokenizer, units, labels, options.aggregation);
  if (options.aggregation == Aggregation::none)
    for (TagUnit& unit : units)
      entities.push_back({.label = std::move(unit.label),
                          .score = unit.score,
                          .word = std::move(unit.word),
                          .offset = unit.offset});
  else
    entities = groups_of(tokenizer, units);
  std::erase_if(entities, [&](const Entity& entity) {
    return std::ranges::find(options.ignore_labels, entity.label) != options.ignore_labels.end();
  });
  return entities;
}

// aggregate_overlapping_entities. Lengths are of code points there.
std::vector<Entity> merge_entities(std::vector<Entity> entities, std::string_view text) {
  std::vector<Entity> merged;
  std::size_t length = 0;  // of the last one
  // By rising begin.
  for (const std::size_t i : detail::falling_order(entities.size(), [&](std::size_t e) {
         return text.size() - entities[e].offset.begin;
       })) {
    Entity& entity = entities[i];
    const std::size_t own = code_point_count(covered(text, entity.offset));
    const bool overlaps = !merged.empty() && entity.offset.begin < merged.back().offset.end;
    if (overlaps && !(own > length || (own == length && entity.score > merged.back().score)))
      continue;
    length = own;
    if (overlaps)
      merged.back() = std::move(entity);
    else
      merged.push_back(std::move(entity));
  }
  return merged;
}

void count_code_points(std::string_view text, std::vector<Entity>& entities) {
  std::vector<Offset> offsets;
  for (const Entity& entity : entities)
    offsets.push_back(entity.offset);
  offsets = to_code_points(text, offsets);
  for (std::size_t i = 0; i < entities.size(); ++i)
    entities[i].code_points = offsets[i];
}

}  // namespace klue::detail
