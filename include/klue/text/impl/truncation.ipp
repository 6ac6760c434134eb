#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/text/truncation.hpp>

namespace klue {
namespace {

using Lengths = std::vector<std::size_t>;

Lengths ascending(const Lengths& lengths) {
  Lengths order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] != lengths[b] ? lengths[a] < lengths[b] : a < b;
  });
  return order;
}

/// Gives every text an equal share, shortest texts first, and hands what they do not use on to the
/// others. What cannot be shared evenly goes one each to the texts that `gets_more` puts first.
template <class Order>
void share_evenly(Lengths& lengths, std::size_t budget, Order gets_more) {
  const Lengths order = ascending(lengths);
  std::size_t left = budget, texts = order.size();
  auto text = order.begin();
  for (; text != order.end() && lengths[*text] <= left / texts; ++text, --texts)
    left -= lengths[*text];
  if (texts == 0) return;

  Lengths cut(text, order.end());
  std::sort(cut.begin(), cut.end(), gets_more);
  const std::size_t share = left / texts;
  std::size_t odd = left % texts;
  for (const std::size_t i : cut) {
    lengths[i] = share;
    if (odd > 0) ++lengths[i], --odd;
  }
}

void keep_only(Lengths& lengths, std::size_t target, std::size_t budget, std::size_t excess) {
  if (budget == 0) return lengths.assign(lengths.size(), 0);  // the reference drops both then
  if (target >= lengths.size())
    throw UsageError("truncation of a second text that is not there", {.field = "truncation"});
  if (lengths[target] <= excess)
    throw UsageError("the text to truncate is too short to respect the maximum length",
                     {.field = "truncation",
                      .expected = "more than " + std::to_string(excess) + " tokens",
                      .actual = std::to_string(lengths[target])});
  lengths[target] -= excess;
}

void fill_from_left(Lengths& lengths, std::size_t budget) {
  for (std::size_t& length : lengths) {
    length = std::min(length, budget);
    budget -= length;
  }
}

}  // namespace

std::vector<std::size_t> truncated_lengths(std::span<const std::size_t> lengths, std::size_t budget,
                                           Truncation truncation) {
  Lengths kept(lengths.begin(), lengths.end());
  const std::size_t total = std::accumulate(kept.begin(), kept.end(), std::size_t{0});
  if (total <= budget) return kept;
  const std::size_t excess = total - budget;

  switch (truncation) {
    case Truncation::longest_first:
      // An odd token: to the longer text, and on a tie to the later.
      share_evenly(kept, budget, [lengths](std::size_t a, std::size_t b) {
        return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a > b;
      });
      break;
    case Truncation::round_robin:
      share_evenly(kept, budget, [](std::size_t a, std::size_t b) { return a < b; });
      break;
    case Truncation::waterfall:
      fill_from_left(kept, budget);
      break;
    case Truncation::only_first:
      keep_only(kept, 0, budget, excess);
      break;
    case Truncation::only_second:
      keep_only(kept, 1, budget, excess);
      break;
    case Truncation::error:
      throw UsageError("the text is too long",
                       {.field = "truncation",
                        .expected = "at most " + std::to_string(budget) + " tokens",
                        .actual = std::to_string(total)});
  }
  return kept;
}

}  // namespace klue
