// Models whose files are in memory, against the same models in their directories.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/tar_writer.hpp"
#include "model/model_directory.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

const std::vector<std::string> kFilesTexts{"첫 번째 문장", "두 번째 문장은 조금 더 길다.", "",
                                           "[MASK]"};

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(directory).generic_string()] = read_bytes(entry.path());
  return files;
}

MemoryFiles in_memory(const fs::path& directory) {
  MemoryFiles files;
  for (auto& [name, content] : contents(directory))
    files.add(name, content);
  return files;
}

// Counts how often it is asked for each name.
class Counting final : public Files {
 public:
  explicit Counting(const Files& files) : files_(files) {}
  std::optional<FileBytes> find(std::string_view name) const override {
    ++asked[std::string(name)];
    return files_.find(name);
  }
  mutable std::map<std::string, int> asked;

 private:
  const Files& files_;
};

class ModelInMemory : public testing::TestWithParam<std::string> {
 protected:
  fs::path directory() const {
    return GetParam() == "demo" ? fs::path(KLUE_TEST_DIR) / "../models/demo" : fixture(GetParam());
  }
};

TEST_P(ModelInMemory, IsTheModelOfTheDirectory) {
  const Model expected = Model::load(directory());
  // Nothing but the model keeps the files.
  const Model model = Model::load(in_memory(directory()));
  EXPECT_TRUE(
      std::ranges::equal(model.embed(kFilesTexts).values(), expected.embed(kFilesTexts).values()));
  EXPECT_TRUE(std::ranges::equal(model.encode(kFilesTexts).sequence_output.values(),
                                 expected.encode(kFilesTexts).sequence_output.values()));
  EXPECT_EQ(model.info().weights_format, expected.info().weights_format);
  EXPECT_EQ(model.info().poolings, expected.info().poolings);
  EXPECT_EQ(model.info().normalize, expected.info().normalize);
  EXPECT_EQ(model.info().max_length, expected.info().max_length);
  EXPECT_EQ(model.info().directory, "memory");
}

TEST_P(ModelInMemory, AsksForEachFileOnce) {
  const MemoryFiles files = in_memory(directory());
  const Counting counting(files);
  Model::load(counting);
  EXPECT_GT(counting.asked.size(), 3u);
  EXPECT_FALSE(counting.asked.contains(""));
  for (const auto& [name, times] : counting.asked)
    EXPECT_EQ(times, 1) << name;
}

// Pages of a mapped file are given back once they are packed; a caller's memory must not be.
TEST_P(ModelInMemory, LeavesTheBytesAsTheyAre) {
  std::map<std::string, std::string> before = contents(directory()), bytes = before;
  MemoryFiles files;
  for (const auto& [name, content] : bytes)
    files.add_view(name, std::as_bytes(std::span(content)));
  Model::load(files).embed(kFilesTexts);
  EXPECT_EQ(bytes, before);
}

INSTANTIATE_TEST_SUITE_P(Formats, ModelInMemory,
                         testing::Values("tiny-11", "tiny-11-shards", "tiny-11-bin",
                                         "tiny-11-bin-shards", "tiny-11-legacy-bin",
                                         "tiny-11-saved-model", "tiny-11-seqcls", "demo"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(ModelInMemory, CanHaveItsTokenizerInAnotherFolder) {
  MemoryFiles files;
  for (auto& [name, content] : contents(fixture("tiny-11-saved-model")))
    files.add(name.starts_with("assets/") ? "preprocess/" + name : name, content);
  EXPECT_EQ(thrown<IoError>([&] { Model::load(files); }).file(), "memory");
  const Model model = Model::load(files, {.preprocessor = "preprocess"});
  const Model expected = Model::load(fixture("tiny-11-saved-model"));
  EXPECT_TRUE(
      std::ranges::equal(model.embed(kFilesTexts).values(), expected.embed(kFilesTexts).values()));
}

TEST(ModelInMemory, CanHaveItsTokenizerInAnArchive) {
  MemoryFiles files;
  for (auto& [name, content] : contents(fixture("tiny-11-saved-model")))
    if (!name.starts_with("assets/")) files.add(name, content);
  files.add("preprocess.tar",
            tar({{.name = "./assets/vocab.txt",
                  .content = read_bytes(fixture("tiny-11-saved-model") / "assets/vocab.txt")}}));
  const Model model = Model::load(files, {.preprocessor = "preprocess.tar"});
  EXPECT_EQ(model.preprocessor().encode(kFilesTexts[0]).ids,
            Model::load(fixture("tiny-11-saved-model")).preprocessor().encode(kFilesTexts[0]).ids);
}

TEST(ModelInMemory, GivesItsTokenizerAlone) {
  const fs::path directory = fixture("tiny-11");
  MemoryFiles files;
  for (auto& [name, content] : contents(directory))
    if (!name.starts_with("model.")) files.add(name, content);
  EXPECT_EQ(load_preprocessor(files).encode(kFilesTexts[1]).ids,
            load_preprocessor(directory).encode(kFilesTexts[1]).ids);
}

TEST(ModelInMemory, NamesItsFilesInErrors) {
  MemoryFiles files = in_memory(fixture("tiny-11"));
  files.add("config.json", std::string("{"));
  EXPECT_EQ(thrown<FormatError>([&] { Model::load(files); }).file(), "memory/config.json");
  EXPECT_EQ(thrown<IoError>([] { Model::load(MemoryFiles()); }).file(), "memory/config.json");

  MemoryFiles no_weights;
  for (auto& [name, content] : contents(fixture("tiny-11")))
    if (!name.starts_with("model.")) no_weights.add(name, content);
  const auto error = thrown<IoError>([&] { Model::load(no_weights); });
  EXPECT_EQ(error.file(), "memory");
  EXPECT_THAT(error.expected(), HasSubstr("model.safetensors"));
}

TEST(ModelInMemory, IsReadAsCarefullyAsAFile) {
  const std::string weights = read_bytes(fixture("tiny-11") / "model.safetensors");
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, weights.size() - 1}) {
    MemoryFiles files = in_memory(fixture("tiny-11"));
    files.add("model.safetensors", weights.substr(0, length));
    EXPECT_EQ(thrown<FormatError>([&] { Model::load(files); }).file(), "memory/model.safetensors");
  }
}

