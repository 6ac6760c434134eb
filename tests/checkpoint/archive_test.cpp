// Archives as people pack them, and as nobody should.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/checkpoint/detail/archive.hpp>
#include <klue/checkpoint/detail/tar.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/scratch_directory.hpp"
#include "checkpoint/tar_writer.hpp"
#if KLUE_WITH_ZLIB
#include "checkpoint/gzip_writer.hpp"
#endif

namespace klue {
using namespace detail;
namespace {

using test::ScratchDirectory;
using test::tar;
using test::tar_member;
using test::TarEntry;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Contents = std::map<std::string, std::string>;

Contents contents_of(const Archive::Members& members) {
  Contents contents;
  for (const auto& [path, bytes] : members)
    contents[path] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return contents;
}

Contents read(std::string_view bytes) {
  return contents_of(read_tar("x.tar", std::as_bytes(std::span(bytes)), bytes.size()));
}

// A record of a pax header, its own length included.
std::string pax(const std::string& record) {
  std::size_t length = record.size() + 3;
  while (std::to_string(length).size() + 1 + record.size() + 1 != length)
    ++length;
  return std::to_string(length) + " " + record + "\n";
}

template <class Error, class Call>
std::string refused(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(typeid(error), typeid(Error));
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Tar, GivesRegularFilesByTheirPath) {
  const std::string block(512, 'x'), more(513, 'y');
  EXPECT_THAT(read(tar({{.name = "./", .content = "", .type = '5'},
                        {.name = "./saved_model.pb", .content = ""},
                        {.name = "variables/a", .content = block},
                        {.name = "././b", .content = more},
                        {.name = "old", .content = "1", .type = '\0'},
                        {.name = "old/", .content = "", .type = '\0'},
                        {.name = "link", .content = "", .type = '2'}})),
              ElementsAre(Pair("b", more), Pair("old", "1"), Pair("saved_model.pb", ""),
                          Pair("variables/a", block)));
  EXPECT_THAT(read(tar({})), IsEmpty());
}

TEST(Tar, ReadsLongPaths) {
  const std::string name(90, 'n'), prefix(100, 'p');
  const std::string path = prefix + "/" + name;
  EXPECT_THAT(read(tar({{.name = name, .content = "1", .prefix = prefix}})),
              ElementsAre(Pair(path, "1")));
  EXPECT_THAT(read(tar({{.name = "././@LongLink", .content = path + '\0', .type = 'L'},
                        {.name = "short", .content = "1", .posix = false},
                        {.name = "next", .content = "2", .posix = false}})),
              ElementsAre(Pair("next", "2"), Pair(path, "1")));
  EXPECT_THAT(
      read(tar({{.name = "global", .content = pax("comment=no"), .type = 'g'},
                {.name = "x", .content = pax("mtime=1.5") + pax("path=" + path), .type = 'x'},
                {.name = "short", .content = "1"},
                {.name = "next", .content = "2"}})),
      ElementsAre(Pair("next", "2"), Pair(path, "1")));
  // What stands in the place of a prefix in GNU's format is none.
  EXPECT_THAT(read(tar({{.name = "a", .content = "1", .prefix = "14000000000", .posix = false}})),
              ElementsAre(Pair("a", "1")));
}

TEST(Tar, ReadsSizesOfAllKinds) {
  EXPECT_THAT(read(tar({{.name = "a", .content = "12345", .size = "5          "}})),
              ElementsAre(Pair("a", "12345")));
  EXPECT_THAT(read(tar({{.name = "a",
                         .content = "12345",
                         .size = std::string("\x80\0\0\0\0\0\0\0\0\0\0\x05", 12)}})),
              ElementsAre(Pair("a", "12345")));
  EXPECT_THAT(read(tar({{.name = "x", .content = pax("size=5"), .type = 'x'},
                        {.name = "a", .content = "12345", .size = "00000000000"}})),
              ElementsAre(Pair("a", "12345")));
}

TEST(Tar, ALaterMemberReplacesAnEarlierOne) {
  EXPECT_THAT(read(tar({{.name = "./a", .content = "1"}, {.name = "a", .content = "2"}})),
              ElementsAre(Pair("a", "2")));
}

TEST(Tar, RefusesWhatIsNoArchive) {
  const auto message = [](const std::string& bytes) {
    return refused<FormatError>([&] { read(bytes); });
  };
  EXPECT_THAT(message(""), HasSubstr("cut short"));
  EXPECT_THAT(message(std::string(511, '\0')), HasSubstr("cut short"));
  EXPECT_THAT(message(std::string(1024, 'a')), HasSubstr("no tar archive"));
  EXPECT_THAT(message(tar({{.name = "a", .content = "", .right_checksum = false}})),
              HasSubstr("no tar archive"));
  EXPECT_THAT(message(tar({{.name = "a", .content = ""},
                           {.name = "b", .content = "", .right_checksum = false}})),
              HasSubstr("damaged header"));
}

TEST(Tar, RefusesSizesThatCannotBe) {
  for (const std::string& size :
       {std::string("77777777777"), std::string("00000001001"), std::string("-0000000001"),
        std::string("0000000000x"), std::string("           "),
        std::string("\x80\1\0\0\0\0\0\0\0\0\0\0", 12),
        std::string("\x80\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12),
        std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12)})
    refused<FormatError>([&] { read(tar({{.name = "a", .content = "", .size = size}})); });
  for (const char* record :
       {"size=18446744073709551615", "size=18446744073709551616", "size=-1", "size=", "size=5x"})
    refused<FormatError>([&] {
      read(tar({{.name = "x", .content = pax(record), .type = 'x'}, {.name = "a", .content = ""}}));
    });
}

TEST(Tar, RefusesDamagedExtendedHeaders) {
  for (const char* records : {"x", "0 a=b\n", "7 a=b\n", "4 a=\n", "99 a=b\n",
                              "99999999999999999999999 a=b\n", "6 abc\n", "-6 a=b\n"})
    refused<FormatError>([&] {
      read(tar({{.name = "x", .content = records, .type = 'x'}, {.name = "a", .content = ""}}));
    });
  refused<FormatError>([&] {
    read(tar({{.name = "x", .content = pax("path=" + std::string(5000, 'a')), .type = 'x'}}));
  });
  refused<UnsupportedError>(
      [&] { read(tar({{.name = "x", .content = pax("GNU.sparse.major=1"), .type = 'x'}})); });
}

TEST(Tar, RefusesMoreMembersThanItsFileAccountsFor) {
  std::string archive;
  for (int i = 0; i < 20'000; ++i)
    archive += tar_member({.name = std::to_string(i), .content = ""});
  EXPECT_EQ(read(archive + std::string(1024, '\0')).size(), 20'000u);
  refused<FormatError>([&] {  // as if it had been unpacked from a small file
    read_tar("x.tar.gz", std::as_bytes(std::span(archive)), 1000);
  });
}

const std::string& small_archive() {
  static const std::string archive =
      tar({{.name = "./", .content = "", .type = '5'},
           {.name = "x", .content = pax("path=variables/variables.index"), .type = 'x'},
           {.name = "i", .content = std::string(700, 'i')},
           {.name = "assets/vocab.txt", .content = "[PAD]\n"}});
  return archive;
}

TEST(Tar, RefusesEveryTruncation) {
  // The first of the two blocks of zeros is the end.
  const auto whole = std::string_view(small_archive()).substr(0, small_archive().size() - 512);
  test::expect_every_truncation_refused(
      whole, [](const auto& bytes) { read_tar("x.tar", bytes, bytes.size()); });
}

TEST(Tar, SurvivesEveryDamagedByte) {
  test::expect_byte_flips_survived(small_archive(), 20'000, [](const auto& bytes) {
    for (const auto& [path, content] : read_tar("x.tar", bytes, bytes.size()))
      for (const std::byte byte : content)
        static_cast<void>(std::to_integer<int>(byte));
  });
}

// ---------------------------------------------------------------------------------- files

TEST(Archive, IsKnownByItsName) {
  for (const char* name : {"a.tar", "a.tar.gz", "x/a_1.tgz", ".tar"})
    EXPECT_TRUE(Archive::has_archive_name(name)) << name;
  for (const char* name : {"a.gz", "a.zip", "tar", "a.tar.gz/x", "a.tar.bz2", ""})
    EXPECT_FALSE(Archive::has_archive_name(name)) << name;
}

TEST(Archive, LocatesMembersWhereverTheyLie) {
  const ScratchDirectory directory;
  const auto locate = [&](const std::vector<TarEntry>& entries, std::string_view ending) {
    return Archive::open(directory.write("a.tar", tar(entries))).locate(ending).value_or("none");
  };
  const std::vector<TarEntry> entries{{.name = "b/deep/v.index", .content = ""},
                                      {.name = "./z/v.index", .content = ""},
                                      {.name = "other.v.index", .content = ""}};
  EXPECT_EQ(locate(entries, "v.index"), "z/v.index");
  EXPECT_EQ(locate(entries, "deep/v.index"), "b/deep/v.index");
  EXPECT_EQ(locate(entries, "index"), "none");
  EXPECT_EQ(locate({{.name = "v.index", .content = ""}}, "v.index"), "v.index");
}

TEST(Archive, ReadsAPlainTar) {
  const ScratchDirectory directory;
  const Archive archive = Archive::open(directory.write("a.tar", small_archive()));
  EXPECT_EQ(contents_of(archive.members()), read(small_archive()));
}

TEST(Archive, FilesThatAreNoArchiveAreNamed) {
  const ScratchDirectory directory;
  EXPECT_THAT(refused<IoError>([&] { Archive::open(directory.path() / "none.tar"); }),
              HasSubstr("none.tar: cannot open"));
  const auto message = [&](std::string_view content) {
    const auto file = directory.write("a.tar.gz", content);
    return refused<FormatError>([&] { Archive::open(file); });
  };
  EXPECT_THAT(message(""), HasSubstr("empty"));
  EXPECT_THAT(message("<html>"), HasSubstr("web page"));
  EXPECT_THAT(message("version https://git-lfs"), HasSubstr("Git LFS pointer"));
  EXPECT_THAT(message(std::string(2000, 'a')), HasSubstr("no tar archive"));
}

#if KLUE_WITH_ZLIB

using test::gzip;

TEST(PackedArchive, IsUnpackedWithoutATrace) {
  const ScratchDirectory directory;
  const auto before = std::distance(std::filesystem::directory_iterator(directory.path()), {});
  ::setenv("TMPDIR", directory.path().c_str(), 1);
  const Archive archive = Archive::open(directory.write("a.tar.gz", gzip(small_archive())));
  ::unsetenv("TMPDIR");
  EXPECT_EQ(contents_of(archive.members()), read(small_archive()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), before + 1);
}

TEST(PackedArchive, LivesAsLongAsItsOwner) {
  const ScratchDirectory directory;
  std::shared_ptr<const void> owner;
  std::span<const std::byte> vocabulary;
  {
    const Archive archive = Archive::open(directory.write("a.tgz", gzip(small_archive())));
    owner = archive.owner();
    vocabulary = archive.members().at("assets/vocab.txt");
  }
  std::filesystem::remove(directory.path() / "a.tgz");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(vocabulary.data()), vocabulary.size()),
            "[PAD]\n");
}

TEST(PackedArchive, MayHaveSeveralMembersAndPadding) {
  const ScratchDirectory directory;
  const std::string_view all = small_archive();
  const auto file = directory.write(
      "a.tar.gz", gzip(all.substr(0, 1000)) + gzip(all.substr(1000)) + std::string(300, '\0'));
  EXPECT_EQ(contents_of(Archive::open(file).members()), read(all));
}

TEST(PackedArchive, RefusesEveryTruncation) {
  const ScratchDirectory directory;
  const std::string packed = gzip(small_archive());
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const auto file = directory.write("a.tar.gz", packed.substr(0, size));
    refused<FormatError>([&] { Archive::open(file); });
  }
}

