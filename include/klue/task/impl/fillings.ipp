#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/task/detail/fillings.hpp>

namespace klue::detail {
namespace {

/// The ids of the largest logits, best first, equals by their ids.
std::vector<std::int32_t> largest_logits(std::span<const float> logits,
                                         std::span<const std::int32_t> targets, std::size_t top_k) {
  const auto value = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  // NaN is the largest, as torch.topk has it.
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const float x = value(a), y = value(b);
    if (std::isnan(x) || std::isnan(y))
      return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(x);
    return x != y ? x > y : a < b;
  };
  std::vector<std::int32_t> best;  // a heap with the worst of the best on top
  const auto offer = [&](std::int32_t id) {
    if (best.size() == top_k) {
      if (!before(id, best.front())) return;
      std::ranges::pop_heap(best, before);
      best.pop_back();
    }
    best.push_back(id);
    std::ranges::push_heap(best, before);
  };
  if (targets.empty())
    for (std::size_t id = 0; id < logits.size(); ++id)
      offer(static_cast<std::int32_t>(id));
  else
    std::ranges::for_each(targets, offer);
  std::ranges::sort_heap(best, before);
  return best;
}

/// log Σ exp. The exponentials are float32, exact to 1e-7 each and cheap; their sum is not.
double log_sum_exp(std::span<const float> logits) {
  const float largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits)
    sum += static_cast<double>(std::exp(x - largest));
  return static_cast<double>(largest) + std::log(sum);
}

/// Ids that no piece has: rows that the weights have beyond the vocabulary.
bool has_piece(const Tokenizer& tokenizer, std::int32_t id) {
  return static_cast<std::size_t>(id) < tokenizer.vocabulary().size();
}

std::string sequence_with(const Tokenizer& tokenizer, const MaskedText& text, std::size_t position,
                          std::int32_t id) {
  std::vector<std::int32_t> ids = text.ids;
  ids[position] = id;
  std::erase_if(ids, [&](std::int32_t other) {
    return other == tokenizer.special_ids().pad || !has_piece(tokenizer, other);
  });
  std::string sequence =
      tokenizer.decode(ids, {.skip_special_tokens = text.masks.size() == 1, .clean_up = {}});
  clean_up_sequence(sequence);
  return sequence;
}

}  // namespace

void clean_up_sequence(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kMends{{{" .", "."},
                                                                                  {" ?", "?"},
                                                                                  {" !", "!"},
                                                                                  {" ,", ","},
                                                                                  {" ' ", "'"},
                                                                                  {" n't", "n't"},
                                                                                  {" 'm", "'m"},
                                                                                  {" 's", "'s"},
                                                                                  {" 've", "'ve"},
                                                                                  {" 're", "'re"}}};
  for (const auto& [from, to] : kMends)
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
}

// get_target_ids.
std::vector<std::int32_t> target_ids(const Tokenizer& tokenizer,
                                     const std::vector<std::string>& targets) {
  std::vector<std::int32_t> ids;
  for (const std::string& target : targets) {
    std::optional<std::int32_t> id = tokenizer.vocabulary().find(target);
    if (!id)
      if (const Tokens tokens = tokenizer.tokenize(target); !tokens.empty()) id = tokens.ids[0];
    if (id && std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
  }
  if (ids.empty() && !targets.empty())
    throw UsageError("no target has a token", {.field = "targets", .actual = targets.front()});
  return ids;
}

std::vector<Filling> fillings_of(const Tokenizer& tokenizer, const MaskedText& text,
                                 std::size_t position, std::span<const float> logits,
                                 std::span<const std::int32_t> targets, std::size_t top_k) {
  const double all = log_sum_exp(logits);
  std::vector<Filling> fillings;
  for (const std::int32_t id : largest_logits(logits, targets, top_k)) {
    const double logit = static_cast<double>(logits[static_cast<std::size_t>(id)]);
    Filling filling{.token = id,
                    .token_text = {},
                    .score = std::exp(logit - all),
                    .sequence = sequence_with(tokenizer, text, position, id)};
    if (has_piece(tokenizer, id)) {
      filling.token_text =
          tokenizer.decode({&id, 1}, {.skip_special_tokens = false, .clean_up = {}});
      clean_up_sequence(filling.token_text);
    }
    fillings.push_back(std::move(filling));
  }
  return fillings;
}

}  // namespace klue::detail
