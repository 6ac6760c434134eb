#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>

#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>
#include <klue/train/detail/vector_ops.hpp>
#include <klue/train/parameters.hpp>

namespace klue::train {
namespace {

constexpr std::array<std::string_view, 3> kKnownPrefixes{"", "roberta.", "bert."};

// A tensor under its own name, or where a checkpoint with another head has the encoder.
const TensorView* find_parameter(const Checkpoint& checkpoint, const std::string& name,
                                 const std::string& prefix) {
  if (const TensorView* found = checkpoint.find(name)) return found;
  if (!name.starts_with(prefix)) return nullptr;
  for (const std::string_view other : kKnownPrefixes)
    if (const TensorView* found =
            checkpoint.find(std::string(other).append(name.substr(prefix.size()))))
      return found;
  return nullptr;
}

// Normal numbers of deviation 0.02 (initializer_range), the i-th of a stream whatever the others.
template <class T>
void draw_normal(T* values, std::size_t count, std::uint64_t key) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto pair = static_cast<std::uint32_t>(i / 2 * 2);
    const double radius = (detail::stream_number(key, pair) + 1.0) / 4294967296.0;
    const double angle = detail::stream_number(key, pair + 1) / 4294967296.0;
    const double turn = 2 * std::numbers::pi * angle;
    const double normal =
        std::sqrt(-2 * std::log(radius)) * (i % 2 ? std::sin(turn) : std::cos(turn));
    values[i] = static_cast<T>(static_cast<float>(0.02 * normal));
  }
}

template <class T>
void read_parameter(const Checkpoint& checkpoint, const TensorView& view, const Parameter& p,
                    T* values) {
  if (view.shape != p.shape)
    throw FormatError("wrong shape", {.file = checkpoint.file().string(),
                                      .field = p.name,
                                      .expected = shape_string(p.shape),
                                      .actual = shape_string(view.shape)});
  if constexpr (std::is_same_v<T, float>) {
    view.read(0, {values, p.size});
  } else {
    std::vector<float> numbers(p.size);
    view.read(0, numbers);
    std::copy(numbers.begin(), numbers.end(), values);
  }
}

}  // namespace

template <class T>
void Parameters<T>::add(std::string name, std::vector<std::size_t> shape, std::size_t depth,
                        bool table) {
  Parameter p;
  p.size = 1;
  for (const std::size_t extent : shape)
    p.size *= extent;
  // One dimension: a bias or a layer norm, `lm_head.layer_norm.weight` included.
  p.decays = shape.size() > 1;
  p.name = std::move(name);
  p.shape = std::move(shape);
  p.depth = depth;
  p.table = table;
  const std::size_t end = entries_.empty() ? 0 : entries_.back().offset + entries_.back().size;
  p.offset = (end + 15) / 16 * 16;
  entries_.push_back(std::move(p));
}

template <class T>
void Parameters<T>::list_encoder(const EncoderConfig& c) {
  const std::size_t h = c.hidden_size;
  const std::string embeddings = prefix_ + "embeddings.";
  add(embeddings + "word_embeddings.weight", {c.vocab_size, h}, 0, true);
  add(embeddings + "position_embeddings.weight", {c.max_position_embeddings, h}, 0, true);
  add(embeddings + "token_type_embeddings.weight", {c.type_vocab_size, h}, 0, true);
  add(embeddings + "LayerNorm.weight", {h}, 0);
  add(embeddings + "LayerNorm.bias", {h}, 0);
  for (std::size_t layer = 0; layer < c.num_hidden_layers; ++layer) {
    const std::string at = prefix_ + "encoder.layer." + std::to_string(layer) + ".";
    const auto dense = [&](const std::string& name, std::size_t in, std::size_t out) {
      add(at + name + ".weight", {out, in}, layer + 1);
      add(at + name + ".bias", {out}, layer + 1);
    };
    const auto norm = [&](const std::string& name) {
      add(at + name + ".LayerNorm.weight", {h}, layer + 1);
      add(at + name + ".LayerNorm.bias", {h}, layer + 1);
    };
    dense("attention.self.query", h, h);
    dense("attention.self.key", h, h);
    dense("attention.self.value", h, h);
    dense("attention.output.dense", h, h);
    norm("attention.output");
    dense("intermediate.dense", h, c.intermediate_size);
    dense("output.dense", c.intermediate_size, h);
    norm("output");
  }
}

template <class T>
void Parameters<T>::list_head(const NetworkConfig& config) {
  const EncoderConfig& c = config.encoder;
  const std::size_t h = c.hidden_size, depth = c.num_hidden_layers + 1;
  const bool bert = c.model_type == "bert";
  const auto dense = [&](const std::string& name, std::size_t in, std::size_t out) {
    add(name + ".weight", {out, in}, depth);
    add(name + ".bias", {out}, depth);
  };
  switch (config.head) {
    case Head::sequence:
      dense(bert ? prefix_ + "pooler.dense" : "classifier.dense", h, h);
      dense(bert ? "classifier" : "classifier.out_proj", h, config.labels);
      break;
    case Head::tokens:
      dense("classifier", h, config.labels);
      break;
    case Head::span:
      dense("qa_outputs", h, 2);
      break;
    case Head::masked_lm: {
      const std::string at = bert ? "cls.predictions." : "lm_head.";
      dense(at + (bert ? "transform.dense" : "dense"), h, h);
      const std::string norm = at + (bert ? "transform.LayerNorm" : "layer_norm");
      add(norm + ".weight", {h}, depth);
      add(norm + ".bias", {h}, depth);
      add(at + "bias", {c.vocab_size}, depth);
      break;
    }
    case Head::embedding:
      break;
  }
}

template <class T>
Parameters<T>::Parameters(const NetworkConfig& config, const Checkpoint& checkpoint,
                          std::uint64_t seed)
    : prefix_(config.head == Head::embedding ? "" : config.encoder.model_type + ".") {
  list_encoder(config.encoder);
  const std::size_t encoder_end = entries_.size();
  list_head(config);
  const std::size_t total = entries_.back().offset + entries_.back().size;
  values_ = Numbers<T>(total);
  gradients_ = Numbers<T>(total);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Parameter& p = entries_[i];
    if (const TensorView* found = find_parameter(checkpoint, p.name, prefix_)) {
      read_parameter(checkpoint, *found, p, values(p));
      p.from_file = true;
    } else if (i < encoder_end) {
      throw FormatError(
          "tensor missing",
          {.file = checkpoint.file().string(), .field = p.name, .expected = shape_string(p.shape)});
    } else if (p.shape.size() > 1) {
      draw_normal(values(p), p.size, detail::mix(detail::mix(seed, 0x6865616421), i));
    } else if (p.name.ends_with("orm.weight")) {
      std::fill_n(values(p), p.size, T(1));
    }
  }
}

template <class T>
std::size_t Parameters<T>::index(std::string_view name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].name == name) return i;
  throw UsageError("no parameter of this name", {.field = std::string(name)});
}

template class Parameters<float>;
template class Parameters<double>;

}  // namespace klue::train