TEST(PackedArchive, FindsEveryDamagedByteThatMatters) {
  const ScratchDirectory directory;
  const std::string packed = gzip(small_archive());
  const Contents whole = read(small_archive());
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    try {
      const Archive archive = Archive::open(directory.write("a.tar.gz", damaged));
      EXPECT_EQ(contents_of(archive.members()), whole) << "byte " << at;  // the time stamp's
    } catch (const FormatError&) {
    }
  }
}

TEST(PackedArchive, RefusesWhatFollowsTheArchive) {
  const ScratchDirectory directory;
  const auto file = directory.write("a.tar.gz", gzip(small_archive()) + "more");
  EXPECT_THAT(refused<FormatError>([&] { Archive::open(file); }), HasSubstr("damaged"));
}

// 100 MB of zeros are 100 kB of gzip.
TEST(PackedArchive, RefusesToGrowBeyondWhatWeightsDo) {
  const ScratchDirectory directory;
  const auto file = directory.write(
      "a.tar.gz", gzip(tar({{.name = "a", .content = std::string(100'000'000, '\0')}})));
  EXPECT_LT(std::filesystem::file_size(file), 200'000u);
  EXPECT_THAT(refused<FormatError>([&] { Archive::open(file); }), HasSubstr("unpacks to more"));
}

TEST(PackedArchive, SaysWhereThereIsNoRoom) {
  const ScratchDirectory directory;
  const auto file = directory.write("a.tar.gz", gzip(small_archive()));
  ::setenv("TMPDIR", "/no/such/folder", 1);
  const std::string message = refused<IoError>([&] { Archive::open(file); });
  ::unsetenv("TMPDIR");
  EXPECT_THAT(message, HasSubstr("TMPDIR"));
}

#else

TEST(PackedArchive, IsRefusedByABuildWithoutZlib) {
  const ScratchDirectory directory;
  const auto file = directory.write("a.tar.gz", "\x1f\x8b\x08");
  EXPECT_THAT(refused<UnsupportedError>([&] { Archive::open(file); }), HasSubstr("without zlib"));
}

#endif

}  // namespace
}  // namespace klue
