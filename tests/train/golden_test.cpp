// Losses, gradients and AdamW steps against the original code in float64: goldens/training.

#include "train/golden.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/train/network.hpp>
#include <klue/train/optimizer.hpp>

namespace klue::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json manifest(const fs::path& goldens) {
  return json::parse(std::ifstream(goldens / "manifest.json"));
}

json find_case(const json& cases, const std::string& name) {
  for (const json& c : cases)
    if (c["name"] == name) return c;
  throw std::runtime_error("no case " + name);
}

// A parameter's name as the goldens' files have it.
std::string short_name(const std::string& name) {
  return name.starts_with("roberta.") ? name.substr(8) : name;
}

struct Tolerance {
  double loss, array, checksum, zero;
};
template <class T>
constexpr Tolerance kTolerance{1e-12, 1e-9, 1e-9, 1e-12};
template <>
constexpr Tolerance kTolerance<float>{1e-5, 2e-4, 1e-4, 1e-6};

class TrainingGolden : public testing::TestWithParam<const char*> {
 protected:
  template <class T>
  void check() {
    KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/training");
    const json golden = find_case(manifest(goldens)["cases"], GetParam());
    const fs::path model = test::training_model(golden["model"]);
    if (!fs::exists(model / "config.json")) GTEST_SKIP() << "needs the model " << model.filename();
    const test::TrainingCase c = test::training_case(golden);
    Network<T> network = test::network_of<T>(c);
    network.keep_state_gradients(true);
    const double loss = network.forward_backward(c.batch, c.objective);
    EXPECT_NEAR(loss, golden["loss"].get<double>(), kTolerance<T>.loss);

    const std::set<std::string> zero = golden["zero_gradient"];
    std::set<std::string> seen;
    double squares = 0;
    for (const Parameter& p : network.parameters().entries()) {
      SCOPED_TRACE(p.name);
      const T* g = network.parameters().gradients(p);
      const auto sums = test::checksums(g, p.size);
      squares += sums[2];
      seen.insert(p.name);
      if (zero.contains(p.name)) {
        EXPECT_LT(std::abs(*std::max_element(g, g + p.size,
                                             [](T a, T b) { return std::abs(a) < std::abs(b); })),
                  kTolerance<T>.zero);
        continue;
      }
      ASSERT_TRUE(golden["gradients"].contains(p.name));
      EXPECT_LT(test::checksum_error(sums, golden["gradients"][p.name]["checksums"]),
                kTolerance<T>.checksum);
    }
    for (const auto& [name, unused] : golden["gradients"].items())
      EXPECT_TRUE(seen.contains(name)) << name;
    const double norm = golden["gradient_norm"];
    EXPECT_NEAR(std::sqrt(squares), norm, norm * kTolerance<T>.checksum);
    for (const auto& [key, file] : golden["files"].items())
      compare_array<T>(key, goldens / std::string(file), golden, network);
  }

  template <class T>
  static void compare_array(const std::string& key, const fs::path& file, const json& golden,
                            Network<T>& network) {
    if (!key.starts_with("grad.") || key == "grad.hidden_states") return;
    const std::string what = key.substr(5);
    std::vector<T> ours;
    const auto rows = [&](const std::string& name, const json& wanted) {
      const Parameter& p = network.parameters().entries()[network.parameters().index(
          network.parameters().prefix() + "embeddings." + name)];
      for (const std::size_t row : wanted) {
        const T* g = network.parameters().gradients(p) + row * p.shape[1];
        ours.insert(ours.end(), g, g + p.shape[1]);
      }
    };
    if (what == "word_rows") {
      rows("word_embeddings.weight", golden["word_rows"]);
    } else if (what == "position_rows") {
      rows("position_embeddings.weight", golden["position_rows"]);
    } else {
      for (const Parameter& p : network.parameters().entries())
        if (what.starts_with(short_name(p.name))) {
          const T* g = network.parameters().gradients(p);
          ours.assign(g, g + p.size);
        }
    }
    const test::NpyArray theirs = test::read_npy(file);
    ASSERT_GE(ours.size(), theirs.values.size()) << key;
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < theirs.values.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(ours[i]) - theirs.values[i]));
      largest = std::max(largest, std::abs(theirs.values[i]));
    }
    const std::set<std::string> zero = golden["zero_gradient"];
    const bool is_zero = zero.contains(what) || zero.contains("roberta." + what);
    EXPECT_LT(worst, is_zero ? kTolerance<T>.zero : largest * kTolerance<T>.array) << key;
  }
};

