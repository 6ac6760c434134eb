// The TF-Hub modules as they are published: each a .tar.gz.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "checkpoint/tar_writer.hpp"
#include "model/model_directory.hpp"
#if KLUE_WITH_ZLIB
#include "checkpoint/gzip_writer.hpp"
#endif

namespace klue {
namespace {

namespace fs = std::filesystem;

using test::fixture;
using test::ScratchDirectory;
using test::tar;
using test::tar_entries;
using test::TarEntry;
using test::thrown;
using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* kModel = "klue_roberta_cased_L-12_H-768_A-12_1.tar";
constexpr const char* kPreprocessor = "klue_roberta_cased_preprocess_1.tar";

// The members of the SavedModel, with or without the vocabulary.
std::vector<TarEntry> saved_model(const std::string& prefix, bool with_assets) {
  std::vector<TarEntry> entries = tar_entries(fixture("tiny-11-saved-model"), prefix);
  if (!with_assets)
    std::erase_if(entries, [](const TarEntry& e) { return e.name.find("assets") != e.name.npos; });
  return entries;
}

std::vector<TarEntry> preprocessor() {
  return {{.name = "./saved_model.pb", .content = "graph"},
          {.name = "./assets/vocab.txt",
           .content = test::read_bytes(fixture("tiny-11-saved-model") / "assets/vocab.txt")}};
}

void expect_same_model(const Model& model) {
  const Model same = Model::load(fixture("tiny-11-saved-model"));
  const Texts texts{"첫 번째 문장", "두 번째 문장은 조금 더 길다.", "\u3000[MASK]"};
  EXPECT_EQ(model.preprocessor().dialect(), Dialect::tensorflow);
  EXPECT_TRUE(std::ranges::equal(model.encode(texts).sequence_output.values(),
                                 same.encode(texts).sequence_output.values()));
}

TEST(PackedModel, IsReadWhereverItLiesInTheArchive) {
  for (const char* prefix : {"", "./", "klue_roberta_cased_L-12_H-768_A-12/1/"}) {
    const ScratchDirectory directory;
    const Model model =
        Model::load(directory.write(kModel, tar(saved_model(prefix, /*with_assets=*/true))));
    expect_same_model(model);
    EXPECT_EQ(model.info().weights_format, "packed TensorFlow checkpoint");
    EXPECT_THAT(model.info().weights_file.string(), EndsWith("variables/variables.index"));
  }
}

TEST(PackedModel, SurvivesTheRemovalOfItsFile) {
  const ScratchDirectory directory;
  const fs::path file = directory.write(kModel, tar(saved_model("./", true)));
  const Model model = Model::load(file);
  fs::remove(file);
  expect_same_model(model);
}

TEST(PackedModel, FindsTheVocabularyBesideItOrWhereItIsTold) {
  const ScratchDirectory directory;
  const fs::path file = directory.write(kModel, tar(saved_model("./", false)));
  EXPECT_THAT(thrown<IoError>([&] { Model::load(file); }).what(), HasSubstr("preprocess module"));

  const fs::path elsewhere = directory.write("elsewhere/p.tar", tar(preprocessor()));
  expect_same_model(Model::load(file, {.preprocessor = elsewhere}));
  expect_same_model(Model::load(file, {.preprocessor = fixture("tiny-11-saved-model")}));
  EXPECT_EQ(load_preprocessor(elsewhere).tokenizer().vocabulary().size(), 1200u);
  EXPECT_EQ(load_preprocessor(file, {.preprocessor = elsewhere}).dialect(), Dialect::tensorflow);

  directory.write("klue_roberta_cased_preprocess/assets/vocab.txt", preprocessor()[1].content);
  expect_same_model(Model::load(file));
}

TEST(PackedModel, DamageIsFound) {
  const ScratchDirectory directory;
  const auto refused = [&](std::vector<TarEntry> entries) {
    const fs::path file = directory.write(kModel, tar(entries));
    return thrown<FormatError>([&] { Model::load(file); });
  };
  EXPECT_THAT(refused(preprocessor()).what(), HasSubstr("no SavedModel in the archive"));
  EXPECT_THAT(refused({}).what(), HasSubstr("no SavedModel in the archive"));

  std::vector<TarEntry> entries = saved_model("./", true);
  std::erase_if(entries, [](const TarEntry& e) { return e.name.find(".data-") != e.name.npos; });
  EXPECT_THAT(refused(entries).expected(), EndsWith("variables/variables.data-00000-of-00001"));

  entries = saved_model("./", true);
  for (TarEntry& entry : entries)
    if (entry.name.find(".data-") != entry.name.npos) entry.content[1000] ^= 1;
  EXPECT_THAT(refused(entries).what(), HasSubstr("checksum"));

  const fs::path file = directory.write(kModel, tar(saved_model("./", false)));
  const fs::path empty = directory.write("empty.tar", tar({}));
  EXPECT_THAT(thrown<FormatError>([&] { Model::load(file, {.preprocessor = empty}); }).what(),
              HasSubstr("no vocabulary in the archive"));
}

TEST(PackedModel, IsCutShortAtManyLengths) {
  const ScratchDirectory directory;
  const std::string whole = tar(saved_model("./", true));
  for (std::size_t i = 0; i < 40; ++i) {
    const fs::path file = directory.write(kModel, whole.substr(0, whole.size() * i / 40));
    thrown<FormatError>([&] { Model::load(file); });
  }
}

#if KLUE_WITH_ZLIB

TEST(PackedModel, IsReadAsItIsPublished) {
  const ScratchDirectory directory;
  const fs::path file =
      directory.write(kModel + std::string(".gz"), test::gzip(tar(saved_model("./", false))));
  directory.write(kPreprocessor + std::string(".gz"), test::gzip(tar(preprocessor())));
  expect_same_model(Model::load(file));
  EXPECT_EQ(load_preprocessor(file).tokenizer().vocabulary().size(), 1200u);
}

// A module that is unpacked beside a preprocess module that is not.
TEST(SavedModel, FindsAPackedVocabularyBesideIt) {
  const ScratchDirectory directory;
  const fs::path model = directory.path() / "klue_roberta_cased_L-12_H-768_A-12";
  fs::copy(fixture("tiny-11-saved-model"), model, fs::copy_options::recursive);
  fs::remove_all(model / "assets");
  directory.write(kPreprocessor + std::string(".gz"), test::gzip(tar(preprocessor())));
  expect_same_model(Model::load(model));
}

TEST(PackedModel, IsRefusedWhereItsCompressionIsDamaged) {
  const ScratchDirectory directory;
  const std::string whole = test::gzip(tar(saved_model("./", true)));
  for (std::size_t i = 0; i < 40; ++i) {
    const fs::path file =
        directory.write(kModel + std::string(".gz"), whole.substr(0, whole.size() * i / 40));
    thrown<FormatError>([&] { Model::load(file); });
  }
}

#endif

}  // namespace
}  // namespace klue
