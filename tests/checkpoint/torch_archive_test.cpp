#include <cstring>
#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/readers.hpp>
#include <klue/checkpoint/detail/torch_archive.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/pickle_writer.hpp"
#include "checkpoint/scratch_directory.hpp"
#include "checkpoint/zip_writer.hpp"

namespace klue {
using namespace detail;
namespace {

using namespace std::string_literals;
using test::little_endian;
using test::ordered_dict;
using test::pickled_number;
using test::pickled_numbers;
using test::pickled_storage;
using test::pickled_tensor;
using test::pickled_text;
using test::protocol_2;
using test::rebuild;
using test::zip;
using ::testing::HasSubstr;

const std::string data_directory = KLUE_TEST_SOURCE_DIR "/checkpoint/data/";

/// A state dict of one entry.
std::string state_dict(const std::string& value) {
  return protocol_2 + ordered_dict + pickled_text("w") + value + "s.";
}

/// An archive with this pickle and one storage of 6 floats: 0, 1, 2, …
std::string archive(const std::string& pickle, std::size_t floats = 6) {
  std::vector<float> values(floats);
  std::iota(values.begin(), values.end(), 0.f);
  const auto bytes = std::as_bytes(std::span(values));
  return zip({{"archive/data.pkl", pickle},
              {"archive/data/0", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}});
}

// --------------------------------------------------------------------------------------- helpers

Checkpoint::Tensors parse(const std::vector<std::byte>& bytes) {
  return parse_torch_archive("model.bin", bytes, {});
}

template <class Expected = FormatError>
void expect_refused(const std::string& content, const std::string& message) {
  try {
    parse(test::to_bytes(content));
    ADD_FAILURE() << "accepted; expected an error that says: " << message;
  } catch (const Expected& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(error.file(), "model.bin");
  }
}

std::vector<float> values(const TensorView& view) {
  std::vector<float> result(view.element_count());
  view.read(0, result);
  return result;
}

/// What a reader of the model would do with every tensor.
void touch(const Checkpoint::Tensors& tensors) {
  for (const auto& [name, view] : tensors) {
    ASSERT_LT(view.element_count(), 1u << 22);
    try {
      values(view);
    } catch (const UnsupportedError&) {  // integers
    }
  }
}

std::vector<float> sequence(float begin, float step, std::size_t count) {
  std::vector<float> result(count);
  for (std::size_t i = 0; i < count; ++i)
    result[i] = begin + step * static_cast<float>(i);
  return result;
}

// ------------------------------------------------------------------ files of the real torch.save

class TorchSample : public ::testing::TestWithParam<const char*> {
 protected:
  const Checkpoint checkpoint = read_torch_archive(data_directory + GetParam());
  const TensorView& view(std::string_view name) const { return *checkpoint.find(name); }
};

TEST_P(TorchSample, HasAllTensors) {
  EXPECT_EQ(checkpoint.tensors().size(), 15u);
  EXPECT_EQ(checkpoint.format(), "PyTorch archive");
}

TEST_P(TorchSample, ReadsDenseTensorsInPlace) {
  for (const char* name : {"dense", "tied", "parameter", "bfloat16", "double"}) {
    EXPECT_EQ(values(view(name)), sequence(0, 1, 24)) << name;
    EXPECT_TRUE(view(name).strides.empty()) << name;
    EXPECT_EQ(view(name).bytes.size(), 24 * dtype_size(view(name).dtype)) << name;
  }
  EXPECT_EQ(view("dense").shape, (std::vector<std::size_t>{4, 6}));
  EXPECT_EQ(view("dense").bytes.data(), view("tied").bytes.data());
  EXPECT_EQ(view("bfloat16").dtype, DType::bf16);
  EXPECT_EQ(view("double").dtype, DType::f64);
}

TEST_P(TorchSample, ReadsWindowsOnSharedStorage) {
  EXPECT_EQ(values(view("sliced")), (std::vector<float>{8, 9, 10, 14, 15, 16}));
  EXPECT_EQ(values(view("every_other")), sequence(1, 2, 12));
  EXPECT_EQ(values(view("scalar")), std::vector<float>{7});
  EXPECT_EQ(values(view("repeated")), (std::vector<float>{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(view("repeated").bytes.size(), 4 * sizeof(float));
  EXPECT_EQ(view("empty").shape, (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(view("empty").element_count(), 0u);
}

TEST_P(TorchSample, ReadsTransposedTensors) {
  for (const char* name : {"transposed", "half_transposed"}) {
    const std::vector<float> read = values(view(name));
    ASSERT_EQ(view(name).shape, (std::vector<std::size_t>{6, 4}));
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        EXPECT_EQ(read[4 * i + j], static_cast<float>(6 * j + i)) << name;
  }
  const std::vector<float> permuted = values(view("permuted"));
  ASSERT_EQ(view("permuted").shape, (std::vector<std::size_t>{4, 2, 3}));
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_EQ(permuted[6 * i + 3 * j + k], static_cast<float>(12 * j + 4 * k + i));
}

TEST_P(TorchSample, KnowsIntegersForWhatTheyAre) {
  EXPECT_EQ(view("position_ids").dtype, DType::i64);
  EXPECT_EQ(view("position_ids").shape, (std::vector<std::size_t>{1, 24}));
  EXPECT_EQ(view("flags").dtype, DType::boolean);
}

INSTANTIATE_TEST_SUITE_P(, TorchSample, ::testing::Values("torch_zip.bin", "torch_legacy.bin"),
                         [](const auto& name) { return name.index == 0 ? "Zip" : "Legacy"; });

TEST(TorchArchive, NeverRunsWhatItRefuses) {
  std::filesystem::remove("/tmp/klue-pickle-was-run");
  expect_refused<UnsupportedError>(test::read_bytes(data_directory + "torch_exploit.bin"),
                                   "posix.system");
  EXPECT_FALSE(std::filesystem::exists("/tmp/klue-pickle-was-run"));
}

TEST(TorchArchive, SaysWhereTheWeightsOfATrainingFrameworkAre) {
  expect_refused<UnsupportedError>(test::read_bytes(data_directory + "torch_nested.bin"),
                                   "save the state_dict() alone");
}

TEST(TorchArchive, NamesTheClassOfAWholeModule) {
  expect_refused<UnsupportedError>(test::read_bytes(data_directory + "torch_module.bin"),
                                   "torch.nn.modules.linear.Linear");
}

// --------------------------------------------------------------------- functions are never called

TEST(TorchArchive, RefusesEveryOtherFunctionByName) {
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"posix", "system"},
                                                        {"builtins", "eval"},
                                                        {"builtins", "getattr"},
                                                        {"__builtin__", "exec"},
                                                        {"subprocess", "Popen"},
                                                        {"torch", "load"},
                                                        {"torch._utils", "_rebuild_qtensor"},
                                                        {"torch", "QInt8Storage"},
                                                        {"torch", "FloatStorage.__class__"},
                                                        {"collections", "defaultdict"},
                                                        {"collections.OrderedDict", ""},
                                                        {"", ""}}) {
    const std::string dotted = module + "." + name;
    const std::string call = "(" + pickled_text("echo") + "tR";
    expect_refused<UnsupportedError>(archive(state_dict("c" + module + "\n" + name + "\n" + call)),
                                     dotted);
    expect_refused<UnsupportedError>(
        archive(state_dict(pickled_text(module) + pickled_text(name) + "\x93" + call)), dotted);
    expect_refused<UnsupportedError>(
        archive(state_dict("(" + pickled_text("echo") + "i" + module + "\n" + name + "\n")),
        dotted);
  }
}

TEST(TorchArchive, CallsNothingThatIsKnownInAnotherWay) {
  expect_refused(archive(state_dict("ctorch\nFloatStorage\n)R")), "storage of its own");
  expect_refused(archive(state_dict("ctorch._utils\n_rebuild_tensor_v2\n)R")), "too little");
  expect_refused(archive(state_dict("ctorch._utils\n_rebuild_parameter\n)R")), "from nothing");
  expect_refused(archive(state_dict("ctorch._utils\n_rebuild_parameter\n(NtR")), "wrong kind");
  expect_refused(archive(state_dict("N)R")), "wrong kind");
  expect_refused(archive(state_dict("ccollections\nOrderedDict\nNR")), "wrong kind");
  expect_refused(archive(state_dict("ccollections\nOrderedDict\n(NtR")), "wrong kind");
  expect_refused(archive(state_dict("ccollections\nOrderedDict\n(]NatR")), "wrong kind");
  expect_refused(archive(state_dict("ccollections\nOrderedDict\n(])atR")), "no pair");
  // NEWOBJ and the other ways to make objects
  expect_refused<UnsupportedError>(archive(state_dict("ccollections\nOrderedDict\n)\x81")),
                                   "opcode 129");
  expect_refused<UnsupportedError>(archive(state_dict("(N" + pickled_text("x") + "o")),
                                   "opcode 111");
  expect_refused<UnsupportedError>(archive(state_dict("\x82\x01")), "opcode 130");  // EXT1
}

TEST(TorchArchive, ReadsTheDictionariesOfPython2) {
  const std::string pair =
      "](" + pickled_text("w") + pickled_tensor(pickled_storage(6), 0, {6}, {1}) + "e";
  const std::string pickle = protocol_2 + "ccollections\nOrderedDict\n(](" + pair + "etR.";
  const std::vector<std::byte> bytes = test::to_bytes(archive(pickle));
  EXPECT_EQ(values(parse(bytes).at("w")), sequence(0, 1, 6));
}

TEST(TorchArchive, ReadsNewerProtocols) {
  const std::string pickle = "\x80\4\x95"s + std::string(8, '\0') + "}\x94" + "\x8c\1w" +
                             pickled_tensor(pickled_storage(6), 0, {6}, {1}) + "s.";
  const std::vector<std::byte> bytes = test::to_bytes(archive(pickle));
  EXPECT_EQ(values(parse(bytes).at("w")), sequence(0, 1, 6));
}

// -------------------------------------------------------------------------------- broken pickles

TEST(TorchArchive, RefusesBrokenPickles) {
  expect_refused(archive(""), "cut short");
  expect_refused(archive("\x80"), "cut short");
  expect_refused<UnsupportedError>(archive("\x80\7."), "newer protocol");
  expect_refused(archive("."), "not there");  // stack underflow
  expect_refused(archive("0."), "not there");
  expect_refused(archive("2."), "not there");
  expect_refused(archive("\x85."), "not there");
  expect_refused(archive("(\x85."), "not there");  // a mark is no object
  expect_refused(archive("N(\x86."), "not there");
  expect_refused(archive("(."), "not there");
  expect_refused(archive("N\x87."), "not there");
  expect_refused(archive("a."), "not there");
  expect_refused(archive("Na."), "no list");
  expect_refused(archive("NNa."), "no list");
  expect_refused(archive("}Na."), "no list");
  expect_refused(archive("}Ns."), "no list or dictionary");
  expect_refused(archive("]NNs."), "no list or dictionary");
  expect_refused(archive("}(Nu."), "key without a value");
  expect_refused(archive("t."), "never opened");
  expect_refused(archive("u."), "never opened");
  expect_refused(archive("e."), "never opened");
  expect_refused(archive("1."), "never opened");
  expect_refused(archive("(u."), "no list or dictionary");
  expect_refused(archive("R."), "not there");
  expect_refused(archive("NR."), "not there");
  expect_refused(archive("b."), "not there");
  expect_refused(archive("NNb."), "sets the state");
  expect_refused(archive("Q."), "not there");
  expect_refused(archive("NQ."), "wrong kind");
  expect_refused(archive("q\1."), "not there");
  expect_refused(archive("h\1."), "never remembered");  // memo underflow
  expect_refused(archive("j\xff\xff\xff\xff."), "never remembered");
  expect_refused(archive("NN."), "leaves objects behind");
  expect_refused(archive("ctorch"), "unterminated string");
  expect_refused(archive("ctorch\nFloatStorage"), "unterminated string");
  expect_refused(archive("X\xff\xff\xff\xff"), "cut short");
  expect_refused(archive("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "cut short");
  expect_refused(archive("N."), "no dictionary of weights");
  expect_refused<UnsupportedError>(archive("\xff."), "opcode 255");
}

TEST(TorchArchive, TakesNoMoreMemoryThanAPickleIsWorth) {
  // Each of these bytes would become an object of 16 to 64 bytes.
  for (const char* opcode : {"N", "(", ")", "]", "}", "2"}) {
    std::string pickle = "N";
    for (int i = 0; i < 4'000'000; ++i)
      pickle += opcode;
    expect_refused(archive(pickle + "."), "too large for what it holds");
  }
}

TEST(TorchArchive, SurvivesObjectsThatHoldThemselves) {
  const std::string pickle = protocol_2 + "}q\1" + pickled_text("self") + "h\1s" +
                             pickled_text("list") + "]q\2h\2as" + pickled_text("w") +
                             pickled_tensor(pickled_storage(6), 0, {6}, {1}) + "s.";
  EXPECT_EQ(parse(test::to_bytes(archive(pickle))).size(), 1u);
}

// ------------------------------------------------------------------- tensors against their storage

TEST(TorchArchive, RefusesTensorsOutsideTheirStorage) {
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const auto refuse = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides, const std::string& message) {
    expect_refused(archive(state_dict(pickled_tensor(pickled_storage(6), offset, shape, strides))),
                   message);
  };
  refuse(0, {7}, {1}, "past the end");
  refuse(1, {6}, {1}, "past the end");
  refuse(7, {0}, {1}, "past the end");
  refuse(0, {2, 3}, {4, 1}, "past the end");
  refuse(0, {2}, {huge}, "past the end");
  refuse(1, {2}, {huge}, "past the end");
  refuse(huge, {1}, {1}, "past the end");
  refuse(0, {2, 2, 2}, {huge / 2, huge / 2, huge / 2}, "past the end");
  refuse(-1, {1}, {1}, "negative or too large offset");
  refuse(0, {2}, {-1}, "negative stride");
  refuse(0, {-2}, {1}, "negative extent");
  refuse(0, {2, 3}, {1}, "differ in length");
  refuse(0, {huge, huge}, {0, 0}, "too large");
  refuse(0, {huge, 2, 0}, {1, 1, 1}, "too large");
  refuse(0, {1 << 30}, {0}, "too large for the file");
  expect_refused(
      archive(state_dict(pickled_tensor(pickled_storage(6), 0, std::vector<std::int64_t>(65, 1),
                                        std::vector<std::int64_t>(65, 1)))),
      "too many dimensions");
}

TEST(TorchArchive, RefusesStoragesThatContradictTheArchive) {
  expect_refused(archive(state_dict(pickled_tensor(pickled_storage(5), 0, {5}, {1}))),
                 "another size");
  expect_refused(archive(state_dict(pickled_tensor(pickled_storage(7), 0, {5}, {1}))),
                 "another size");
  expect_refused(archive(state_dict(pickled_tensor(pickled_storage(-1), 0, {5}, {1}))),
                 "another size");
  expect_refused(archive(state_dict(pickled_tensor(
                     pickled_storage(std::numeric_limits<std::int64_t>::max()), 0, {5}, {1}))),
                 "another size");
  expect_refused(
      archive(state_dict(pickled_tensor(pickled_storage(6, "HalfStorage"), 0, {5}, {1}))),
      "another size");
  expect_refused(zip({{"a/data.pkl", state_dict(pickled_tensor(pickled_storage(6), 0, {6}, {1}))}}),
                 "a/data/0: the archive lacks this entry");
}

TEST(TorchArchive, RefusesOddDescriptionsOfStorages) {
  const auto refuse = [](const std::string& id, const std::string& message) {
    expect_refused(archive(state_dict(pickled_tensor(id + "Q", 0, {6}, {1}))), message);
  };
  const std::string type = "ctorch\nFloatStorage\n";
  refuse("(" + pickled_text("storage") + "t", "unknown way");
  refuse("(" + pickled_text("storage") + type + "Nt", "unknown way");
  refuse("(" + pickled_text("storage") + pickled_text("x") + pickled_text("0") +
             pickled_text("cpu") + "K\6t",
         "wrong kind");
  refuse("(" + pickled_text("storage") + "ccollections\nOrderedDict\n" + pickled_text("0") +
             pickled_text("cpu") + "K\6t",
         "without its type");
  refuse("(" + pickled_text("storage") + type + "K\0"s + pickled_text("cpu") + "K\6t",
         "wrong kind");
  refuse("(" + pickled_text("storage") + type + pickled_text("0") + pickled_text("cpu") + "Nt",
         "wrong kind");
  refuse("(" + pickled_text("storage") + type + pickled_text("0") + pickled_text("cpu") + "K\6Kt",
         "");
  expect_refused<UnsupportedError>(
      archive(state_dict("(" + pickled_text("module") + type + pickled_text("0") +
                         pickled_text("cpu") + "K\6tQ")),
      "state_dict()");
}

TEST(TorchArchive, RefusesDuplicateTensors) {
  const std::string one = pickled_text("w") + pickled_tensor(pickled_storage(6), 0, {6}, {1});
  expect_refused(archive(protocol_2 + "}(" + one + one + "u."), "duplicate tensor name");
}

// -------------------------------------------------------------------------------- the container

TEST(TorchArchive, RefusesOtherFiles) {
  expect_refused("", "empty");
  expect_refused("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
  expect_refused("\x80\2}.", "neither a ZIP archive");
  expect_refused(zip({{"a", "x"}}), "no data.pkl");
  expect_refused(zip({{"data.pkl", "x"}}), "no data.pkl");
  expect_refused(zip({{"a/b/data.pkl", "x"}}), "no data.pkl");
  expect_refused(zip({{"a/data.pkl", "x"}, {"b/data.pkl", "x"}}), "two pickles");
  expect_refused<UnsupportedError>(zip({{"a/data.pkl", "x"}, {"a/byteorder", "big"}}),
                                   "big-endian");
}

TEST(TorchArchive, ChecksTheDataIfAsked) {
  std::string content = archive(state_dict(pickled_tensor(pickled_storage(6), 0, {6}, {1})));
  const std::size_t at = content.find("archive/data/0") + 14;
  content[at] = 1;
  expect_refused(content, "checksum is wrong");
  const std::vector<std::byte> bytes = test::to_bytes(content);
  EXPECT_EQ(parse_torch_archive("f", bytes, {.verify_checksums = false}).size(), 1u);
}

const std::string legacy_start =
    "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3."s;
const std::string little = "\x80\2}" + pickled_text("little_endian") + "\x88s.";

std::string legacy(const std::string& storages) {
  return legacy_start + little + state_dict(pickled_tensor(pickled_storage(1), 0, {1}, {1})) +
         "\x80\2](" + storages;
}

TEST(TorchArchive, RefusesBrokenLegacyFiles) {
  const std::string float_1 = little_endian(std::int64_t{1}) + little_endian(1.f);
  EXPECT_EQ(parse(test::to_bytes(legacy(pickled_text("0") + "e." + float_1))).size(), 1u);
  expect_refused(legacy("e."), "storage is missing");
  expect_refused(legacy(pickled_text("1") + "e." + float_1), "does not describe");
  expect_refused(legacy(pickled_text("0") + pickled_text("0") + "e." + float_1 + float_1), "twice");
  expect_refused(legacy("Ne." + float_1), "wrong kind");
  expect_refused(legacy(pickled_text("0") + "e."), "cut short");
  expect_refused(legacy(pickled_text("0") + "e." + little_endian(std::int64_t{2}) + "1234"),
                 "cut short");
  expect_refused(legacy(pickled_text("0") + "e." + little_endian(std::int64_t{-1})), "too large");
  expect_refused(legacy(pickled_text("0") + "e." + little_endian(std::int64_t{0})), "another size");
  expect_refused(legacy_start, "cut short");
  expect_refused<UnsupportedError>(
      legacy_start + "\x80\2}" + pickled_text("little_endian") + "\x89s.", "big-endian");
  std::string newer = legacy_start;
  newer[18] = '\xea';
  expect_refused<UnsupportedError>(newer + little, "unknown version");
}

class TorchMutation : public ::testing::TestWithParam<const char*> {};

TEST_P(TorchMutation, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(test::read_bytes(data_directory + GetParam()), parse);
}

TEST_P(TorchMutation, SurvivesByteFlips) {
  test::expect_byte_flips_survived(test::read_bytes(data_directory + GetParam()), 100'000,
                                   [](const auto& bytes) { touch(parse(bytes)); });
}

TEST_P(TorchMutation, SurvivesByteFlipsBehindTheChecksums) {
  // So that the pickle's flips are not all caught by its own checksum.
  const std::string pickle = state_dict(pickled_tensor(pickled_storage(6), 0, {2, 3}, {3, 1}));
  test::expect_byte_flips_survived(pickle, 100'000, [](const auto& bytes) {
    const std::string flipped(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::vector<std::byte> whole = test::to_bytes(archive(flipped));
    touch(parse(whole));
  });
}

INSTANTIATE_TEST_SUITE_P(, TorchMutation, ::testing::Values("torch_zip.bin", "torch_legacy.bin"),
                         [](const auto& name) { return name.index == 0 ? "Zip" : "Legacy"; });

// ------------------------------------------------------------------------------------ whole models

TEST(TorchFixture, IsTheSameModelAsItsSafetensors) {
  const Checkpoint expected = open_checkpoint(KLUE_FIXTURE_DIR "/tiny-11-position-ids");
  for (const char* name : {"tiny-11-bin", "tiny-11-legacy-bin", "tiny-11-bin-shards"}) {
    const Checkpoint actual = open_checkpoint(std::string(KLUE_FIXTURE_DIR "/") + name);
    ASSERT_EQ(actual.tensors().size(), expected.tensors().size()) << name;
    for (const auto& [tensor_name, view] : expected.tensors()) {
      const TensorView* found = actual.find(tensor_name);
      ASSERT_NE(found, nullptr) << tensor_name;
      EXPECT_EQ(found->dtype, view.dtype);
      EXPECT_EQ(found->shape, view.shape);
      EXPECT_TRUE(std::ranges::equal(found->bytes, view.bytes)) << name << tensor_name;
    }
  }
}

}  // namespace
}  // namespace klue
