// Loading a file takes memory and time at most in proportion to its size, whatever is in it:
// docs/robustness.md. Here are files that once asked for far more.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <klue/klue.hpp>

#include "checkpoint/pickle_writer.hpp"
#include "limited_child.hpp"
#include "model/model_directory.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;

using test::Ending;
using test::ending_within;
using test::Limits;
using test::ModelDirectory;
using test::thrown;
using testing::HasSubstr;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

Ending ending_of_load(const ModelDirectory& directory, const Limits& limits,
                      const LoadOptions& options = {.threads = 1}) {
  return ending_within(limits, [&] { Model::load(directory.path(), options); });
}

std::string of_bytes(std::string_view part, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + part.size());
  while (text.size() < bytes)
    text.append(part);
  return text;
}

// ---------------------------------------------------------------------------------------- JSON

// A tree of nodes took a hundred times the text, and destroying it without memory ended the
// process.
TEST(Budget, WideJsonIsRefusedInLittleMemory) {
  const std::string wide[]{"[" + of_bytes("0,", 20 * kMegabyte) + "0]",
                           "{\"a\":[" + of_bytes("{},", 20 * kMegabyte) + "{}]}",
                           "{\"a\":[" + of_bytes("[],", 20 * kMegabyte) + "[]]}",
                           "{" + of_bytes("\"\":0,", 20 * kMegabyte) + "\"\":0}",
                           "[\"" + of_bytes("a", 20 * kMegabyte) + "\"]"};
  for (const std::string& text : wide)
    for (const char* file : {"config.json", "modules.json"}) {
      SCOPED_TRACE(std::string(file) + ": " + text.substr(0, 20));
      const ModelDirectory directory;
      directory.write(file, text);
      EXPECT_EQ(ending_of_load(directory, {.more_memory = 300 * kMegabyte}), Ending::klue_error);
      const Ending with_less = ending_of_load(directory, {.more_memory = 60 * kMegabyte});
      EXPECT_TRUE(with_less == Ending::klue_error || with_less == Ending::no_memory) << with_less;
    }
}

TEST(Budget, DeepJsonIsRefusedAtOnce) {
  for (const char* part : {"[", "{\"a\":"})
    for (const char* file : {"config.json", "modules.json", "tokenizer_config.json"}) {
      const ModelDirectory directory;
      directory.write(file, of_bytes(part, 20 * kMegabyte));
      EXPECT_EQ(ending_of_load(directory, {.seconds = 5}), Ending::klue_error) << file << part;
    }
}

// ------------------------------------------------------------------------------------- sharing

// A .bin whose layers are all windows on one storage: legal, as tied weights are.
void share_layers(const ModelDirectory& directory, std::size_t layers) {
  constexpr std::int64_t hidden = 256, inner = 1024, vocabulary = 1200;
  directory.remove("model.safetensors");
  directory.edit_json("config.json", [&](auto& config) {
    config["hidden_size"] = hidden;
    config["intermediate_size"] = inner;
    config["num_hidden_layers"] = layers;
  });
  const std::int64_t elements = vocabulary * hidden;
  std::string pickle = test::protocol_2 + test::ordered_dict;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    if (shape.size() == 2) strides[0] = shape[1];
    pickle += test::pickled_text(name) +
              test::pickled_tensor(test::pickled_storage(elements), 0, shape, strides) + "s";
  };
  const auto add_layer = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  add("embeddings.word_embeddings.weight", {vocabulary, hidden});
  add("embeddings.position_embeddings.weight", {514, hidden});
  add("embeddings.token_type_embeddings.weight", {1, hidden});
  add("embeddings.LayerNorm.weight", {hidden});
  add("embeddings.LayerNorm.bias", {hidden});
  for (std::size_t i = 0; i < layers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value",
                             "attention.output.dense"})
      add_layer(layer + name, hidden, hidden);
    add_layer(layer + "intermediate.dense", inner, hidden);
    add_layer(layer + "output.dense", hidden, inner);
    for (const char* name : {"attention.output.LayerNorm", "output.LayerNorm"}) {
      add(layer + name + ".weight", {hidden});
      add(layer + name + ".bias", {hidden});
    }
  }
  directory.write("pytorch_model.bin",
                  test::zip({{"archive/data.pkl", pickle + "."},
                             {"archive/data/0", std::string(4 * elements, '\0')}}));
}

