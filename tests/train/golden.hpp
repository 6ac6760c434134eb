#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/encoder/config.hpp>
#include <klue/train/network.hpp>

#include "npy.hpp"
#include "shared_data.hpp"

namespace klue::test {

/// The cases of goldens/training as the trainer takes them.
struct TrainingCase {
  train::NetworkConfig config;
  train::Objective objective;
  train::Batch batch;
  std::filesystem::path model;
};

template <class T>
train::Network<T> network_of(const TrainingCase& c, std::size_t threads = 1) {
  return train::Network<T>(c.config, open_checkpoint(c.model), 1,
                           std::make_shared<ThreadPool>(threads));
}

inline std::filesystem::path training_model(const std::string& name) {
  const std::filesystem::path fixtures = KLUE_FIXTURE_DIR;
  if (name == "none") return fixtures / "tiny-11-bare";
  if (name == "base_seqcls") return fixtures / "base-21-seqcls";
  return fixtures / ("tiny-11-" + name);
}

/// Appends row r of `ids`, cut to its mask, or whole with the mask as keys where padded.
inline void append_row(TrainingCase& c, const nlohmann::json& ids, const nlohmann::json& mask,
                       bool padded) {
  std::vector<std::int32_t> row = ids;
  std::size_t real = 0;
  for (const int bit : mask)
    real += static_cast<std::size_t>(bit);
  if (padded)
    c.batch.keys.push_back(real);
  else
    row.resize(real);
  c.batch.append(c.config.encoder, row);
}

inline TrainingCase training_case(const nlohmann::json& golden) {
  using train::Head;
  using train::Objective;
  const std::string name = golden["name"], task = golden["task"];
  TrainingCase c;
  c.model = training_model(golden["model"]);
  c.config.encoder = read_encoder_config(c.model / "config.json");
  if (task == "cosine_mse" || task == "multiple_negatives") {
    c.config.head = Head::embedding;
    c.objective =
        task == "cosine_mse" ? Objective::cosine_squared_error : Objective::in_batch_negatives;
    for (std::size_t r = 0; r < golden["input_ids_a"].size(); ++r) {
      append_row(c, golden["input_ids_a"][r], golden["attention_mask_a"][r], false);
      append_row(c, golden["input_ids_b"][r], golden["attention_mask_b"][r], false);
    }
    if (golden.contains("labels"))
      for (const double label : golden["labels"])
        c.batch.values.push_back(label);
    return c;
  }
  const bool padded = name == "question_answering_padded";
  for (std::size_t r = 0; r < golden["input_ids"].size(); ++r)
    append_row(c, golden["input_ids"][r], golden["attention_mask"][r], padded);
  if (task == "question_answering") {
    c.config.head = Head::span;
    c.objective = Objective::span_cross_entropy;
    c.batch.starts = golden["start_positions"].get<std::vector<std::size_t>>();
    c.batch.ends = golden["end_positions"].get<std::vector<std::size_t>>();
  } else if (task == "token_classification" || task == "masked_lm") {
    c.config.head = task == "masked_lm" ? Head::masked_lm : Head::tokens;
    c.config.labels = 13;
    c.objective = Objective::token_cross_entropy;
    for (std::size_t r = 0; r < golden["labels"].size(); ++r)
      for (std::size_t i = 0; i < c.batch.length(r); ++i)
        c.batch.classes.push_back(golden["labels"][r][i]);
  } else {
    c.config.head = Head::sequence;
    c.config.labels = task == "regression" ? 1 : 3;
    c.objective = task == "regression"    ? Objective::squared_error
                  : task == "multi_label" ? Objective::binary_cross_entropy
                                          : Objective::cross_entropy;
    if (c.objective == Objective::cross_entropy)
      c.batch.classes = golden["labels"].get<std::vector<std::int32_t>>();
    else
      for (const nlohmann::json& label : golden["labels"])
        for (const nlohmann::json& value :
             label.is_array() ? label : nlohmann::json::array({label}))
          c.batch.values.push_back(value);
  }
  return c;
}

/// Sum x, sum |x|, sum x², sum x · w with w = (flat index mod 97) − 48.
template <class T>
std::vector<double> checksums(const T* x, std::size_t count) {
  std::vector<double> sums(4);
  for (std::size_t i = 0; i < count; ++i) {
    const double v = static_cast<double>(x[i]);
    sums[0] += v;
    sums[1] += std::abs(v);
    sums[2] += v * v;
    sums[3] += v * (static_cast<double>(i % 97) - 48);
  }
  return sums;
}

/// The error of checksums, each by what it could be: sum |x|, sum |x|, sum x², 48 · sum |x|.
inline double checksum_error(const std::vector<double>& ours, const nlohmann::json& theirs) {
  const double absolute = theirs[1], squares = theirs[2];
  const double scales[] = {absolute, absolute, squares, 48 * absolute};
  double worst = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double difference = std::abs(ours[i] - theirs[i].get<double>());
    const double error = difference == 0 ? 0 : difference / scales[i];
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace klue::test
