#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/scratch_directory.hpp"

namespace klue {
namespace {

using test::safetensors_with;
using ::testing::HasSubstr;

TEST(OpenCheckpoint, FindsSafetensors) {
  const Checkpoint checkpoint = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11");
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_NE(checkpoint.find("roberta.pooler.dense.weight"), nullptr);
}

TEST(OpenCheckpoint, FindsShardedSafetensors) {
  const test::ScratchDirectory scratch;
  scratch.write("model-00001-of-00001.safetensors", safetensors_with("a"));
  scratch.write("model.safetensors.index.json",
                R"({"weight_map":{"a":"model-00001-of-00001.safetensors"}})");
  EXPECT_EQ(open_checkpoint(scratch.path()).format(), "safetensors in 1 file");
}

TEST(OpenCheckpoint, TakesAFileItself) {
  const test::ScratchDirectory scratch;
  EXPECT_NE(open_checkpoint(scratch.write("any.safetensors", safetensors_with("a"))).find("a"),
            nullptr);
  EXPECT_THROW(open_checkpoint(scratch.write("readme.txt", "")), UnsupportedError);
}

TEST(OpenCheckpoint, SaysWhatItLookedFor) {
  const test::ScratchDirectory scratch;
  scratch.write("config.json", "{}");
  try {
    open_checkpoint(scratch.path());
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(error.file(), scratch.path().string());
    EXPECT_THAT(error.expected(), HasSubstr("model.safetensors, "));
  }
}

TEST(OpenCheckpoint, NamesWeightsThatItDoesNotRead) {
  const test::ScratchDirectory scratch;
  scratch.write("tf_model.h5", "");
  try {
    open_checkpoint(scratch.path());
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.actual(), "tf_model.h5");
  }
}

TEST(OpenCheckpoint, SaysWhenThereIsNoSuchDirectory) {
  EXPECT_THROW(open_checkpoint("/nonexistent/model"), IoError);
}

}  // namespace
}  // namespace klue
