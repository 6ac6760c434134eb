#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checkpoint/safetensors_writer.hpp"

/// The smallest model there is, for fuzz targets that have no files of their own: one layer of 16
/// numbers, and a vocabulary of 12.
namespace klue::fuzz {

inline constexpr std::size_t hidden = 16, inner = 24, vocabulary = 12, positions = 20;

inline const std::string config_json =
    R"({"model_type":"roberta","vocab_size":12,"hidden_size":16,"num_hidden_layers":1,)"
    R"("num_attention_heads":2,"intermediate_size":24,"hidden_act":"gelu","layer_norm_eps":1e-5,)"
    R"("max_position_embeddings":20,"type_vocab_size":2,"pad_token_id":1})";

inline const std::string vocab_txt =
    "[CLS]\n[PAD]\n[SEP]\n[UNK]\n[MASK]\n가\n##나\n다\na\n##b\n!\n韓\n";

inline std::vector<test::FloatTensor> tensors() {
  std::vector<test::FloatTensor> all;
  const auto add = [&](std::string name, std::vector<std::size_t> shape) {
    std::size_t count = 1;
    for (const std::size_t extent : shape)
      count *= extent;
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = 0.02f * static_cast<float>((i * 31 + name.size()) % 23) - 0.2f;
    all.push_back({std::move(name), std::move(shape), std::move(values)});
  };
  const auto add_layer = [&](const std::string& name, std::size_t out, std::size_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {hidden});
    add(name + ".bias", {hidden});
  };
  add("embeddings.word_embeddings.weight", {vocabulary, hidden});
  add("embeddings.position_embeddings.weight", {positions, hidden});
  add("embeddings.token_type_embeddings.weight", {2, hidden});
  add_norm("embeddings.LayerNorm");
  const std::string layer = "encoder.layer.0.";
  for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value",
                           "attention.output.dense"})
    add_layer(layer + name, hidden, hidden);
  add_norm(layer + "attention.output.LayerNorm");
  add_layer(layer + "intermediate.dense", inner, hidden);
  add_layer(layer + "output.dense", hidden, inner);
  add_norm(layer + "output.LayerNorm");
  add_layer("pooler.dense", hidden, hidden);
  return all;
}

inline std::string model_safetensors() {
  return test::safetensors_of(tensors());
}

}  // namespace klue::fuzz
