#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/shard_index.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/scratch_directory.hpp"

namespace klue {
using namespace detail;
namespace {

using test::safetensors_with;
using ::testing::HasSubstr;

constexpr std::string_view two_shards =
    R"({"metadata":{"total_size":8,"x":[1,{"y":null}]},"weight_map":{"a":"one","b":"two"}})";

void expect_index_refused(std::string_view text, const std::string& message) {
  try {
    parse_shard_index("index.json", text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(error.file(), "index.json");
  }
}

TEST(ShardIndex, MapsNamesToFiles) {
  EXPECT_EQ(parse_shard_index("index.json", two_shards), (ShardIndex{{"a", "one"}, {"b", "two"}}));
}

TEST(ShardIndex, RefusesWhatIsNoIndex) {
  expect_index_refused("", "empty");
  expect_index_refused("{", "no valid JSON");
  expect_index_refused("[]", "no JSON object");
  expect_index_refused("\"weight_map\"", "no JSON object");
  expect_index_refused("{}", "no weight_map");
  expect_index_refused(R"({"weight_map":[]})", "an array");
  expect_index_refused(R"({"weight_map":"a"})", "no object");
  expect_index_refused(R"({"weight_map":null})", "names to strings");
  expect_index_refused(R"({"weight_map":{"a":1}})", "names to strings");
  expect_index_refused(R"({"weight_map":{"a":["b"]}})", "names to strings");
  expect_index_refused(R"({"weight_map":{"a":{"b":"c"}}})", "must be a string");
  expect_index_refused(R"({"weight_map":{"a":"x","a":"y"}})", "duplicate tensor name");
  expect_index_refused(R"({"weight_map":{},"weight_map":{}})", "duplicate weight_map");
  expect_index_refused("{\"a\":" + std::string(1'000'000, '['), "too deep");
  expect_index_refused("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
}

TEST(ShardIndex, StaysInItsDirectory) {
  for (const char* name : {"../secret", "/etc/passwd", "a/b", "..", ".", "", "a\\\\b", "a\\u0000b"})
    expect_index_refused(R"({"weight_map":{"a":")" + std::string(name) + "\"}}",
                         "no plain file name");
}

TEST(ShardIndex, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(two_shards, [](const std::vector<std::byte>& bytes) {
    parse_shard_index("f", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

TEST(ShardIndex, SurvivesByteFlips) {
  test::expect_byte_flips_survived(two_shards, 100'000, [](const std::vector<std::byte>& bytes) {
    parse_shard_index("f", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

TEST(ShardedSafetensors, JoinsTheShards) {
  const test::ScratchDirectory scratch;
  scratch.write("one", safetensors_with("a"));
  scratch.write("two", safetensors_with("b"));
  const Checkpoint checkpoint =
      read_sharded_safetensors(scratch.write("model.safetensors.index.json", two_shards));
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_EQ(checkpoint.find("b")->bytes[3], std::byte{3});
  EXPECT_EQ(checkpoint.format(), "safetensors in 2 files");
}

TEST(ShardedSafetensors, LetsTheIndexDecideWhereATensorIsTwice) {
  const test::ScratchDirectory scratch;
  scratch.write("one", safetensors_with("a"));
  scratch.write("two", test::safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                         R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                         2));
  const Checkpoint checkpoint = read_sharded_safetensors(scratch.write("i.json", two_shards));
  EXPECT_EQ(checkpoint.find("a")->shape, std::vector<std::size_t>{4});
}

TEST(ShardedSafetensors, RefusesATensorThatIsTwiceAndUnlisted) {
  const test::ScratchDirectory scratch;
  const std::string both =
      test::safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                        R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                        R"("c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                        3);
  scratch.write("one", both);
  scratch.write("two", both);
  EXPECT_THROW(read_sharded_safetensors(scratch.write("i.json", two_shards)), FormatError);
}

TEST(ShardedSafetensors, NamesAMissingShard) {
  const test::ScratchDirectory scratch;
  scratch.write("one", safetensors_with("a"));
  try {
    read_sharded_safetensors(scratch.write("i.json", two_shards));
    FAIL();
  } catch (const IoError& error) {
    EXPECT_THAT(error.file(), HasSubstr("/two"));
  }
}

TEST(ShardedSafetensors, NamesATensorThatIsNotInItsShard) {
  const test::ScratchDirectory scratch;
  scratch.write("one", safetensors_with("a"));
  scratch.write("two", safetensors_with("c"));
  try {
    read_sharded_safetensors(scratch.write("i.json", two_shards));
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_EQ(error.field(), "b");
    EXPECT_THAT(error.file(), HasSubstr("/two"));
  }
}

}  // namespace
}  // namespace klue