TEST_P(TrainingGolden, Float64) {
  check<double>();
}
TEST_P(TrainingGolden, Float32) {
  check<float>();
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainingGolden,
                         testing::Values("sequence_classification", "token_classification",
                                         "regression", "multi_label", "masked_lm", "cosine_mse",
                                         "multiple_negatives", "question_answering",
                                         "question_answering_padded",
                                         "base_sequence_classification"),
                         [](const auto& which) { return std::string(which.param); });

// ------------------------------------------------------------------------------------ optimiser

struct PlanTolerance {
  double loss, norm, parameter, checksum, key_bias;
};

class OptimizerGolden : public testing::TestWithParam<const char*> {
 protected:
  template <class T>
  void replay(const PlanTolerance& tolerance) {
    KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/training");
    const json golden = manifest(goldens)["optimiser"], plan = golden["plans"][GetParam()];
    test::TrainingCase c;
    c.model = test::training_model("seqcls");
    c.config = {read_encoder_config(c.model / "config.json"), Head::sequence, 3};
    Network<T> network = test::network_of<T>(c);
    check_decay(golden, network.parameters().entries());
    AdamW<T> optimizer(network.parameters(),
                       {.weight_decay = plan["weight_decay"], .clip_norm = plan["clip_norm"]});
    const Schedule schedule{
        .learning_rate = plan["lr"], .warmup_steps = plan["warmup_steps"], .steps = plan["steps"]};
    for (std::size_t step = 0; step < 30; ++step) {
      SCOPED_TRACE("step " + std::to_string(step + 1));
      Batch batch;
      for (const std::size_t line : golden["batches"][step]) {
        batch.append(c.config.encoder,
                     golden["examples"][line]["input_ids"].get<std::vector<std::int32_t>>());
        batch.classes.push_back(golden["examples"][line]["label"]);
      }
      const json& expected = plan["f64"]["steps"][step];
      EXPECT_NEAR(schedule.at(step), expected["lr"].get<double>(), 1e-18);
      EXPECT_NEAR(network.forward_backward(batch, Objective::cross_entropy),
                  expected["loss"].get<double>(), tolerance.loss);
      const double norm = optimizer.gradient_norm(network.parameters(), network.pool());
      EXPECT_NEAR(norm, expected["gradient_norm"].get<double>(), tolerance.norm * norm);
      optimizer.step(network.parameters(), schedule.at(step), norm, network.pool());
      compare(plan["f64"], std::to_string(step + 1), network.parameters(), optimizer, tolerance);
    }
    for (const Parameter& p : network.parameters().entries()) {
      const std::string key = std::string(GetParam()) + ".after30." + short_name(p.name);
      if (!golden["files"].contains(key)) continue;
      const auto theirs = test::read_npy(goldens / golden["files"][key].get<std::string>());
      for (std::size_t i = 0; i < p.size; ++i)
        ASSERT_NEAR(network.parameters().values(p)[i], theirs.values[i], tolerance.parameter)
            << key;
    }
  }

  static void check_decay(const json& golden, std::span<const Parameter> entries) {
    const std::set<std::string> decayed = golden["decayed"], not_decayed = golden["not_decayed"];
    for (const Parameter& p : entries)
      EXPECT_TRUE((p.decays ? decayed : not_decayed).contains(p.name)) << p.name;
  }

  template <class T>
  static void compare(const json& plan, const std::string& step, const Parameters<T>& parameters,
                      const AdamW<T>& optimizer, const PlanTolerance& tolerance) {
    for (const Parameter& p : parameters.entries()) {
      SCOPED_TRACE(p.name);
      const bool key_bias = p.name.ends_with("key.bias");
      const double limit = key_bias ? tolerance.key_bias : tolerance.checksum;
      const auto check = [&](const char* what, const T* values) {
        if (!plan.contains(what) || !plan[what].contains(step)) return;
        // Of the moments of something that is only noise there is nothing to compare.
        if (key_bias && what != std::string("parameters")) return;
        EXPECT_LT(test::checksum_error(test::checksums(values, p.size), plan[what][step][p.name]),
                  limit)
            << what;
      };
      check("parameters", parameters.values(p));
      check("exp_avg", optimizer.first_moments(p));
      check("exp_avg_sq", optimizer.second_moments(p));
    }
  }
};

TEST_P(OptimizerGolden, Float64) {
  replay<double>(
      {.loss = 1e-12, .norm = 1e-12, .parameter = 1e-12, .checksum = 1e-9, .key_bias = 5e-3});
}
TEST_P(OptimizerGolden, Float32) {
  replay<float>({.loss = 1e-5, .norm = 1e-4, .parameter = 2e-4, .checksum = 1e-3, .key_bias = 1});
}

INSTANTIATE_TEST_SUITE_P(Plans, OptimizerGolden, testing::Values("a", "b"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace klue::train
