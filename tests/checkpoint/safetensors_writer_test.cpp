#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>

#include "checkpoint/scratch_directory.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;

TEST(SafetensorsWriter, WhatIsWrittenIsRead) {
  const test::ScratchDirectory directory;
  const fs::path file = directory.path() / "model.safetensors";
  const std::vector<float> values{1.5f, -2.0f, 3.25f, 0.0f, 1e-30f, 7.0f};
  const std::string note = "두 문장\n";
  write_safetensors(
      file,
      std::vector<TensorToWrite>{{"b.weight", DType::f32, {2, 3}, std::as_bytes(std::span(values))},
                                 {"note", DType::u8, {note.size()}, std::as_bytes(std::span(note))},
                                 {"empty", DType::f32, {0}, {}}},
      {{"format", "pt"}});
  const Checkpoint checkpoint = open_checkpoint(file);
  ASSERT_EQ(checkpoint.tensors().size(), 3u);
  std::vector<float> read(6);
  checkpoint.find("b.weight")->read(0, read);
  EXPECT_EQ(read, values);
  EXPECT_EQ(checkpoint.find("b.weight")->shape, (std::vector<std::size_t>{2, 3}));
  const auto bytes = checkpoint.find("note")->bytes;
  EXPECT_EQ(std::memcmp(bytes.data(), note.data(), note.size()), 0);
  // Loaders that map the file want its numbers aligned.
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(checkpoint.find("b.weight")->bytes.data()) % 8, 0u);
}

TEST(SafetensorsWriter, LeavesNothingWhereItCannotWrite) {
  const test::ScratchDirectory directory;
  const std::vector<float> values(4);
  const std::vector<TensorToWrite> right{{"a", DType::f32, {4}, std::as_bytes(std::span(values))}};
  EXPECT_THROW(write_safetensors(directory.path() / "no" / "model.safetensors", right), IoError);
  const std::vector<TensorToWrite> wrong{{"a", DType::f32, {5}, std::as_bytes(std::span(values))}};
  EXPECT_THROW(write_safetensors(directory.path() / "model.safetensors", wrong), UsageError);
  EXPECT_TRUE(fs::is_empty(directory.path()));
  if (fs::exists("/dev/full")) {
    // Under the name of a folder nothing can be put.
    fs::create_directory(directory.path() / "folder");
    EXPECT_THROW(write_whole_file(directory.path() / "folder", "text"), IoError);
    EXPECT_TRUE(fs::is_empty(directory.path() / "folder"));
  }
}

TEST(SafetensorsWriter, ReplacesAWholeFileByAWholeFile) {
  const test::ScratchDirectory directory;
  const fs::path file = directory.path() / "text";
  write_whole_file(file, "one");
  write_whole_file(file, "two, longer");
  EXPECT_EQ(test::read_bytes(file), "two, longer");
  rename_durably(file, directory.path() / "other");
  EXPECT_FALSE(fs::exists(file));
  EXPECT_THROW(rename_durably(file, directory.path() / "third"), IoError);
}

}  // namespace
}  // namespace klue
