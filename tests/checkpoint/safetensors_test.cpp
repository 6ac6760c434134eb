#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/safetensors.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/scratch_directory.hpp"

namespace klue {
using namespace detail;
namespace {

using test::safetensors;
using test::with_length;
using ::testing::HasSubstr;

/// What a reader of the model would do with every tensor.
std::size_t touch(const Checkpoint::Tensors& tensors) {
  std::size_t sum = 0;
  for (const auto& [name, view] : tensors)
    for (const std::byte byte : view.bytes)
      sum += static_cast<std::size_t>(byte);
  return sum;
}

class Safetensors : public ::testing::Test {
 protected:
  Checkpoint read(std::string_view content) const {
    return read_safetensors(scratch_.write("model.safetensors", content));
  }

  /// Expects an error of this type whose message has this part, and gives it back.
  template <class Expected = FormatError>
  void expect_refused(std::string_view content, const std::string& message) const {
    try {
      read(content);
      ADD_FAILURE() << "accepted; expected an error that says: " << message;
    } catch (const Expected& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.file(), HasSubstr("model.safetensors"));
    }
  }

 private:
  test::ScratchDirectory scratch_;
};

TEST_F(Safetensors, ReadsTensorsByName) {
  const Checkpoint checkpoint =
      read(safetensors(R"({"b":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]},)"
                       R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  )",
                       16));
  ASSERT_EQ(checkpoint.tensors().size(), 2u);
  const TensorView* a = checkpoint.find("a");
  const TensorView* b = checkpoint.find("b");
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(a->dtype, DType::f32);
  EXPECT_EQ(b->dtype, DType::f16);
  EXPECT_EQ(b->shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(b->element_count(), 6u);
  EXPECT_EQ(b->bytes.front(), std::byte{4});
  EXPECT_EQ(checkpoint.find("c"), nullptr);
}

TEST_F(Safetensors, KeepsTheDataAliveInCopies) {
  Checkpoint copy;
  {
    const Checkpoint original =
        read(safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4));
    copy = original;
  }
  EXPECT_EQ(touch(copy.tensors()), 0u + 1 + 2 + 3);
}

TEST_F(Safetensors, ReadsLegalOddities) {
  // A scalar, an empty tensor, metadata, an odd header length, names with escapes, unknown fields.
  const Checkpoint checkpoint = read(safetensors(
      R"({"__metadata__":{"format":"pt","x":""},)"
      R"("empty":{"dtype":"I64","shape":[3,0],"data_offsets":[0,0]},)"
      R"("scalar":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},)"
      R"("\u0000\uac00":{"note":{"x":[1,{"y":null}]},"dtype":"BOOL","shape":[1],"data_offsets":[2,3],"z":[]}} )",
      3));
  EXPECT_EQ(checkpoint.tensors().size(), 3u);
  EXPECT_EQ(checkpoint.find("empty")->element_count(), 0u);
  EXPECT_EQ(checkpoint.find("scalar")->element_count(), 1u);
  EXPECT_NE(checkpoint.find(std::string_view("\0가", 4)), nullptr);
}

TEST_F(Safetensors, ReadsAFileWithoutTensors) {
  EXPECT_TRUE(read(safetensors("{}")).tensors().empty());
}

TEST_F(Safetensors, ReadsEveryElementType) {
  for (const auto& [name, size] : std::vector<std::pair<std::string, int>>{{"F64", 8},
                                                                           {"F32", 4},
                                                                           {"F16", 2},
                                                                           {"BF16", 2},
                                                                           {"I64", 8},
                                                                           {"I32", 4},
                                                                           {"I16", 2},
                                                                           {"I8", 1},
                                                                           {"U64", 8},
                                                                           {"U32", 4},
                                                                           {"U16", 2},
                                                                           {"U8", 1},
                                                                           {"BOOL", 1}}) {
    const Checkpoint checkpoint =
        read(safetensors(R"({"a":{"dtype":")" + name + R"(","shape":[2],"data_offsets":[0,)" +
                             std::to_string(2 * size) + "]}}",
                         static_cast<std::size_t>(2 * size)));
    EXPECT_EQ(dtype_name(checkpoint.find("a")->dtype), name);
    EXPECT_EQ(checkpoint.find("a")->element_count(), 2u);
  }
}

TEST_F(Safetensors, RefusesWhatIsNoSafetensorsFile) {
  expect_refused("", "empty");
  expect_refused("1234567", "too short");
  expect_refused(with_length(0, ""), "does not start with '{'");
  expect_refused(with_length(0, "{}"), "does not start with '{'");
  expect_refused(with_length(2, " {"), "does not start with '{'");
  expect_refused(with_length(std::numeric_limits<std::uint64_t>::max(), "{}"),
                 "found 18446744073709551615");
  expect_refused(with_length(3, "{}"), "longer than the file");
  expect_refused(std::string("PK\3\4") + std::string(100, ' '), "longer than the file");
}

