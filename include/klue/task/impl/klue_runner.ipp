// A fine-tuned model on inputs that were made elsewhere, rows of padding included.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/sorted_order.hpp>
#include <klue/core/error.hpp>
#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/model/detail/head.hpp>
#include <klue/task/detail/token_head.hpp>
#include <klue/task/klue_re.hpp>
#include <klue/task/klue_runner.hpp>

namespace klue::baseline {
namespace {

/// One row of a padded batch.
struct PaddedInput {
  std::vector<std::int32_t> ids, mask, types;
};

bool labels_whole_texts(Benchmark benchmark) {
  return benchmark != Benchmark::ner && benchmark != Benchmark::mrc;
}

std::size_t outputs_of(Benchmark benchmark) {
  if (benchmark == Benchmark::sts) return 1;
  if (benchmark == Benchmark::mrc) return 2;
  return label_names(benchmark).size();
}

std::string joined_labels(const auto& names) {
  std::string text;
  for (const auto& name : names)
    text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

// The checkpoint's column of each of KLUE's labels: by name, or in KLUE's order where they have
// none but LABEL_0, LABEL_1, …, which is how KLUE-baseline saves them.
std::vector<std::size_t> columns_of_labels(Benchmark benchmark, const detail::HeadConfig& config) {
  std::vector<std::size_t> columns(outputs_of(benchmark));
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  const std::vector<std::string>& names = config.label_names;
  const auto labels = label_names(benchmark);
  if (labels.empty() || names.empty() || names.front() == "LABEL_0") return columns;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), labels[i]);
    if (found == names.end() || names.size() != labels.size())
      throw UsageError("labels that are not KLUE's", {.file = config.file.string(),
                                                      .field = "id2label",
                                                      .expected = joined_labels(labels),
                                                      .actual = joined_labels(names)});
    columns[i] = static_cast<std::size_t>(found - names.begin());
  }
  return columns;
}

Tensor with_columns(const Tensor& logits, std::span<const std::size_t> columns) {
  Tensor result{logits.shape()[0], columns.size()};
  for (std::size_t row = 0; row < logits.shape()[0]; ++row)
    for (std::size_t i = 0; i < columns.size(); ++i)
      result.at(row)[i] = logits.at(row)[columns[i]];
  return result;
}

}  // namespace

struct Runner::Impl {
  Impl(Model model_, Benchmark benchmark_);

  const detail::EncoderCore& encoder() const { return model.encoder().core(); }
  void check_outputs(const char* weight) const;
  std::vector<std::int32_t> types_of(const ModelInput& input) const;
  PaddedInput padded(const ModelInput& input, std::size_t max_seq_length) const;
  Tensor expanded(std::span<const float> rows, std::size_t max_seq_length) const;

  Model model;
  Benchmark benchmark;
  std::optional<Tokenizer> marked_tokenizer{};
  std::vector<std::size_t> columns{};
  detail::VectorPipeline text_head{};
  detail::Dense token_head{};
};

Runner::Impl::Impl(Model model_, Benchmark benchmark_)
    : model(std::move(model_)), benchmark(benchmark_) {
  const detail::PipelineEngine engine{encoder().engine(), encoder().pool()};
  if (labels_whole_texts(benchmark)) {
    detail::require_task(model, Task::classify);
    const std::size_t found = model.info().head->labels;
    if (found != outputs_of(benchmark))
      throw UsageError("not a head for this task",
                       {.file = model.info().weights_file.string(),
                        .field = std::string(benchmark_name(benchmark)),
                        .expected = std::to_string(outputs_of(benchmark)) + " labels",
                        .actual = std::to_string(found)});
    std::optional<detail::Head> head =
        detail::read_head(model.head_config(), encoder().config(), encoder().checkpoint(), engine);
    text_head = std::move(head->pipeline);
  } else {
    const bool tags = benchmark == Benchmark::ner;
    detail::require_task(model, tags ? Task::tag : Task::answer);
    const detail::DenseNames names =
        tags ? detail::DenseNames{"classifier.weight", "classifier.bias"}
             : detail::DenseNames{"qa_outputs.weight", "qa_outputs.bias"};
    check_outputs(tags ? "classifier.weight" : "qa_outputs.weight");
    token_head = detail::make_dense(detail::TensorLookup(encoder().checkpoint()), names,
                                    encoder().config().hidden_size, outputs_of(benchmark),
                                    Activation::none, engine);
  }
  if (benchmark == Benchmark::re) marked_tokenizer = re_tokenizer(model.preprocessor().tokenizer());
  columns = columns_of_labels(benchmark, model.head_config());
}

void Runner::Impl::check_outputs(const char* weight) const {
  const TensorView* view = encoder().checkpoint().find(weight);
  if (view == nullptr || view->shape.empty() || view->shape[0] == outputs_of(benchmark)) return;
  throw UsageError("not a head for this task",
                   {.file = model.info().weights_file.string(),
                    .field = weight,
                    .expected = std::to_string(outputs_of(benchmark)) + " outputs",
                    .actual = std::to_string(view->shape[0])});
}

// The original gives token types to BERT and ELECTRA alone.
std::vector<std::int32_t> Runner::Impl::types_of(const ModelInput& input) const {
  std::vector<std::int32_t> types(input.ids.size(), 0);
  const EncoderConfig& config = encoder().config();
  if (config.type_vocab_size > 1 && config.positions == PositionScheme::index &&
      input.second_segment)
    std::fill(
        types.begin() + static_cast<std::ptrdiff_t>(std::min(*input.second_segment, types.size())),
        types.end(), 1);
  return types;
}

