#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/zip_archive.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/zip_writer.hpp"

namespace klue {
using namespace detail;
namespace {

using test::little_endian;
using test::zip;
using test::ZipEnd;
using test::ZipEntry;
using ::testing::HasSubstr;

std::string read(std::string_view archive, std::string_view name, bool verify_crc = true) {
  const std::vector<std::byte> bytes = test::to_bytes(archive);
  return std::string(as_text(ZipArchive("a.zip", bytes).read(name, verify_crc)));
}

template <class Expected = FormatError>
void expect_refused(std::string_view archive, const std::string& message) {
  try {
    read(archive, "a");
    ADD_FAILURE() << "accepted; expected an error that says: " << message;
  } catch (const Expected& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_EQ(error.file(), "a.zip");
  }
}

/// The ZIP64 extra field: id, size, numbers.
std::string zip64_field(std::vector<std::uint64_t> numbers) {
  std::string content;
  for (const std::uint64_t number : numbers)
    content += little_endian(number);
  return little_endian(std::uint16_t{1}) +
         little_endian(static_cast<std::uint16_t>(content.size())) + content;
}

TEST(ZipArchive, ReadsStoredEntries) {
  const std::string archive = zip({{"a", "first"}, {"folder/b", ""}, {"c", "third"}});
  EXPECT_EQ(read(archive, "a"), "first");
  EXPECT_EQ(read(archive, "folder/b"), "");
  EXPECT_EQ(read(archive, "c"), "third");
  EXPECT_THROW(read(archive, "d"), FormatError);
}

TEST(ZipArchive, ReadsAnEmptyArchive) {
  const std::vector<std::byte> bytes = test::to_bytes(zip({}));
  EXPECT_TRUE(ZipArchive("a.zip", bytes).entries().empty());
}

TEST(ZipArchive, SkipsPaddingAndComments) {
  const std::string padding = little_endian(0x00044246u) + "zzzz" + "z";
  EXPECT_EQ(read(zip({{.name = "a", .content = "x", .extra = padding, .local_extra = padding}},
                     {.comment = std::string("PK\5\6") + std::string(18, 'y')}),
                 "a"),
            "x");
}

TEST(ZipArchive, ReadsEntriesWhoseSizesFollowThem) {
  // Writers that stream set flag 8 and leave zeros in the local header.
  EXPECT_EQ(read(zip({{.name = "a", .content = "x", .flags = 8, .local_size = 0}}), "a"), "x");
}

TEST(ZipArchive, ReadsZip64) {
  const std::string archive = zip({{.name = "a",
                                    .content = "first",
                                    .size = 0xffffffff,
                                    .compressed_size = 0xffffffff,
                                    .offset = 0xffffffff,
                                    .local_size = 0xffffffff,
                                    .extra = zip64_field({5, 5, 0}),
                                    .local_extra = zip64_field({5, 5})}},
                                  {.zip64 = true});
  EXPECT_EQ(read(archive, "a"), "first");
}

TEST(ZipArchive, ChecksTheCrcOnlyIfAsked) {
  const std::string archive = zip({{.name = "a", .content = "x", .crc = 1234}});
  EXPECT_EQ(read(archive, "a", false), "x");
  expect_refused(archive, "checksum is wrong");
  EXPECT_EQ(read(zip({{.name = "a", .content = "x", .crc = 0}}), "a"), "x");  // none computed
}

TEST(ZipArchive, RefusesAFileWithoutEnd) {
  expect_refused("", "no end");
  expect_refused("PK\3\4", "no end");
  expect_refused(std::string(100'000, 'P'), "no end");
  std::string archive = zip({{"a", "x"}});
  expect_refused(archive + "!", "no end");  // the comment does not fill the file
}

TEST(ZipArchive, RefusesADirectoryOutsideTheFile) {
  const std::vector<ZipEntry> entries{{"a", "x"}};
  expect_refused(zip(entries, {.offset = 1000}), "outside the file");
  expect_refused(zip(entries, {.size = 1000}), "outside the file");
  expect_refused(zip(entries, {.offset = 0xffffffff}), "outside the file");
  expect_refused(zip(entries, {.offset = 0}), "no entry where one should be");
  expect_refused(zip(entries, {.entries = 2}), "is cut short");
  expect_refused(zip(entries, {.entries = 0}), "more than its entries");
  expect_refused(zip(entries, {.entries = 0xffff}), "is cut short");
}

TEST(ZipArchive, RefusesBrokenZip64) {
  const std::vector<ZipEntry> entries{{"a", "x"}};
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  expect_refused(zip(entries, {.zip64 = true, .offset = huge}), "outside the file");
  expect_refused(zip(entries, {.zip64 = true, .size = huge}), "outside the file");
  expect_refused(zip(entries, {.zip64 = true, .entries = huge}), "is cut short");
  expect_refused(zip(entries, {.zip64 = true, .record_offset = huge}), "outside the file");
  expect_refused(zip(entries, {.zip64 = true, .record_offset = 0}), "not where the locator says");
  // An entry's size that makes offset + size wrap, and a field that lacks it.
  ZipEntry wide{.name = "a", .content = "x", .size = 0xffffffff, .compressed_size = 0xffffffff};
  wide.extra = zip64_field({huge - 10, huge - 10});
  wide.local_size = 0xffffffff;
  expect_refused(zip({wide}), "is cut short");
  wide.extra = zip64_field({1});
  expect_refused(zip({wide}), "is cut short");
  wide.extra = "";
  expect_refused(zip({wide}), "is cut short");
  ZipEntry far{.name = "a", .content = "x", .offset = 0xffffffff, .extra = zip64_field({huge})};
  expect_refused(zip({far}), "begins outside");
}

TEST(ZipArchive, RefusesEntriesOutsideTheArchiveOneAfterAnother) {
  const std::string archive = zip({{.name = "a", .content = "x", .offset = 0x70000000},
                                   {.name = "b", .content = "y", .offset = 0x7fffffff}});
  const std::vector<std::byte> bytes = test::to_bytes(archive);
  const ZipArchive entries("a.zip", bytes);
  EXPECT_THROW(entries.read("a", false), FormatError);
  EXPECT_THROW(entries.read("b", false), FormatError);
}

TEST(ZipArchive, RefusesSeveralVolumes) {
  std::string archive = zip({{"a", "x"}});
  archive[archive.size() - 18] = 1;  // number of this volume
  expect_refused(archive, "several volumes");
}

TEST(ZipArchive, RefusesDuplicateNames) {
  expect_refused(zip({{"a", "x"}, {"a", "y"}}), "two entries of one name");
}

TEST(ZipArchive, RefusesCompressedAndEncryptedEntries) {
  expect_refused<UnsupportedError>(zip({{.name = "a", .content = "x", .method = 8}}), "compressed");
  expect_refused<UnsupportedError>(zip({{.name = "a", .content = "x", .flags = 1}}), "encrypted");
}

// Each would be checksummed by itself, and n of them n times the file.
TEST(ZipArchive, RefusesEntriesWithinEntries) {
  const std::string inner = zip({{"b", "inner"}});
  const std::string local = inner.substr(0, inner.find("PK\1\2"));
  const std::string outer = zip({{"a", local}});
  const auto inner_at = static_cast<std::uint32_t>(outer.find(local));
  const std::string both =
      zip({{"a", local}, {.name = "b", .content = "inner", .offset = inner_at}});
  const std::vector<std::byte> bytes = test::to_bytes(both);
  const ZipArchive archive("a.zip", bytes);
  EXPECT_NO_THROW(archive.read("b", true));
  EXPECT_THROW(archive.read("a", true), FormatError);
}

TEST(ZipArchive, RefusesLocalHeadersThatContradictTheDirectory) {
  const std::string problem = "contradicts the ZIP directory";
  expect_refused(zip({{.name = "a", .content = "x", .local_name = "b"}}), problem);
  expect_refused(zip({{.name = "a", .content = "x", .local_size = 2}}), problem);
  expect_refused(zip({{.name = "a", .content = "x", .local_method = 8}}), problem);
  expect_refused(zip({{.name = "a", .content = "x", .compressed_size = 2}}), "two different sizes");
  expect_refused(zip({{.name = "b", .content = "x"}, {.name = "a", .content = "y", .offset = 0}}),
                 problem);
  expect_refused(zip({{.name = "a", .content = "x", .offset = 1}}), problem);
}

const std::string small_zip = zip({{"a", "first"}, {"b", "second"}}, {.zip64 = true});

void read_everything(std::span<const std::byte> bytes) {
  const ZipArchive archive("a.zip", bytes);
  for (const auto& [name, entry] : archive.entries())
    archive.read(name, true);
}

TEST(ZipArchive, RefusesEveryTruncation) {
  test::expect_every_truncation_refused(small_zip, read_everything);
}

TEST(ZipArchive, SurvivesByteFlips) {
  test::expect_byte_flips_survived(small_zip, 100'000, read_everything);
}

}  // namespace
}  // namespace klue