TEST_F(Safetensors, RefusesAHeaderOverTheLimitOfTheFormat) {
  // A sparse file: the header's claim is true, but the format allows no such header.
  test::ScratchDirectory scratch;
  const auto file = scratch.write("model.safetensors", with_length(100'000'001, "{"));
  std::filesystem::resize_file(file, 100'000'009);
  try {
    read_safetensors(file);
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.expected(), HasSubstr("at most 100000000 bytes"));
  }
}

TEST_F(Safetensors, NamesStandInsForWhatTheyAre) {
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 442000000\n",
                 "Git LFS pointer");
  expect_refused("<!DOCTYPE html><html>", "web page");
}

TEST_F(Safetensors, SaysWhenThereIsNoFile) {
  EXPECT_THROW(read_safetensors("/nonexistent/model.safetensors"), IoError);
  EXPECT_THROW(read_safetensors("/"), IoError);
}

TEST_F(Safetensors, RefusesBrokenJson) {
  expect_refused(safetensors("{"), "no valid JSON");
  expect_refused(safetensors("{} {}"), "no valid JSON");
  expect_refused(safetensors(R"({"a":1)"), "expected one tensor's object");
  expect_refused(safetensors("{\"\xff\":{}}"), "no valid JSON");
  expect_refused(safetensors(R"({"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}})", 4),
                 "no valid JSON");
}

TEST_F(Safetensors, RefusesDeepNesting) {
  const std::string deep(1'000'000, '[');
  expect_refused(safetensors("{\"a\":" + deep), "an array");
  expect_refused(safetensors("{\"a\":{\"note\":" + deep), "nests too deep");
  std::string objects = R"({"a":{"note":)";
  for (int i = 0; i < 100'000; ++i)
    objects += R"({"a":)";
  expect_refused(safetensors(objects), "nests too deep");
  expect_refused(safetensors(R"({"a":{"dtype":"F32","shape":[)" + deep), "whole numbers");
}

TEST_F(Safetensors, RefusesDuplicates) {
  const std::string a = R"("a":{"dtype":"U8","shape":[],"data_offsets":[0,1]})";
  expect_refused(safetensors("{" + a + "," + a + "}", 1), "duplicate tensor name");
  expect_refused(safetensors(R"({"__metadata__":{},"__metadata__":{}})"), "duplicate");
  expect_refused(safetensors(R"({"__metadata__":{"a":"","a":""}})"), "duplicate key");
  expect_refused(safetensors(R"({"a":{"dtype":"U8","dtype":"U8"}})", 1), "duplicate key");
  expect_refused(safetensors(R"({"a":{"shape":[],"shape":[]}})", 1), "duplicate key");
  expect_refused(safetensors(R"({"a":{"data_offsets":[0,1],"data_offsets":[0,1]}})", 1),
                 "duplicate key");
}

TEST_F(Safetensors, RefusesWrongTypesInTheHeader) {
  const auto tensor = [](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return safetensors(R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape +
                           R"(,"data_offsets":)" + offsets + "}}",
                       4);
  };
  EXPECT_EQ(read(tensor("\"F32\"", "[1]", "[0,4]")).tensors().size(), 1u);
  for (const char* value : {"null", "true", "1", "-1", "1.5", "{}", "[]"})
    expect_refused(tensor(value, "[1]", "[0,4]"), "the name of an element type");
  for (const char* value : {"null", "true", "1", "\"1\"", "{}", "[-1]", "[1.0]", "[1e0]", "[null]",
                            "[\"1\"]", "[[1]]", "[{}]", "[18446744073709551616]"})
    expect_refused(tensor("\"F32\"", value, "[0,4]"), "whole numbers");
  for (const char* value : {"null", "4", "[-1,4]", "[0,4.0]", "[0,\"4\"]", "[0,[4]]", "{}"})
    expect_refused(tensor("\"F32\"", "[1]", value), "two whole numbers");
  for (const char* value : {"[]", "[0]", "[0,4,4]"})
    expect_refused(tensor("\"F32\"", "[1]", value), "must be two numbers");
  for (const char* value : {"null", "true", "1", "-1", "1.5", "\"a\"", "[]"})
    expect_refused(safetensors("{\"a\":" + std::string(value) + "}"), "one tensor's object");
  for (const char* value : {"null", "{\"a\":1}", "{\"a\":{}}", "[]", "\"a\""})
    expect_refused(safetensors("{\"__metadata__\":" + std::string(value) + "}"), "wrong value");
}

TEST_F(Safetensors, RefusesIncompleteTensors) {
  expect_refused(safetensors(R"({"a":{"shape":[],"data_offsets":[0,1]}})", 1), "no dtype");
  expect_refused(safetensors(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), "no shape");
  expect_refused(safetensors(R"({"a":{"dtype":"U8","shape":[]}})", 1), "must be two numbers");
}

TEST_F(Safetensors, NamesElementTypesItDoesNotRead) {
  expect_refused<UnsupportedError>(
      safetensors(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1), "F8_E4M3");
  expect_refused<UnsupportedError>(
      safetensors(R"({"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})", 4), "f32");
}

TEST_F(Safetensors, RefusesOffsetsThatContradictTheFile) {
  const auto two = [](const std::string& first, const std::string& second, std::size_t size) {
    return safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
                           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}",
                       size);
  };
  EXPECT_EQ(read(two("[2,4]", "[0,2]", 4)).tensors().size(), 2u);
  expect_refused(two("[2,0]", "[2,4]", 4), "reversed");
  expect_refused(two("[0,2]", "[1,3]", 3), "overlaps");
  expect_refused(two("[0,2]", "[0,2]", 2), "overlaps");
  expect_refused(two("[0,2]", "[3,5]", 5), "gap");
  expect_refused(two("[1,3]", "[3,5]", 5), "gap");
  expect_refused(two("[0,2]", "[2,4]", 3), "past the end");
  expect_refused(two("[0,2]", "[18446744073709551615,1]", 3), "reversed");
  expect_refused(two("[0,2]", "[18446744073709551613,18446744073709551615]", 3), "past the end");
  expect_refused(two("[0,2]", "[2,4]", 5), "left over");
  expect_refused(safetensors("{}", 1), "left over");
}