TEST(ModelInMemory, LetsWhatTheFilesThrowThrough) {
  struct Locked final : Files {
    std::optional<FileBytes> find(std::string_view) const override {
      throw std::domain_error("no key");
    }
  };
  EXPECT_THROW(Model::load(Locked()), std::domain_error);
}

// ---------------------------------------------------------------------------- embed_into

const Model& tiny_model() {
  static const Model model = Model::load(fixture("tiny-11"), {.threads = 2, .batch_tokens = 16});
  return model;
}

TEST(EmbedInto, GivesTheBitsOfEmbedWhateverWasThere) {
  const std::string longer = "이 다는 사람 전 대 사람 이 다는 사람 전 대 사람 이 다는 사람";
  const std::vector<std::string> texts{"전", longer, "", "이 다는"};
  for (const EmbedOptions& options :
       {EmbedOptions{}, EmbedOptions{.normalize = true}, EmbedOptions{.pooling = Pooling::cls},
        EmbedOptions{.pooling = Pooling::max, .max_length = 4},
        EmbedOptions{.max_length = 8, .long_texts = LongTexts::windows}}) {
    const Tensor expected = tiny_model().embed(texts, options);
    std::vector<float> out(expected.size(), std::numeric_limits<float>::quiet_NaN());
    tiny_model().embed_into(texts, out, options);
    EXPECT_TRUE(std::ranges::equal(out, expected.values()));
  }
  tiny_model().embed_into(std::vector<std::string>{}, {});
}

TEST(EmbedInto, GivesWhatDenseModulesMake) {
  const ModelDirectory directory;
  const std::size_t hidden = tiny_model().encoder().config().hidden_size;
  std::string weight(2 * hidden * sizeof(float), '\0');
  for (std::size_t i = 0; i < 2 * hidden; ++i) {
    const float value = static_cast<float>(i % 7) - 3;
    std::memcpy(weight.data() + i * sizeof value, &value, sizeof value);
  }
  directory.write("modules.json", R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}])");
  fs::create_directories(directory.path() / "1_Pooling");
  fs::create_directories(directory.path() / "2_Dense");
  directory.write("1_Pooling/config.json", "{}");
  directory.write("2_Dense/config.json", R"({"in_features": )" + std::to_string(hidden) +
                                             R"(, "out_features": 2, "bias": false,
                      "activation_function": "torch.nn.modules.linear.Identity"})");
  const std::string header = R"({"linear.weight": {"dtype": "F32", "shape": [2, )" +
                             std::to_string(hidden) + R"(], "data_offsets": [0, )" +
                             std::to_string(weight.size()) + "]}}";
  directory.write("2_Dense/model.safetensors", with_length(header.size(), header + weight));

  const Model model = Model::load(directory.path());
  ASSERT_EQ(model.info().embedding_size, 2u);
  std::vector<float> out(2 * kFilesTexts.size());
  model.embed_into(kFilesTexts, out);
  EXPECT_TRUE(std::ranges::equal(out, model.embed(kFilesTexts).values()));
  EXPECT_TRUE(std::ranges::any_of(out, [](float value) { return value != 0; }));
  // The same directory in memory, its modules in folders.
  EXPECT_TRUE(std::ranges::equal(
      out, Model::load(in_memory(directory.path())).embed(kFilesTexts).values()));
}

TEST(EmbedInto, RefusesMemoryOfAnotherSize) {
  const std::size_t width = tiny_model().info().embedding_size;
  for (const std::size_t size : {std::size_t{0}, width, 2 * width - 1, 2 * width + 1}) {
    std::vector<float> out(size, 7.0f);
    const auto error = thrown<UsageError>([&] { tiny_model().embed_into({"하나", "둘"}, out); });
    EXPECT_EQ(error.field(), "out");
    EXPECT_EQ(error.expected(), std::to_string(2 * width) + " numbers");
    EXPECT_EQ(error.actual(), std::to_string(size));
    EXPECT_TRUE(std::ranges::all_of(out, [](float value) { return value == 7.0f; }));
  }
}

}  // namespace
}  // namespace klue::test
