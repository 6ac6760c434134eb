#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "model/model_directory.hpp"
#include "npy.hpp"
#include "shared_data.hpp"

/// What the original pipelines answered: goldens/heads of the shared data.
namespace klue::test {

using Json = nlohmann::json;

inline std::vector<Json> read_jsonl(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<Json> cases;
  for (std::string line; std::getline(stream, line);)
    cases.push_back(Json::parse(line));
  return cases;
}

/// The task's values over the models of the goldens, each made once.
template <class TaskValue>
class GoldenModels {
 public:
  const TaskValue& of(const Json& golden) {
    const std::string name = golden["model"];
    auto& value = values_[name];
    if (!value) value = std::make_unique<TaskValue>(Model::load(fixture("heads-" + name)));
    return *value;
  }

 private:
  std::map<std::string, std::unique_ptr<TaskValue>> values_;
};

/// MODEL.logits.f64.npy of each model.
class GoldenLogits {
 public:
  explicit GoldenLogits(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Compares with rows [begin, …) of the model's.
  void expect_near(const std::string& model, std::size_t begin, std::span<const float> ours,
                   std::size_t columns) {
    NpyArray& theirs = arrays_[model];
    if (theirs.values.empty()) theirs = read_npy(folder_ / (model + ".logits.f64.npy"));
    ASSERT_EQ(theirs.shape[1], columns);
    ASSERT_LE(begin * columns + ours.size(), theirs.values.size());
    double worst = 0;
    for (std::size_t i = 0; i < ours.size(); ++i)
      worst = std::max(worst,
                       std::abs(static_cast<double>(ours[i]) - theirs.values[begin * columns + i]));
    EXPECT_LE(worst, 2e-5) << "rows from " << begin;
  }

 private:
  std::filesystem::path folder_;
  std::map<std::string, NpyArray> arrays_;
};

}  // namespace klue::test