TEST_F(Safetensors, RefusesShapesThatContradictTheOffsets) {
  const auto tensor = [](const std::string& shape, std::size_t size) {
    return safetensors(R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,)" +
                           std::to_string(size) + "]}}",
                       size);
  };
  expect_refused(tensor("[2]", 4), "contradict");
  expect_refused(tensor("[1]", 8), "expected 4 bytes for [1] F32, found 8");
  expect_refused(tensor("[0]", 4), "contradict");
  expect_refused(tensor("[]", 0), "contradict");
  // Products that wrap: to 0, to the right size, through the element size, and beside an empty one.
  expect_refused(tensor("[4294967296,4294967296]", 0), "too large");
  expect_refused(tensor("[9223372036854775809,2]", 8), "too large");
  expect_refused(tensor("[4611686018427387905]", 4), "too large");
  expect_refused(tensor("[0,4294967296,4294967296]", 0), "too large");
  std::string ranks = "1";
  for (int i = 0; i < 64; ++i)
    ranks += ",1";
  expect_refused(tensor("[" + ranks + "]", 4), "too many dimensions");
}

constexpr std::string_view small_header =
    R"({"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("empty":{"dtype":"F16","shape":[0],"data_offsets":[24,24]},)"
    R"("b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}})";

TEST_F(Safetensors, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(safetensors(small_header, 26),
                                        [](const auto& bytes) { parse_safetensors("f", bytes); });
}

TEST_F(Safetensors, SurvivesByteFlips) {
  test::expect_byte_flips_survived(safetensors(small_header, 26), 100'000,
                                   [](const auto& bytes) { touch(parse_safetensors("f", bytes)); });
}

TEST(SafetensorsFixture, ReadsAWholeModel) {
  const Checkpoint checkpoint = read_safetensors(KLUE_FIXTURE_DIR "/tiny-11/model.safetensors");
  EXPECT_EQ(checkpoint.tensors().size(), 46u);
  const TensorView* words = checkpoint.find("roberta.embeddings.word_embeddings.weight");
  ASSERT_NE(words, nullptr);
  EXPECT_EQ(words->shape, (std::vector<std::size_t>{1200, 32}));
}

TEST(SafetensorsFixture, ReadsLowerPrecisionsNearTheOriginal) {
  const Checkpoint f32 = read_safetensors(KLUE_FIXTURE_DIR "/tiny-11/model.safetensors");
  for (const auto& [folder, step] :
       {std::pair{"/tiny-11-f16", 0x1p-11f}, {"/tiny-11-bf16", 0x1p-8f}}) {
    const Checkpoint rounded =
        read_safetensors(std::string(KLUE_FIXTURE_DIR) + folder + "/model.safetensors");
    ASSERT_EQ(rounded.tensors().size(), f32.tensors().size());
    for (const auto& [name, view] : f32.tensors()) {
      std::vector<float> expected(view.element_count()), actual(expected.size());
      view.read(0, expected);
      rounded.find(name)->read(0, actual);
      for (std::size_t i = 0; i < actual.size(); ++i)
        ASSERT_NEAR(actual[i], expected[i], std::abs(expected[i]) * step + 0x1p-24f) << name;
    }
  }
}

}  // namespace
}  // namespace klue
