#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/encoder/config.hpp>

namespace klue::test {

/// The encoder of one unpadded sequence as the papers write it down, in float64 and in no hurry:
/// Vaswani et al. 2017, with BERT's embeddings, exact GELU and layer norms after each residual.
class SlowEncoder {
 public:
  using Vector = std::vector<double>;
  using Matrix = std::vector<Vector>;

  /// `prefix` stands before all names of the checkpoint: "bert.".
  SlowEncoder(const EncoderConfig& config, const Checkpoint& checkpoint, std::string prefix)
      : config_(config), checkpoint_(checkpoint), prefix_(std::move(prefix)) {}

  /// The last layer's output, [tokens, hidden].
  Matrix run(std::span<const std::int32_t> ids, std::span<const std::int32_t> types) const {
    Matrix hidden;
    std::size_t counted = 0;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const auto id = static_cast<std::size_t>(ids[t]);
      std::size_t position = t;
      if (config_.positions == PositionScheme::after_padding)
        position = config_.pad_token_id + (id == config_.pad_token_id ? 0 : ++counted);
      Vector x = row("embeddings.word_embeddings.weight", id);
      add(x, row("embeddings.position_embeddings.weight", position));
      add(x, row("embeddings.token_type_embeddings.weight", static_cast<std::size_t>(types[t])));
      hidden.push_back(layer_norm("embeddings.LayerNorm", x));
    }
    for (std::size_t i = 0; i < config_.num_hidden_layers; ++i)
      hidden = layer("encoder.layer." + std::to_string(i) + ".", hidden);
    return hidden;
  }

  /// tanh(W · first token + b).
  Vector pool(const Matrix& hidden) const {
    Vector pooled = linear("pooler.dense", hidden.front());
    for (double& x : pooled)
      x = std::tanh(x);
    return pooled;
  }

 private:
  Matrix layer(const std::string& name, const Matrix& input) const {
    Matrix attended = attention(name + "attention.self.", input), output;
    for (std::size_t t = 0; t < input.size(); ++t) {
      Vector x = linear(name + "attention.output.dense", attended[t]);
      add(x, input[t]);
      x = layer_norm(name + "attention.output.LayerNorm", x);
      Vector inner = linear(name + "intermediate.dense", x);
      for (double& value : inner)
        value = value / 2 * (1 + std::erf(value / std::sqrt(2.0)));
      Vector y = linear(name + "output.dense", inner);
      add(y, x);
      output.push_back(layer_norm(name + "output.LayerNorm", y));
    }
    return output;
  }

  Matrix attention(const std::string& name, const Matrix& input) const {
    Matrix query, key, value;
    for (const Vector& x : input) {
      query.push_back(linear(name + "query", x));
      key.push_back(linear(name + "key", x));
      value.push_back(linear(name + "value", x));
    }
    const std::size_t size = config_.head_size();
    Matrix context(input.size(), Vector(config_.hidden_size));
    for (std::size_t first = 0; first < config_.hidden_size; first += size)
      for (std::size_t q = 0; q < input.size(); ++q) {
        Vector weights;
        double sum = 0;
        for (std::size_t k = 0; k < input.size(); ++k) {
          double score = 0;
          for (std::size_t i = first; i < first + size; ++i)
            score += query[q][i] * key[k][i];
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(size))));
          sum += weights.back();
        }
        for (std::size_t k = 0; k < input.size(); ++k)
          for (std::size_t i = first; i < first + size; ++i)
            context[q][i] += weights[k] / sum * value[k][i];
      }
    return context;
  }

  Vector layer_norm(const std::string& name, const Vector& x) const {
    const Vector weight = row(name + ".weight"), bias = row(name + ".bias");
    double mean = 0, variance = 0;
    for (const double value : x)
      mean += value / static_cast<double>(x.size());
    for (const double value : x)
      variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
    Vector y;
    for (std::size_t i = 0; i < x.size(); ++i)
      y.push_back((x[i] - mean) /
                      std::sqrt(variance + static_cast<double>(config_.layer_norm_eps)) *
                      weight[i] +
                  bias[i]);
    return y;
  }

  Vector linear(const std::string& name, const Vector& x) const {
    Vector y = row(name + ".bias");
    for (std::size_t out = 0; out < y.size(); ++out) {
      const Vector weight = row(name + ".weight", out);
      for (std::size_t in = 0; in < x.size(); ++in)
        y[out] += weight[in] * x[in];
    }
    return y;
  }

  /// A row of a matrix, or a whole vector.
  Vector row(const std::string& name, std::size_t index = 0) const {
    const TensorView& view = *checkpoint_.find(prefix_ + name);
    std::vector<float> values(view.shape.back());
    view.read(index * values.size(), values);
    return {values.begin(), values.end()};
  }

  static void add(Vector& x, const Vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] += y[i];
  }

  const EncoderConfig& config_;
  const Checkpoint& checkpoint_;
  std::string prefix_;
};

}  // namespace klue::test
