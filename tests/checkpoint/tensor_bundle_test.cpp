#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/detail/tensor_bundle.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/table_writer.hpp"
#include "shared_data.hpp"

namespace klue {
using namespace detail;
namespace {

using namespace std::string_literals;
using test::little_endian;
using test::masked_crc;
using test::proto;
using test::proto_fixed32;
using test::varint;
using ::testing::HasSubstr;

std::string header(std::uint64_t shards = 1, std::uint64_t endianness = 0) {
  return proto(1, shards) + proto(2, endianness) + proto(3, proto(1, 1));
}

std::string shape(const std::vector<std::uint64_t>& extents) {
  std::string dimensions;
  for (const std::uint64_t extent : extents)
    dimensions += proto(2, proto(1, extent));
  return dimensions;
}

struct Entry {
  std::uint64_t type = 1;
  std::vector<std::uint64_t> extents{};
  std::uint64_t shard = 0, offset = 0, size = 0;
  std::uint32_t crc = 0;

  std::string proto_text() const {
    return proto(1, type) + proto(2, shape(extents)) + proto(3, shard) + proto(4, offset) +
           proto(5, size) + proto_fixed32(6, crc);
  }
};

const std::string data = little_endian(0.5f) + little_endian(2.f) + little_endian(3.f);

/// [2, 1] at byte 4 of the data.
Entry good_entry() {
  return {.extents = {2, 1}, .offset = 4, .size = 8, .crc = masked_crc(data.substr(4))};
}

std::string index(const Entry& entry) {
  return test::table({{"", header()}, {"w", entry.proto_text()}});
}

TensorBundle parse(std::span<const std::byte> bytes, const std::string& content = data,
                   const CheckpointOptions& options = {}) {
  static std::vector<std::byte> shard;
  shard = test::to_bytes(content);
  return parse_tensor_bundle(
      "v.index", bytes,
      [](std::size_t number, std::size_t count) -> std::span<const std::byte> {
        EXPECT_LT(number, count);
        return shard;
      },
      options);
}

TensorBundle parse(const std::string& table, const std::string& content = data,
                   const CheckpointOptions& options = {}) {
  const std::vector<std::byte> bytes = test::to_bytes(table);
  return parse(std::span(bytes), content, options);
}

template <class Expected = FormatError>
void expect_refused(const std::string& table, const std::string& message,
                    const std::string& content = data) {
  try {
    parse(table, content);
    ADD_FAILURE() << "accepted; expected an error that says: " << message;
  } catch (const Expected& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(error.file(), "v.index");
  }
}

std::vector<float> values(const TensorView& view) {
  std::vector<float> result(view.element_count());
  view.read(0, result);
  return result;
}

TEST(TensorBundle, ReadsTensors) {
  const TensorBundle bundle = parse(index(good_entry()));
  ASSERT_EQ(bundle.tensors.size(), 1u);
  const TensorView& view = bundle.tensors.at("w");
  EXPECT_EQ(view.shape, (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(values(view), (std::vector<float>{2, 3}));
}

TEST(TensorBundle, ReadsScalarsAndEmptyTensors) {
  const TensorBundle bundle = parse(test::table(
      {{"", header()},
       {"empty", Entry{.extents = {3, 0}, .crc = masked_crc("")}.proto_text()},
       {"scalar", Entry{.size = 4, .crc = masked_crc(data.substr(0, 4))}.proto_text()}}));
  EXPECT_EQ(bundle.tensors.at("empty").element_count(), 0u);
  EXPECT_EQ(values(bundle.tensors.at("scalar")), std::vector<float>{0.5});
}

// Each would be checksummed by itself: 88 kB of them took more than a minute.
TEST(TensorBundle, RefusesEntriesThatOverlap) {
  const std::string entry = good_entry().proto_text();
  expect_refused(test::table({{"", header()}, {"v", entry}, {"w", entry}}), "overlap");
  Entry half = good_entry();
  half.offset = 0, half.crc = masked_crc(data.substr(0, 8));
  expect_refused(test::table({{"", header()}, {"v", half.proto_text()}, {"w", entry}}), "overlap");
}

TEST(TensorBundle, LeavesOutWhatHoldsNoNumbers) {
  Entry strings = good_entry();
  strings.type = 7;
  EXPECT_TRUE(parse(index(strings)).tensors.empty());
}

TEST(TensorBundle, RefusesWrongHeaders) {
  const std::string entry = good_entry().proto_text();
  expect_refused(test::table({}), "no header");
  expect_refused(test::table({{"w", entry}}), "no header");
  expect_refused(test::table({{"", ""}, {"w", entry}}), "impossible number of data files");
  expect_refused(test::table({{"", header(0)}}), "impossible number of data files");
  expect_refused(test::table({{"", header(~std::uint64_t{0})}}), "impossible number");
  expect_refused<UnsupportedError>(test::table({{"", header(1, 1)}}), "big-endian");
  expect_refused(test::table({{"", proto(1, "x")}}), "bytes where a number should be");
  expect_refused(test::table({{"", "\xff"}}), "cut short");
  expect_refused(test::table({{"", "\x0b"}}), "unknown kind");  // a group
}

TEST(TensorBundle, RefusesEntriesOutsideTheirDataFile) {
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  Entry entry = good_entry();
  entry.offset = 5;
  expect_refused(index(entry), "past the end");
  entry.offset = huge;
  expect_refused(index(entry), "past the end");
  entry.offset = huge - 7;  // offset + size wraps to 0
  expect_refused(index(entry), "past the end");
  entry = good_entry();
  entry.shard = 1;
  expect_refused(index(entry), "a data file that there is not");
  entry.shard = huge;
  expect_refused(index(entry), "a data file that there is not");
  expect_refused(index(good_entry()), "cut short or another's", data.substr(0, 8));
}

TEST(TensorBundle, RefusesShapesThatContradictTheSize) {
  const auto refuse = [](const std::vector<std::uint64_t>& extents, std::uint64_t size,
                         const std::string& message) {
    Entry entry = good_entry();
    entry.extents = extents;
    entry.size = size;
    expect_refused(index(entry), message);
  };
  refuse({3, 1}, 8, "contradict");
  refuse({2, 1}, 7, "contradict");
  refuse({}, 8, "contradict");
  refuse({0}, 8, "contradict");
  refuse({static_cast<std::uint64_t>(-1), 1}, 8, "negative extent");
  refuse({std::uint64_t{1} << 62, 4}, 0, "too large");
  refuse({std::uint64_t{1} << 61, 2}, 8, "too large");
  refuse({0, std::uint64_t{1} << 62, 2}, 0, "too large");
  refuse(std::vector<std::uint64_t>(65, 1), 4, "too many dimensions");
}

TEST(TensorBundle, ChecksTheDataIfAsked) {
  std::string damaged = data;
  damaged[5] = 1;
  expect_refused(index(good_entry()), "checksum is wrong", damaged);
  EXPECT_EQ(parse(index(good_entry()), damaged, {.verify_checksums = false}).tensors.size(), 1u);
}

TEST(TensorBundle, RefusesPartitionedVariables) {
  expect_refused<UnsupportedError>(
      test::table({{"", header()}, {"w", good_entry().proto_text() + proto(7, "")}}), "in slices");
}

TEST(TensorBundle, RefusesNamesThatOnlyGrow) {
  // Each key is the one before and a little more: a few kilobytes would become gigabytes.
  const std::string nothing = Entry{.extents = {0}, .crc = masked_crc("")}.proto_text();
  std::string entries = test::block_entry("", header());
  entries += test::block_entry(std::string(60'000, 'a'), nothing);
  for (std::size_t i = 0; i < 1000; ++i)
    entries += test::block_entry("a", nothing, 60'000 + i);
  test::TableWriter writer;
  const std::string handle = writer.add(test::block(entries));
  expect_refused(writer.finish(writer.add(test::block(test::block_entry("~", handle)))),
                 "describes more than");
}

// ------------------------------------------------------------------------------- the object graph

std::string graph(const std::string& key, const std::string& full_name) {
  return proto(1, proto(1, proto(2, "child")) +
                      proto(2, proto(1, "VARIABLE_VALUE") + proto(2, full_name) + proto(3, key)));
}

/// The data of a tensor of one string, and its entry.
std::pair<std::string, Entry> string_tensor(const std::string& text) {
  const std::string length = little_endian(static_cast<std::uint32_t>(text.size()));
  const std::string length_crc = little_endian(masked_crc(length));
  const std::string stored = varint(text.size()) + length_crc + text;
  return {stored,
          {.type = 7, .size = stored.size(), .crc = masked_crc(length + length_crc + text)}};
}

std::string graph_index(const Entry& entry) {
  return test::table({{"", header()}, {"_CHECKPOINTABLE_OBJECT_GRAPH", entry.proto_text()}});
}

TEST(TensorBundle, ReadsTheNamesOfVariables) {
  const auto [stored, entry] = string_tensor(graph("variables/0", "dense/kernel:0"));
  const TensorBundle bundle = parse(graph_index(entry), stored);
  ASSERT_EQ(bundle.full_names.size(), 1u);
  EXPECT_EQ(bundle.full_names.at("variables/0"), "dense/kernel:0");
}

TEST(TensorBundle, RefusesABrokenObjectGraph) {
  const auto [stored, entry] = string_tensor(graph("variables/0", "dense/kernel:0"));
  std::string damaged = stored;
  damaged.back() = 'x';
  expect_refused(graph_index(entry), "checksum is wrong", damaged);
  damaged = stored;
  damaged[2] = 'x';  // the checksum of the length
  expect_refused(graph_index(entry), "checksum is wrong", damaged);
  damaged = stored;
  damaged[0] = 'x';  // the length
  expect_refused(graph_index(entry), "cut short", damaged);
  Entry wrong = entry;
  wrong.extents = {1};
  expect_refused(graph_index(wrong), "no single string", stored);
  wrong = entry;
  ++wrong.size;
  expect_refused(graph_index(wrong), "no single string", stored + "x");

  for (const char* text : {"\x0a", "\x0a\xff", "\x0a\x02\x12\x05", "\x08", "\x0b"}) {
    const auto [broken, broken_entry] = string_tensor(text);
    expect_refused(graph_index(broken_entry), "object graph", broken);
  }
}

// ------------------------------------------------------------------------------------ real bundles

TensorBundle read_real(const std::filesystem::path& folder) {
  const auto file = folder / "variables" / "variables.index";
  static std::vector<MappedFile> keep;  // the views point into it
  keep.reserve(32);
  const MappedFile& table = keep.emplace_back(file);
  return parse_tensor_bundle(
      file, table.bytes(),
      [&](std::size_t, std::size_t) {
        return keep.emplace_back(folder / "variables" / "variables.data-00000-of-00001").bytes();
      },
      {});
}

TEST(RealBundles, HalfPlusTwo) {
  KLUE_SHARED_DATA_OR_SKIP(folder, "data/tf_bundles/saved_model_half_plus_two_cpu");
#if KLUE_WITH_SNAPPY
  const TensorBundle bundle = read_real(folder);
  EXPECT_EQ(values(bundle.tensors.at("a")), std::vector<float>{0.5});
  EXPECT_EQ(values(bundle.tensors.at("b")), std::vector<float>{2});
  EXPECT_EQ(values(bundle.tensors.at("c")), std::vector<float>{3});
#else
  EXPECT_THROW(read_real(folder), UnsupportedError);
#endif
}

TEST(RealBundles, HalfPlusThree) {
  KLUE_SHARED_DATA_OR_SKIP(folder, "data/tf_bundles/saved_model_half_plus_three");
  const TensorBundle bundle = read_real(folder);
  EXPECT_EQ(values(bundle.tensors.at("a")), std::vector<float>{0.5});
  EXPECT_EQ(values(bundle.tensors.at("b")), std::vector<float>{3});
  EXPECT_EQ(values(bundle.tensors.at("c")), std::vector<float>{3});
}

#if KLUE_WITH_SNAPPY

TEST(RealBundles, Segmenter) {
  KLUE_SHARED_DATA_OR_SKIP(folder, "data/tf_bundles/segmenter_hub_module");
  const TensorBundle bundle = read_real(folder);
  const auto bias = bundle.tensors.find("dense/bias");
  ASSERT_NE(bias, bundle.tensors.end());
  EXPECT_EQ(values(bias->second), (std::vector<float>{0.95137054f, -0.95113307f}));
  EXPECT_EQ(bundle.tensors.at("dense/kernel").shape, (std::vector<std::size_t>{32, 2}));
}

TEST(RealBundles, ObjectGraphs) {
  KLUE_SHARED_DATA_OR_SKIP(folder, "data/tf_bundles/tf_text_regression");
  EXPECT_NO_THROW(read_real(folder));  // a model without variables
  KLUE_SHARED_DATA_OR_SKIP(second, "data/tf_bundles/saved_model_half_plus_two_tf2_cpu");
  const TensorBundle bundle = read_real(second);
  EXPECT_EQ(bundle.full_names.at("a/.ATTRIBUTES/VARIABLE_VALUE"), "a");
  EXPECT_EQ(values(bundle.tensors.at("b/.ATTRIBUTES/VARIABLE_VALUE")), std::vector<float>{2});
}

#endif

// ------------------------------------------------------------------------------------- mutations

TEST(TensorBundle, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(index(good_entry()),
                                        [](const auto& bytes) { parse(std::span(bytes)); });
}

TEST(TensorBundle, RefusesEveryTruncationOfTheData) {
  test::expect_every_truncation_refused(data, [](const auto& bytes) {
    parse(index(good_entry()), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
}

TEST(TensorBundle, SurvivesByteFlips) {
  test::expect_byte_flips_survived(index(good_entry()), 100'000,
                                   [](const auto& bytes) { parse(std::span(bytes)); });
}

TEST(TensorBundle, SurvivesByteFlipsBehindTheChecksums) {
  test::expect_byte_flips_survived(good_entry().proto_text(), 100'000, [](const auto& bytes) {
    const std::string entry(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (const auto& [key, view] :
         parse(test::table({{"", header()}, {"w", entry}}), data, {.verify_checksums = false})
             .tensors)
      if (view.dtype == DType::f32) values(view);
  });
  test::expect_byte_flips_survived(graph("v", "dense/kernel:0"), 100'000, [](const auto& bytes) {
    const auto [stored, entry] =
        string_tensor({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    parse(graph_index(entry), stored);
  });
}

}  // namespace
}  // namespace klue
