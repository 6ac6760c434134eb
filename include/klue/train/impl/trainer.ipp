#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>
#include <klue/train/detail/vector_ops.hpp>
#include <klue/train/trainer.hpp>

namespace klue::train {
namespace {

// A whole number below `limit`, which is below 2^32, of a stream.
std::size_t draw_below(std::uint64_t key, std::uint64_t index, std::size_t limit) {
  return static_cast<std::size_t>((detail::mix(key, index) >> 32) * limit >> 32);
}

TensorToWrite float_tensor(std::string name, const std::vector<std::size_t>& shape,
                           const float* values, std::size_t size) {
  return {std::move(name), DType::f32, shape, std::as_bytes(std::span(values, size))};
}

void read_floats(const Checkpoint& checkpoint, const std::string& name, const Parameter& p,
                 float* to) {
  const TensorView* view = checkpoint.find(name);
  if (view == nullptr || view->shape != p.shape)
    throw FormatError(
        "the state of another network",
        {.file = checkpoint.file().string(), .field = name, .expected = shape_string(p.shape)});
  view->read(0, {to, p.size});
}

}  // namespace

Batch make_batch(const EncoderConfig& config, Objective objective,
                 std::span<const Example* const> examples, std::span<const std::uint64_t> streams) {
  Batch batch;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const Example& e = *examples[i];
    const std::uint64_t stream = streams.empty() ? i : streams[i];
    batch.append(config, e.ids, e.types);
    switch (objective) {
      case Objective::cross_entropy:
        batch.classes.push_back(e.label);
        break;
      case Objective::token_cross_entropy:
        batch.classes.insert(batch.classes.end(), e.classes.begin(), e.classes.end());
        break;
      case Objective::span_cross_entropy:
        batch.starts.push_back(e.start);
        batch.ends.push_back(e.end);
        break;
      case Objective::binary_cross_entropy:
      case Objective::squared_error:
        batch.values.insert(batch.values.end(), e.values.begin(), e.values.end());
        break;
      case Objective::cosine_squared_error:
      case Objective::cosent:
      case Objective::in_batch_negatives:
        batch.append(config, e.second, e.second_types);
        batch.values.insert(batch.values.end(), e.values.begin(), e.values.end());
        batch.streams.push_back(2 * stream);
        batch.streams.push_back(2 * stream + 1);
        continue;
    }
    batch.streams.push_back(stream);
  }
  return batch;
}

std::vector<std::size_t> epoch_order(std::uint64_t seed, std::uint64_t epoch, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::uint64_t key = detail::mix(detail::mix(seed, 0x6f72646572), epoch);
  for (std::size_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[draw_below(key, i, i)]);
  return order;
}

Example masked(const Example& example, const Masking& masking,
               std::span<const std::int32_t> special, std::uint64_t key) {
  Example result = example;
  result.classes.assign(example.ids.size(), kIgnored);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < example.ids.size(); ++i)
    if (std::ranges::find(special, example.ids[i]) == special.end()) places.push_back(i);
  const auto wanted =
      static_cast<std::size_t>(std::lround(masking.rate * static_cast<double>(places.size())));
  const std::size_t count = std::min(places.size(), std::max<std::size_t>(1, wanted));
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(places[i], places[i + draw_below(key, i, places.size() - i)]);
    const std::size_t place = places[i];
    result.classes[place] = example.ids[place];
    const std::size_t die = draw_below(key, 1000000 + i, 10);
    if (die < 8) result.ids[place] = masking.mask_id;
    if (die == 8)
      result.ids[place] =
          static_cast<std::int32_t>(draw_below(key, 2000000 + i, masking.vocabulary));
  }
  return result;
}

Trainer::Trainer(Network<float> network, Objective objective, const TrainerOptions& options)
    : network_(std::move(network)),
      objective_(objective),
      options_(options),
      optimizer_(network_.parameters(), options.optimizer) {}