// 9.8 MB of them filled any memory.
TEST(Budget, LayersThatShareAStorageHaveALimit) {
  const ModelDirectory directory;
  share_layers(directory, 100);
  EXPECT_EQ(ending_of_load(directory, {.more_memory = 300 * kMegabyte}), Ending::klue_error);
  const auto error = thrown<FormatError>([&] { Model::load(directory.path()); });
  EXPECT_THAT(error.what(), HasSubstr("weight_expansion"));
  EXPECT_THAT(error.field(), HasSubstr("encoder.layer."));
}

TEST(Budget, LayersThatShareAStorageAreLegal) {
  const ModelDirectory twelve, many;
  share_layers(twelve, 12);
  EXPECT_NO_THROW(Model::load(twelve.path()));
  share_layers(many, 40);  // 126 MB of a file of 1.4
  EXPECT_THROW(Model::load(many.path()), FormatError);
  EXPECT_NO_THROW(Model::load(many.path(), {.weight_expansion = 200}));
  EXPECT_NO_THROW(Model::load(many.path(), {.weight_expansion = ~std::size_t{0}}));
}

// --------------------------------------------------------------------------------- large numbers

// 64 GB were asked for before the table's shape was compared.
TEST(Budget, TablesAreComparedBeforeTheyAreRead) {
  for (const char* key : {"max_position_embeddings", "type_vocab_size", "vocab_size",
                          "intermediate_size", "num_hidden_layers"}) {
    const ModelDirectory directory;
    directory.edit_json("config.json", [&](auto& config) { config[key] = 1 << 24; });
    EXPECT_EQ(ending_of_load(directory, {.more_memory = 200 * kMegabyte}), Ending::klue_error)
        << key;
  }
  const ModelDirectory directory;
  directory.edit_json("config.json", [](auto& config) { config["type_vocab_size"] = 1 << 24; });
  EXPECT_EQ(thrown<FormatError>([&] { Model::load(directory.path()); }).field(),
            "roberta.embeddings.token_type_embeddings.weight");
}

// -------------------------------------------------------------------------------- what is no file

TEST(Budget, AFifoMakesNobodyWait) {
  for (const char* file : {"config.json", "vocab.txt", "tokenizer.json", "model.safetensors",
                           "modules.json", "tokenizer_config.json"}) {
    const ModelDirectory directory;
    fs::remove(directory.path() / file);
    ASSERT_EQ(::mkfifo((directory.path() / file).c_str(), 0600), 0);
    EXPECT_EQ(ending_of_load(directory, {.seconds = 2}), Ending::klue_error) << file;
  }
}

TEST(Budget, LinksInCirclesAreAnError) {
  for (const char* file : {"config.json", "modules.json", "model.safetensors"}) {
    const ModelDirectory directory;
    fs::remove(directory.path() / file);
    fs::create_symlink(file, directory.path() / file);
    EXPECT_EQ(test::ending_of([&] { Model::load(directory.path()); }), Ending::klue_error) << file;
  }
  const ModelDirectory directory;
  EXPECT_EQ(test::ending_of(
                [&] { Model::load(directory.path() / std::string(300, 'a').append(".tar")); }),
            Ending::klue_error);
}

TEST(Budget, ATextFileHasALargestSize) {
  for (const char* file : {"config.json", "vocab.txt", "tokenizer.json"}) {
    const ModelDirectory directory;
    fs::resize_file(directory.path() / file, std::uintmax_t{2} << 30);  // takes no room on the disk
    EXPECT_EQ(ending_of_load(directory, {.more_memory = 300 * kMegabyte}), Ending::klue_error)
        << file;
  }
}

}  // namespace
}  // namespace klue
