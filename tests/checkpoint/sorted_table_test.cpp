#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/sorted_table.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/table_writer.hpp"

namespace klue {
using namespace detail;
namespace {

using namespace std::string_literals;
using test::block;
using test::block_entry;
using test::little_endian;
using test::TableWriter;
using test::varint;
using ::testing::HasSubstr;

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries read(std::span<const std::byte> bytes) {
  Entries entries;
  read_sorted_table("t.index", bytes, [&](std::string_view key, std::span<const std::byte> value) {
    entries.emplace_back(key, as_text(value));
  });
  return entries;
}

Entries read(const std::string& table) {
  const std::vector<std::byte> bytes = test::to_bytes(table);
  return read(std::span(bytes));
}

template <class Expected = FormatError>
void expect_refused(const std::string& table, const std::string& message) {
  try {
    read(table);
    ADD_FAILURE() << "accepted; expected an error that says: " << message;
  } catch (const Expected& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(error.file(), "t.index");
  }
}

/// A table of one block with this content.
std::string one_block(const std::string& content, char compression = 0) {
  TableWriter writer;
  const std::string data = writer.add(content, compression);
  return writer.finish(writer.add(block(block_entry("~", data))));
}

TEST(SortedTable, ReadsEntriesInOrder) {
  EXPECT_EQ(read(test::table({{"", "x"}, {"a", ""}, {"b", "z"}})),
            (Entries{{"", "x"}, {"a", ""}, {"b", "z"}}));
  EXPECT_TRUE(read(test::table({})).empty());
}

TEST(SortedTable, ReadsSharedPrefixesAndSeveralBlocks) {
  TableWriter writer;
  const std::string first =
      writer.add(block(block_entry("layer_1", "x") + block_entry("2", "y", 6)));
  const std::string second = writer.add(block(block_entry("layer_3", "z")));
  EXPECT_EQ(read(writer.finish(
                writer.add(block(block_entry("layer_2", first) + block_entry("m", second))))),
            (Entries{{"layer_1", "x"}, {"layer_2", "y"}, {"layer_3", "z"}}));
}

// 9.7 kB of them took minutes: blocks without keys break no order of keys.
TEST(SortedTable, RefusesABlockThatIsListedAgain) {
  TableWriter writer;
  const std::string empty = writer.add(block(""));
  std::string index;
  for (char key = 'a'; key < 'e'; ++key)
    index += block_entry(std::string(1, key), empty);
  expect_refused(writer.finish(writer.add(block(index))), "listed twice");

  TableWriter overlapping;
  overlapping.add(block(block_entry("a", "x")));
  const std::string second = overlapping.add(block(block_entry("b", "y")));
  const std::string first = varint(0) + varint(block(block_entry("a", "x")).size());
  expect_refused(overlapping.finish(
                     overlapping.add(block(block_entry("b", second) + block_entry("c", first)))),
                 "listed twice or not in order");
}

TEST(SortedTable, ReadsBlocksWithoutKeys) {
  TableWriter writer;
  const std::string empty = writer.add(block(""));
  const std::string full = writer.add(block(block_entry("a", "x")));
  EXPECT_EQ(
      read(writer.finish(writer.add(block(block_entry("0", empty) + block_entry("b", full))))),
      (Entries{{"a", "x"}}));
}

TEST(SortedTable, RefusesAWrongFooter) {
  expect_refused("", "too short");
  expect_refused(std::string(47, 'x'), "too short");
  expect_refused(std::string(48, '\0'), "last bytes are wrong");
  TableWriter writer;
  const std::string index = writer.add(block(""));
  expect_refused(writer.finish(index, 0xdb4775248b80fb58), "last bytes are wrong");
}

TEST(SortedTable, RefusesHandlesPastTheEnd) {
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 1000}, {1000, 1}, {huge, 1}, {1, huge}, {huge, huge}, {0, huge - 4}, {13, 0}}) {
    TableWriter writer;
    writer.add(block(""));  // 8 + 5 bytes
    expect_refused(writer.finish(varint(offset) + varint(size)), "past the end");
    const std::string index = writer.add(block(block_entry("~", varint(offset) + varint(size))));
    if (offset != 13) expect_refused(writer.finish(index), "past the end");
  }
}

TEST(SortedTable, RefusesNumbersThatNeverEnd) {
  TableWriter writer;
  expect_refused(writer.finish(std::string(11, '\xff')), "more than 64 bits");
  expect_refused(writer.finish(std::string(9, '\xff') + "\2"), "more than 64 bits");
  expect_refused(one_block(block(std::string(11, '\xff'))), "more than 64 bits");
  expect_refused(one_block(block("\xff"s)), "cut short");
}

