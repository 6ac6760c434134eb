// Weights that no low precision can hold: a scale made of them would be infinite, and the sums of
// 8-bit products overflow.

#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/set_weights.hpp"

namespace klue {
namespace {

using test::ModelDirectory;

constexpr const char* kName = "roberta.encoder.layer.1.attention.self.key.weight";

class LowPrecisionWeights : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    try {
      Model::load(test::fixture("tiny-11"), {.precision = GetParam()});
    } catch (const UnsupportedError&) {
      GTEST_SKIP() << "this processor cannot multiply in that precision";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(, LowPrecisionWeights, testing::Values(Precision::bf16, Precision::int8),
                         [](const auto& test) {
                           return test.param == Precision::bf16 ? "bf16" : "int8";
                         });

TEST_P(LowPrecisionWeights, RefusesWeightsThatItCannotHold) {
  using Float = std::numeric_limits<float>;
  for (const float value : {Float::infinity(), -Float::infinity(), Float::quiet_NaN(), 3e38f})
    for (const std::size_t count : {1u, 32u}) {
      const ModelDirectory directory;
      test::set_weights(directory, kName, value, count);
      if (std::isfinite(value)) {
        EXPECT_NO_THROW(Model::load(directory.path()));
      }
      const auto error = test::thrown<FormatError>(
          [&] { Model::load(directory.path(), {.precision = GetParam()}); });
      EXPECT_EQ(error.field(), kName);
    }
}

TEST_P(LowPrecisionWeights, CountsWeightsThatAreFarTooSmallAsNothing) {
  for (const float value : {1e-44f, 1e-38f, 1e-31f, -1e-35f}) {
    const ModelDirectory tiny, zero;
    test::set_weights(tiny, kName, value, 32);
    test::set_weights(zero, kName, 0.0f, 32);
    const LoadOptions options{.precision = GetParam()};
    const Tensor ours = Model::load(tiny.path(), options).embed({"이 다는 사람", "전"});
    const Tensor theirs = Model::load(zero.path(), options).embed({"이 다는 사람", "전"});
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_EQ(ours.values()[i], theirs.values()[i]);
  }
}

}  // namespace
}  // namespace klue
