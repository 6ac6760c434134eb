#include <algorithm>
#include <utility>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/sorted_order.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/task/detail/token_head.hpp>

namespace klue::detail {
namespace {

std::string_view trained_as(Task task) {
  switch (task) {
    case Task::classify:
      return "a model that was trained to classify texts";
    case Task::rank:
      return "a classifier of pairs with one logit";
    case Task::tag:
      return "a model that was trained to classify tokens";
    case Task::answer:
      return "a model that was trained to answer questions";
    case Task::fill_mask:
      return "a masked language model";
  }
  return "";
}

}  // namespace

void require_task(const Model& model, Task task) {
  const std::optional<HeadInfo>& head = model.info().head;
  if (head && std::ranges::find(head->tasks, task) != head->tasks.end()) return;
  throw UsageError(std::string("this checkpoint has no head for the task ").append(task_name(task)),
                   {.file = model.info().weights_file.string(),
                    .expected = std::string(trained_as(task)),
                    .actual = head ? head->description : "an encoder alone"});
}

std::vector<std::string> head_labels(const Model& model, std::size_t rows) {
  const HeadConfig& config = model.head_config();
  const auto refuse = [&](const char* message, std::string actual) {
    throw FormatError(message, {.file = config.file.string(),
                                .field = "id2label",
                                .expected = std::to_string(rows) + " labels, one for each row",
                                .actual = std::move(actual)});
  };
  if (config.has_labels && config.label_names.empty())
    refuse("the labels are not numbered 0, 1, 2, …", {});
  if (config.has_labels && config.label_names.size() != rows)
    refuse("the labels are not those of the head", std::to_string(config.label_names.size()));
  std::vector<std::string> names = config.label_names;
  for (std::size_t i = names.size(); i < rows; ++i)
    names.push_back("LABEL_" + std::to_string(i));
  return names;
}

void fit_type_ids(const Model& model, Encoding& encoding) {
  if (model.encoder().config().type_vocab_size == 1 ||
      model.preprocessor().dialect() == Dialect::tensorflow)
    encoding.type_ids.assign(encoding.ids.size(), 0);
}

void for_each_batch(
    const Model& model, std::size_t count,
    const std::function<std::span<const std::int32_t>(std::size_t)>& ids,
    const std::function<std::span<const std::int32_t>(std::size_t)>& types,
    const std::function<void(const TokenBatch&, std::span<const std::size_t> sequences)>& run) {
  const std::vector<std::size_t> order =
      falling_order(count, [&](std::size_t i) { return ids(i).size(); });
  const std::size_t most = model.encoder().core().batch_tokens();
  TokenBatchBuilder builder(model.encoder().config());
  for (std::size_t first = 0, next = 0; first < count; first = next) {
    builder.clear();
    do {
      builder.append(ids(order[next]), types(order[next]));
      ++next;
    } while (next < count && builder.batch().tokens() + ids(order[next]).size() <= most);
    run(builder.batch(), std::span(order).subspan(first, next - first));
  }
}

void WindowQueue::add(std::size_t owner, Encoding window) {
  constexpr std::size_t kBatches = 32, kLeast = 4096;
  fit_type_ids(*model_, window);
  tokens_ += window.size();
  windows_.push_back(std::move(window));
  owners_.push_back(owner);
  if (tokens_ >= std::max(kLeast, kBatches * model_->encoder().core().batch_tokens())) finish();
}

void WindowQueue::finish() {
  if (windows_.empty()) return;
  run_(windows_, owners_);
  windows_.clear();
  owners_.clear();
  tokens_ = 0;
}

TokenHead::TokenHead(const Model& model, const DenseNames& names, std::size_t outputs)
    : layer_(make_dense(TensorLookup(model.encoder().core().checkpoint()), names,
                        model.encoder().config().hidden_size, outputs, Activation::none,
                        {model.encoder().core().engine(), model.encoder().core().pool()})) {}

void TokenHead::run(const Model& model, std::span<const Encoding> encodings,
                    const std::function<void(std::size_t, std::span<const float>)>& sink) const {
  const EncoderCore& encoder = model.encoder().core();
  AlignedBuffer<float> buffer;
  Scratch scratch;
  for_each_batch(
      model, encodings.size(), [&](std::size_t i) { return std::span(encodings[i].ids); },
      [&](std::size_t i) { return std::span(encodings[i].type_ids); },
      [&](const TokenBatch& batch, std::span<const std::size_t> sequences) {
        buffer.reserve_discard(batch.tokens() * outputs());
        encoder.rows(batch, [&](ConstRows rows) {
          layer_.linear->apply(rows, {buffer.data(), rows.count, outputs()}, {}, scratch,
                               encoder.pool());
        });
        for (std::size_t s = 0; s < sequences.size(); ++s) {
          const std::size_t first = batch.first_token[s], last = batch.first_token[s + 1];
          sink(sequences[s], buffer.span().subspan(first * outputs(), (last - first) * outputs()));
        }
      });
}

std::vector<TokenLogits> TokenHead::logits(const Model& model,
                                           const EncodingWindows& windows) const {
  std::vector<TokenLogits> result(windows.size());
  std::vector<Encoding> encodings;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    encodings.push_back(windows[i]);
    fit_type_ids(model, encodings.back());
  }
  run(model, encodings, [&](std::size_t i, std::span<const float> logits) {
    result[i].logits = Tensor{encodings[i].size(), outputs()};
    std::ranges::copy(logits, result[i].logits.values().begin());
  });
  for (std::size_t i = 0; i < windows.size(); ++i)
    result[i].encoding = std::move(encodings[i]);
  return result;
}

}  // namespace klue::detail