TEST(SortedTable, RefusesBlocksThatContradictThemselves) {
  expect_refused(one_block(""), "too short");
  expect_refused(one_block("123"), "too short");
  expect_refused(one_block(little_endian(1u)), "restarts reach past");
  expect_refused(one_block(little_endian(0u) + little_endian(0xffffffffu)), "restarts reach past");
  expect_refused(one_block(block(block_entry("b", "", 1))), "shares more");
  expect_refused(one_block(block(block_entry("a", "") + block_entry("b", "", 2))), "shares more");
  expect_refused(one_block(block(block_entry("a", "") + block_entry("b", "", ~std::uint64_t{0}))),
                 "shares more");
  expect_refused(one_block(block(varint(0) + varint(9) + varint(0) + "a")), "cut short");
  expect_refused(one_block(block(varint(0) + varint(1) + varint(9) + "a")), "cut short");
  expect_refused(one_block(block(varint(0) + varint(~std::uint64_t{0}) + varint(9) + "a")),
                 "cut short");
}

TEST(SortedTable, RefusesKeysOutOfOrder) {
  expect_refused(test::table({{"b", ""}, {"a", ""}}), "not in order");
  expect_refused(test::table({{"a", ""}, {"a", ""}}), "not in order");
  expect_refused(test::table({{"", ""}, {"", ""}}), "not in order");
  // One block listed many times over would be a lot of work for a small file.
  TableWriter writer;
  const std::string data = writer.add(block(block_entry("a", "")));
  expect_refused(writer.finish(writer.add(block(block_entry("x", data) + block_entry("y", data)))),
                 "not in order");
}

TEST(SortedTable, RefusesWrongChecksums) {
  TableWriter writer;
  const std::string data = writer.add(block(block_entry("a", "")), 0, 0x12345678);
  expect_refused(writer.finish(writer.add(block(block_entry("~", data)))), "checksum is wrong");
  TableWriter other;
  expect_refused(other.finish(other.add(block(""), 0, 0x12345678)), "checksum is wrong");
}

TEST(SortedTable, RefusesUnknownCompression) {
  expect_refused(one_block(block(""), 2), "unknown way");
  expect_refused(one_block(block(""), '\xff'), "unknown way");
}

/// Snappy of at most 60 bytes, as one literal.
std::string snappy(const std::string& plain) {
  return varint(plain.size()) + static_cast<char>((plain.size() - 1) << 2) + plain;
}

#if KLUE_WITH_SNAPPY

TEST(SortedTable, ReadsSnappy) {
  EXPECT_EQ(read(one_block(snappy(block(block_entry("a", "x"))), 1)), (Entries{{"a", "x"}}));
}

TEST(SortedTable, RefusesBrokenSnappy) {
  const std::string good = snappy(block(block_entry("a", "x")));
  expect_refused(one_block("", 1), "Snappy length");
  expect_refused(one_block("\xff\xff\xff\xff\xff\xff", 1), "Snappy length");
  expect_refused(one_block(varint(0xffffffff) + "\0abc"s, 1), "Snappy length");  // a bomb
  expect_refused(one_block(good.substr(0, good.size() - 1), 1), "no valid Snappy data");
  expect_refused(one_block(good + "x", 1), "no valid Snappy data");
  expect_refused(one_block("\x08\x01\xff"s, 1), "no valid Snappy data");  // copies from before
}

#else

TEST(SortedTable, SaysThatItWasBuiltWithoutSnappy) {
  expect_refused<UnsupportedError>(one_block(snappy(block(block_entry("a", "x"))), 1),
                                   "this build is without it");
}

#endif

const std::string small = test::table({{"", "header"}, {"layer_1", "x"}, {"layer_2", "yz"}});

TEST(SortedTable, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(small, [](const auto& bytes) { read(std::span(bytes)); });
}

TEST(SortedTable, SurvivesByteFlips) {
  test::expect_byte_flips_survived(small, 100'000,
                                   [](const auto& bytes) { read(std::span(bytes)); });
}

TEST(SortedTable, SurvivesByteFlipsBehindTheChecksums) {
  const std::string content = block(block_entry("layer_1", "x") + block_entry("2", "yz", 6));
  test::expect_byte_flips_survived(content, 100'000, [](const auto& bytes) {
    read(one_block({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  });
}

}  // namespace
}  // namespace klue