StepReport Trainer::step(std::span<const Example* const> examples) {
  const std::size_t labels = network_.config().labels, index = optimizer_.steps();
  const std::size_t parts =
      std::max<std::size_t>(1, std::min(options_.accumulate, examples.size()));
  std::vector<Batch> batches;
  double terms = 0;
  StepReport report{.step = index + 1, .learning_rate = options_.schedule.at(index)};
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = examples.size() * part / parts;
    const std::size_t end = examples.size() * (part + 1) / parts;
    std::vector<std::uint64_t> streams(end - first);
    std::iota(streams.begin(), streams.end(), static_cast<std::uint64_t>(first));
    batches.push_back(make_batch(network_.config().encoder, objective_,
                                 examples.subspan(first, end - first), streams));
    const double own = count_terms(objective_, batches.back(), labels);
    if (own == 0) batches.pop_back();  // nothing to learn from
    terms += own;
    report.tokens += own == 0 ? 0 : batches.back().tokens();
  }
  if (batches.empty()) throw UsageError("a batch without labels", {.field = "labels"});
  Pass pass{.hidden_dropout = options_.hidden_dropout,
            .attention_dropout = options_.attention_dropout,
            .head_dropout = options_.head_dropout,
            .seed = options_.seed,
            .step = index,
            .denominator = terms,
            .spread = options_.spread,
            .recompute_layers = options_.recompute_layers};
  for (const Batch& batch : batches) {
    report.loss += network_.forward_backward(batch, objective_, pass);
    pass.add_gradients = true;
  }
  report.gradient_norm = optimizer_.gradient_norm(network_.parameters(), network_.pool());
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm))
    throw Error("the training has diverged: loss or gradient are no numbers",
                {.field = "step " + std::to_string(report.step),
                 .actual = "loss " + std::to_string(report.loss) + ", gradient norm " +
                           std::to_string(report.gradient_norm)});
  optimizer_.step(network_.parameters(), report.learning_rate, report.gradient_norm,
                  network_.pool());
  return report;
}

void Trainer::save_state(const std::filesystem::path& file, std::string_view note) const {
  const Parameters<float>& parameters = network_.parameters();
  std::vector<TensorToWrite> tensors;
  const std::string step = std::to_string(optimizer_.steps());
  tensors.push_back({"step", DType::u8, {step.size()}, std::as_bytes(std::span(step))});
  tensors.push_back({"note", DType::u8, {note.size()}, std::as_bytes(std::span(note))});
  for (const Parameter& p : parameters.entries()) {
    tensors.push_back(float_tensor("value." + p.name, p.shape, parameters.values(p), p.size));
    if (!p.trained) continue;
    tensors.push_back(
        float_tensor("first." + p.name, p.shape, optimizer_.first_moments(p), p.size));
    tensors.push_back(
        float_tensor("second." + p.name, p.shape, optimizer_.second_moments(p), p.size));
  }
  write_safetensors(file, tensors);
}

std::string Trainer::load_state(const std::filesystem::path& file) {
  const Checkpoint checkpoint = open_checkpoint(file);
  const auto text = [&](const char* name) {
    const TensorView* view = checkpoint.find(name);
    if (view == nullptr || view->dtype != DType::u8)
      throw FormatError("no state of a training", {.file = file.string(), .field = name});
    return std::string(reinterpret_cast<const char*>(view->bytes.data()), view->bytes.size());
  };
  for (const Parameter& p : network_.parameters().entries()) {
    read_floats(checkpoint, "value." + p.name, p, network_.parameters().values(p));
    if (!p.trained) continue;
    read_floats(checkpoint, "first." + p.name, p, optimizer_.first_moments(p));
    read_floats(checkpoint, "second." + p.name, p, optimizer_.second_moments(p));
  }
  optimizer_.restore(network_.parameters(), std::stoul(text("step")));
  return text("note");
}

void Trainer::save_parameters(const std::filesystem::path& file) const {
  std::vector<TensorToWrite> tensors;
  for (const Parameter& p : network_.parameters().entries())
    tensors.push_back(float_tensor(p.name, p.shape, network_.parameters().values(p), p.size));
  write_safetensors(file, tensors, {{"format", "pt"}});
}

void Trainer::load_parameters(const std::filesystem::path& file) {
  const Checkpoint checkpoint = open_checkpoint(file);
  for (const Parameter& p : network_.parameters().entries())
    read_floats(checkpoint, p.name, p, network_.parameters().values(p));
}

}  // namespace klue::train
