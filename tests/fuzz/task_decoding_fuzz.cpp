// Any bytes as a text, and other bytes as the logits of its tokens, NaN and infinities among them:
// entities and answers must lie in the text, in order.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/task/detail/entities.hpp>
#include <klue/task/detail/fillings.hpp>
#include <klue/task/detail/spans.hpp>

#include "text/small_tokenizer.hpp"

namespace {

using namespace klue;

void require(bool condition) {
  if (!condition) std::abort();
}

const Tokenizer& tokenizer() {
  static const Tokenizer value =
      test::small_tokenizer({"a", "##a", "가", "##가", "나", "##나", "!", ".", "[", "]"});
  return value;
}

std::vector<float> logits_of(std::string_view bytes, std::size_t count) {
  std::vector<float> logits(count);
  for (std::size_t i = 0; i < count && !bytes.empty(); ++i) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k)
      bits = bits << 8 | static_cast<unsigned char>(bytes[(4 * i + k) % bytes.size()]);
    std::memcpy(&logits[i], &bits, sizeof bits);
  }
  return logits;
}

void check_tags(std::string_view text, std::string_view bytes) {
  const std::vector<std::string> labels{"B-A", "I-A", "B-B", "O"};
  const std::size_t length = 3 + bytes.size() % 20;
  const EncodingWindows windows =
      tokenizer().windows(text, std::nullopt, {.max_length = length, .return_overflowing = true});
  for (const Aggregation aggregation : {Aggregation::none, Aggregation::simple, Aggregation::first,
                                        Aggregation::average, Aggregation::max}) {
    std::vector<Entity> all;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const Encoding window = windows[i];
      const auto logits = logits_of(bytes, window.size() * labels.size());
      for (Entity& entity : detail::entities_of(tokenizer(), text, window, logits, labels,
                                                {.aggregation = aggregation}))
        all.push_back(std::move(entity));
    }
    all = detail::merge_entities(std::move(all), text);
    detail::count_code_points(text, all);
    std::size_t end = 0;
    for (const Entity& entity : all) {
      require(end <= entity.offset.begin && entity.offset.begin < entity.offset.end);
      end = entity.offset.end;
    }
    require(end <= text.size());
  }
}

void check_answers(std::string_view question, std::string_view context, std::string_view bytes) {
  const EncodingWindows windows = tokenizer().windows(question, context,
                                                      {.max_length = 12 + bytes.size() % 20,
                                                       .truncation = Truncation::only_second,
                                                       .return_overflowing = true});
  for (const bool align : {true, false}) {
    const AnswerOptions options{.top_k = 4, .no_answer = true, .align_words = align};
    detail::AnswerMerger merger(context, options);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const Encoding window = windows[i];
      merger.add(window, detail::best_spans(window, logits_of(bytes, 2 * window.size()), 0,
                                            detail::AnswerMerger::spans_wanted(options), 5));
    }
    for (const Answer& answer : merger.finish().best)
      require(answer.offset.begin <= answer.offset.end && answer.offset.end <= context.size());
  }
}

void check_fillings(std::string_view text, std::string_view bytes) {
  const std::string with_mask = std::string(text).append("[MASK]");
  const Encoding encoding = tokenizer().encode(with_mask);
  detail::MaskedText masked{encoding.ids, encoding.type_ids, {}};
  for (std::size_t i = 0; i < encoding.size(); ++i)
    if (encoding.ids[i] == *tokenizer().special_ids().mask) masked.masks.push_back(i);
  require(!masked.masks.empty());
  const auto logits = logits_of(bytes, tokenizer().vocabulary().size() + 3);
  require(detail::fillings_of(tokenizer(), masked, masked.masks.back(), logits, {}, 5).size() == 5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, size / 2), bytes = all.substr(size / 2);
  check_tags(text, bytes);
  try {
    check_answers(text.substr(0, text.size() / 4), text.substr(text.size() / 4), bytes);
  } catch (const UsageError&) {  // the question fills the window
  }
  check_fillings(text, bytes);
  return 0;
}