// The row as the original pads it. RoBERTa gives all padding one position, so that one place of it
// stands for all.
PaddedInput Runner::Impl::padded(const ModelInput& input, std::size_t max_seq_length) const {
  const std::size_t size = input.ids.size();
  if (size > max_seq_length)
    throw UsageError("an input longer than the row", {.field = "max_seq_length",
                                                      .expected = std::to_string(size) + " or more",
                                                      .actual = std::to_string(max_seq_length)});
  const bool one_place = encoder().config().positions == PositionScheme::after_padding;
  const std::size_t length = one_place ? std::min(size + 1, max_seq_length) : max_seq_length;
  PaddedInput row{input.ids, std::vector<std::int32_t>(size, 1), types_of(input)};
  row.ids.resize(length, static_cast<std::int32_t>(encoder().config().pad_token_id));
  row.mask.resize(length, 0);
  row.types.resize(length, 0);
  return row;
}

// Logits of a row's places as those of all places, in KLUE's order.
Tensor Runner::Impl::expanded(std::span<const float> rows, std::size_t max_seq_length) const {
  const std::size_t outputs = columns.size(), places = rows.size() / outputs;
  Tensor result{max_seq_length, outputs};
  for (std::size_t place = 0; place < max_seq_length; ++place)
    for (std::size_t i = 0; i < outputs; ++i)
      result.at(place)[i] = rows[std::min(place, places - 1) * outputs + columns[i]];
  return result;
}

Runner::Runner(Model model, Benchmark benchmark)
    : impl_(std::make_unique<const Impl>(std::move(model), benchmark)) {}
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;
Runner::~Runner() = default;

Benchmark Runner::benchmark() const noexcept {
  return impl_->benchmark;
}

std::size_t Runner::max_seq_length() const noexcept {
  const bool is_bert = impl_->encoder().config().positions == PositionScheme::index;
  switch (impl_->benchmark) {
    case Benchmark::ynat:
    case Benchmark::nli:
    case Benchmark::sts:
      return 128;
    case Benchmark::re:
      return 256;
    case Benchmark::ner:
      return 510;
    case Benchmark::mrc:
      break;
  }
  return is_bert ? 512 : 510;
}

const Tokenizer& Runner::tokenizer() const noexcept {
  return impl_->marked_tokenizer ? *impl_->marked_tokenizer
                                 : impl_->model.preprocessor().tokenizer();
}

Tensor Runner::logits(std::span<const ModelInput> inputs) const {
  if (!labels_whole_texts(impl_->benchmark))
    throw UsageError("this task labels tokens",
                     {.field = std::string(benchmark_name(impl_->benchmark))});
  const detail::EncoderCore& encoder = impl_->encoder();
  std::vector<std::vector<std::int32_t>> types;
  for (const ModelInput& input : inputs)
    types.push_back(impl_->types_of(input));
  const std::size_t width = impl_->text_head.poolings.size() * encoder.config().hidden_size;
  Tensor pooled{inputs.size(), width};
  detail::for_each_batch(
      impl_->model, inputs.size(), [&](std::size_t i) { return std::span(inputs[i].ids); },
      [&](std::size_t i) { return std::span<const std::int32_t>(types[i]); },
      [&](const detail::TokenBatch& batch, std::span<const std::size_t> sequences) {
        encoder.pool(batch, impl_->text_head.poolings,
                     [&](std::size_t s, std::span<const float> vector) {
                       std::copy(vector.begin(), vector.end(), pooled.at(sequences[s]).begin());
                     });
      });
  return with_columns(detail::run_modules(impl_->text_head, std::move(pooled), encoder.pool()),
                      impl_->columns);
}

void Runner::token_logits(std::span<const ModelInput> inputs, std::size_t max_seq_length,
                          const std::function<void(std::size_t, const Tensor&)>& sink) const {
  if (labels_whole_texts(impl_->benchmark))
    throw UsageError("this task labels whole texts",
                     {.field = std::string(benchmark_name(impl_->benchmark))});
  const detail::EncoderCore& encoder = impl_->encoder();
  const std::size_t outputs = impl_->columns.size();
  const std::vector<std::size_t> order = detail::falling_order(
      inputs.size(), [inputs](std::size_t i) { return inputs[i].ids.size(); });
  detail::TokenBatchBuilder builder(encoder.config());
  detail::AlignedBuffer<float> buffer;
  detail::Scratch scratch;
  for (std::size_t first = 0, next = 0; first < order.size(); first = next) {
    builder.clear();
    do {
      const PaddedInput row = impl_->padded(inputs[order[next]], max_seq_length);
      if (next > first && builder.batch().tokens() + row.ids.size() > encoder.batch_tokens()) break;
      builder.append(row.ids, row.mask, row.types, PaddedRows::reference);
    } while (++next < order.size());
    const detail::TokenBatch& batch = builder.batch();
    buffer.reserve_discard(batch.tokens() * outputs);
    encoder.rows(batch, [&](detail::ConstRows rows) {
      impl_->token_head.linear->apply(rows, {buffer.data(), rows.count, outputs}, {}, scratch,
                                      encoder.pool());
    });
    for (std::size_t s = 0; s < batch.sentences(); ++s)
      sink(order[first + s],
           impl_->expanded(
               buffer.span().subspan(batch.first_token[s] * outputs,
                                     (batch.first_token[s + 1] - batch.first_token[s]) * outputs),
               max_seq_length));
  }
}

}  // namespace klue::baseline
