// Weights that are infinite or NaN, as a training that failed or a conversion to float16 leaves
// them: every vector would be NaN, and nobody would be told.

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "model/set_weights.hpp"

namespace klue {
namespace {

using test::ModelDirectory;
using test::set_weights;
using Float = std::numeric_limits<float>;

TEST(NotANumber, IsRefusedWhenTheModelIsLoaded) {
  for (const char* name :
       {"embeddings.position_embeddings.weight", "embeddings.LayerNorm.weight",
        "encoder.layer.0.attention.self.value.weight", "encoder.layer.0.attention.self.query.bias",
        "encoder.layer.1.output.LayerNorm.bias", "encoder.layer.1.output.dense.bias"})
    for (const float value : {Float::quiet_NaN(), Float::infinity(), -Float::infinity()}) {
      const std::string tensor = std::string("roberta.").append(name);
      const ModelDirectory directory;
      set_weights(directory, tensor, value, 1);
      const auto error = test::thrown<FormatError>([&] { Model::load(directory.path()); });
      EXPECT_EQ(error.field(), tensor);
    }
}

TEST(NotANumber, OfAWordIsRefusedWhereTheWordIs) {
  const ModelDirectory directory;
  const std::string words = "roberta.embeddings.word_embeddings.weight";
  const std::size_t width = open_checkpoint(directory.path()).find(words)->shape.at(1);
  set_weights(directory, words, Float::quiet_NaN(), 2 * width);  // [CLS] and what is before it
  const Model model = Model::load(directory.path());
  const auto error = test::thrown<FormatError>([&] { model.embed({"사람", "이 다는"}); });
  EXPECT_EQ(error.field(), words);
}

TEST(NotANumber, TheLargestNumberIsOne) {
  const ModelDirectory directory;
  set_weights(directory, "roberta.encoder.layer.0.attention.self.key.weight", Float::max(), 1);
  EXPECT_NO_THROW(Model::load(directory.path()));
}

}  // namespace
}  // namespace klue
