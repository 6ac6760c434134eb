// What the readers allocate, measured: these files describe as much as they can in few bytes.

#include <cstddef>
#include <functional>

#include <gtest/gtest.h>

#include <klue/checkpoint/detail/safetensors.hpp>
#include <klue/checkpoint/detail/tar.hpp>
#include <klue/checkpoint/detail/tensor_bundle.hpp>
#include <klue/checkpoint/detail/torch_archive.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/mutation.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/table_writer.hpp"
#include "checkpoint/tar_writer.hpp"
#include "counted_memory.hpp"

namespace klue {
using namespace detail;
namespace {

using namespace std::string_literals;

/// Bytes that a reader has allocated at most at one time; it may refuse what it reads.
std::size_t peak_of(const std::function<void()>& read) {
  return test::peak_bytes_of([&] {
    try {
      read();
    } catch (const Error&) {
    }
  });
}

constexpr std::size_t slack = 3 << 20;

/// Joins part(0), part(1), … to about `size` bytes.
template <class Part>
std::string filled(std::size_t size, Part part) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i)
    text += part(i);
  return text;
}

constexpr std::size_t megabytes = 8 << 20;

/// At most twice the file, or as often as given.
void expect_modest(const char* what, const std::string& content,
                   void (*parse)(std::span<const std::byte>), std::size_t times = 2) {
  const std::vector<std::byte> bytes = test::to_bytes(content);
  EXPECT_LT(peak_of([&] { parse(bytes); }), times * bytes.size() + slack) << what;
}

TEST(Memory, OfSafetensorsHeadersIsBounded) {
  const auto parse = [](std::span<const std::byte> bytes) { parse_safetensors("f", bytes); };
  const auto header = [](const std::string& entries) {
    return test::safetensors("{" + entries + "\"z\":0}");
  };
  expect_modest(
      "tensors",
      header(filled(megabytes,
                    [](std::size_t i) {
                      return "\"" + std::to_string(i) +
                             "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";
                    })),
      parse);
  expect_modest("dimensions",
                header(filled(megabytes,
                              [](std::size_t i) {
                                return "\"" + std::to_string(i) +
                                       "\":{\"dtype\":\"U8\",\"shape\":[0" +
                                       filled(100, [](std::size_t) { return ",0"s; }) +
                                       "],\"data_offsets\":[0,0]},";
                              })),
                parse);
  // The JSON parser keeps a string twice, in buffers that double.
  expect_modest("one name", header("\"" + std::string(megabytes, 'a') + "\":{},"), parse, 5);
  expect_modest("metadata",
                header("\"__metadata__\":{" +
                       filled(megabytes,
                              [](std::size_t i) { return "\"" + std::to_string(i) + "\":\"\","; })),
                parse);
  expect_modest("nesting", header("\"a\":{\"b\":" + std::string(megabytes, '[')), parse);
}

TEST(Memory, OfPicklesIsBounded) {
  const auto parse = [](std::span<const std::byte> bytes) { parse_torch_archive("f", bytes, {}); };
  const std::string start = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s;
  for (const char* opcode : {"N", "(", ")", "]", "}", "2", "]q\1", ")\x85", "U\1a"})
    expect_modest(opcode, start + "N" + filled(megabytes, [&](std::size_t) { return opcode; }),
                  parse);
  expect_modest("memo",
                start + "N" +
                    filled(megabytes,
                           [](std::size_t i) {
                             return "r" + test::little_endian(static_cast<std::uint32_t>(i));
                           }),
                parse);
}

// A tensor is described once, but may be called by any number of names.
TEST(Memory, OfManyNamesForOneTensorIsBounded) {
  const auto parse = [](std::span<const std::byte> bytes) { parse_torch_archive("f", bytes, {}); };
  const auto number = [](unsigned value) { return "K" + std::string(1, static_cast<char>(value)); };
  std::string extents = "(";
  for (int i = 0; i < 60; ++i)
    extents += number(1);
  extents += "t";
  const std::string tensor =
      "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\n"
      "U\0010U\3cpuK\1tQK\0"s +
      extents + extents + "\x89)tRq\1" + "0";
  const std::string start =
      "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}."s;
  const auto named = [&](std::size_t size) {
    const std::string names = filled(size, [](std::size_t i) {
      std::string name = std::to_string(i);
      return "U" + std::string(1, static_cast<char>(name.size())) + name + "h\1s";
    });
    return start + "\x80\2" + tensor + "}" + names + ".\x80\2](U\0010e." +
           test::little_endian(std::uint64_t{1}) + "data";
  };
  const std::vector<std::byte> few = test::to_bytes(named(60));
  EXPECT_EQ(parse_torch_archive("f", few, {}).size(), 10u);
  expect_modest("names", named(megabytes), parse, 3);
}

TEST(Memory, OfTensorBundlesIsBounded) {
  const auto parse = [](std::span<const std::byte> bytes) {
    parse_tensor_bundle("f", bytes,
                        [](std::size_t, std::size_t) { return std::span<const std::byte>(); }, {});
  };
  const std::string header = test::block_entry("", test::proto(1, 1));
  const std::string entry = test::proto(1, 1) + test::proto(2, test::proto(2, "")) +
                            test::proto_fixed32(6, test::masked_crc(""));
  test::TableWriter writer;
  const std::string block = writer.add(
      test::block(header + filled(megabytes, [&](std::size_t i) {
                    std::string name = std::to_string(i);
                    return test::block_entry(std::string(8 - name.size(), '0') + name, entry);
                  })));
  const std::vector<std::byte> bytes =
      test::to_bytes(writer.finish(writer.add(test::block(test::block_entry("~", block)))));
  // Names are stored by their differences here, so that there is more to keep than in the file.
  EXPECT_LT(peak_of([&] { parse(bytes); }), 9 * bytes.size() + slack);
}

TEST(Memory, OfArchivesIsBounded) {
  const auto parse = [](std::span<const std::byte> bytes) { read_tar("f", bytes, bytes.size()); };
  expect_modest("members",
                filled(megabytes,
                       [](std::size_t i) {
                         return test::tar_member({.name = std::to_string(i), .content = ""});
                       }),
                parse);
  expect_modest(
      "long paths",
      filled(megabytes,
             [](std::size_t i) {
               return test::tar_member({.name = "@LongLink",
                                        .content = std::string(4000, 'a') + std::to_string(i),
                                        .type = 'L'}) +
                      test::tar_member({.name = "a", .content = ""});
             }),
      parse);
  // What a small file was unpacked to counts for nothing.
  const std::string members = filled(megabytes, [](std::size_t i) {
    return test::tar_member({.name = std::to_string(i), .content = ""});
  });
  EXPECT_LT(peak_of([&] { read_tar("f", std::as_bytes(std::span(members)), 1000); }), slack);
}

}  // namespace
}  // namespace klue
