// Texts to inputs and logits to labels, as KLUE-baseline's data/utils.py and models do it.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/klue_inputs.hpp>
#include <klue/task/klue_ner.hpp>
#include <klue/task/klue_re.hpp>

namespace klue::baseline {
namespace {

constexpr std::array<std::string_view, 7> kTopicNames{"정치", "경제",   "사회",  "생활문화",
                                                      "세계", "IT과학", "스포츠"};
constexpr std::array<std::string_view, 3> kInferenceNames{"entailment", "contradiction", "neutral"};

}  // namespace

std::string_view benchmark_name(Benchmark benchmark) noexcept {
  constexpr std::array<std::string_view, 6> kNames{"ynat", "nli", "sts", "ner", "re", "mrc"};
  return kNames[static_cast<std::size_t>(benchmark)];
}

std::span<const std::string_view> label_names(Benchmark benchmark) noexcept {
  switch (benchmark) {
    case Benchmark::ynat:
      return kTopicNames;
    case Benchmark::nli:
      return kInferenceNames;
    case Benchmark::ner:
      return ner_label_names();
    case Benchmark::re:
      return re_label_names();
    case Benchmark::sts:
    case Benchmark::mrc:
      break;
  }
  return {};
}

ModelInput text_input(const Tokenizer& tokenizer, std::string_view text,
                      std::optional<std::string_view> pair, std::size_t max_seq_length) {
  std::vector<std::int32_t> first = tokenizer.tokenize(text).ids, second;
  if (pair) second = tokenizer.tokenize(*pair).ids;
  const std::size_t special = pair ? 3 : 2;
  if (max_seq_length < special)
    throw UsageError("no room for the special tokens", {.field = "max_seq_length",
                                                        .expected = std::to_string(special),
                                                        .actual = std::to_string(max_seq_length)});
  while (first.size() + second.size() > max_seq_length - special)
    (first.size() > second.size() ? first : second).pop_back();

  const SpecialIds& ids = tokenizer.special_ids();
  ModelInput input{.ids = {ids.cls}};
  input.ids.insert(input.ids.end(), first.begin(), first.end());
  input.ids.push_back(ids.sep);
  if (!pair) return input;
  input.second_segment = input.ids.size();
  input.ids.insert(input.ids.end(), second.begin(), second.end());
  input.ids.push_back(ids.sep);
  return input;
}

std::size_t best_label(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i])) return i;
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

std::vector<float> softmax(std::span<const float> logits) {
  std::vector<float> shares(logits.begin(), logits.end());
  if (shares.empty()) return shares;
  const float greatest = *std::max_element(shares.begin(), shares.end());
  float sum = 0;
  for (float& share : shares)
    sum += share = std::exp(share - greatest);
  for (float& share : shares)
    share /= sum;
  return shares;
}

}  // namespace klue::baseline
