// What the file system refuses: always an IoError with the file, never an exception of the standard
// library.

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/klue.hpp>

#include "child.hpp"
#include "model/model_directory.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;
using test::fixture;
using test::ModelDirectory;
using test::thrown;
using testing::HasSubstr;

const LoadOptions kOneThread{.threads = 1};

void replace_by_loop(const ModelDirectory& model, const std::string& name) {
  fs::remove(model.path() / name);
  fs::create_symlink(name, model.path() / name);
}

TEST(Unreadable, ALinkThatLeadsToItself) {
  for (const char* name : {"modules.json", "config.json", "tokenizer.json", "tokenizer_config.json",
                           "vocab.txt", "model.safetensors", "special_tokens_map.json"}) {
    SCOPED_TRACE(name);
    const ModelDirectory model;
    replace_by_loop(model, name);
    const auto error = thrown<IoError>([&] { Model::load(model.path(), kOneThread); });
    EXPECT_EQ(error.file(), (model.path() / name).string());
    EXPECT_THAT(error.actual(), HasSubstr("symbolic link"));
  }
}

TEST(Unreadable, ALinkThatLeadsToItselfBesideModules) {
  for (const char* name : {"sentence_bert_config.json", "config_sentence_transformers.json"}) {
    SCOPED_TRACE(name);
    const ModelDirectory model;
    model.write("modules.json", R"([
      {"path": "", "type": "sentence_transformers.models.Transformer"},
      {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])");
    model.write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
    Model::load(model.path(), kOneThread);
    replace_by_loop(model, name);
    const auto error = thrown<IoError>([&] { Model::load(model.path(), kOneThread); });
    EXPECT_EQ(error.file(), (model.path() / name).string());
  }
}

TEST(Unreadable, ALinkThatLeadsToItselfAsTheModel) {
  const test::ScratchDirectory scratch;
  for (const char* name : {"model", "model.tar", "model.tar.gz"}) {
    const fs::path link = scratch.path() / name;
    fs::create_symlink(link.filename(), link);
    EXPECT_EQ(thrown<IoError>([&] { Model::load(link, kOneThread); }).file(), link.string());
    EXPECT_EQ(thrown<IoError>([&] { load_preprocessor(link, kOneThread); }).file(), link.string());
    EXPECT_EQ(thrown<IoError>([&] { open_checkpoint(link); }).file(), link.string());
    const LoadOptions with_tokenizer{.threads = 1, .preprocessor = link};
    EXPECT_EQ(thrown<IoError>([&] { Model::load(fixture("tiny-11-saved-model"), with_tokenizer); })
                  .file()
                  .substr(0, link.string().size()),
              link.string());
  }
}

TEST(Unreadable, NamesThatAreTooLong) {
  for (const std::string& name : {std::string(300, 'x'), std::string(300, 'x') + ".tar",
                                  std::string(300, 'x') + ".tar.gz", std::string(5000, 'x')}) {
    EXPECT_EQ(thrown<IoError>([&] { Model::load(name, kOneThread); }).file(), name);
    EXPECT_EQ(thrown<IoError>([&] { load_preprocessor(name, kOneThread); }).file(), name);
    EXPECT_EQ(thrown<IoError>([&] { open_checkpoint(name); }).file(), name);
    thrown<IoError>(
        [&] { Model::load(fixture("tiny-11-saved-model"), {.threads = 1, .preprocessor = name}); });
    thrown<IoError>([&] { Model::load(fixture("tiny-11"), {.threads = 1, .preprocessor = name}); });
  }
}

TEST(Unreadable, NoPermission) {
  const ModelDirectory model;
  fs::create_directory(model.path() / "inner");
  const test::ScratchDirectory scratch;
  const fs::path archive = scratch.write("private/model.tar.gz", "x");
  const fs::path locked[] = {model.path(), archive.parent_path()};
  for (const fs::path& folder : locked)
    fs::permissions(folder, fs::perms::none);
  // Root may read everything, so the child becomes somebody else.
  const int result = test::run_child([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
    int refused = 0;
    for (const fs::path& path : {model.path(), archive, model.path() / "inner"}) {
      try {
        Model::load(path, kOneThread);
      } catch (const IoError&) {
        ++refused;
      }
      try {
        load_preprocessor(path, kOneThread);
      } catch (const IoError&) {
        ++refused;
      }
    }
    return refused == 6 ? 0 : 2;
  });
  for (const fs::path& folder : locked)
    fs::permissions(folder, fs::perms::owner_all);
  EXPECT_EQ(result, 0);
}

// A SavedModel looks for its vocabulary beside itself.
TEST(Unreadable, AWorkingDirectoryThatIsGone) {
  const int result = test::run_child([] {
    const fs::path gone = fs::temp_directory_path() / ("klue-gone-" + std::to_string(::getpid()));
    fs::create_directory(gone);
    fs::current_path(gone);
    fs::remove(gone);
    int refused = 0;
    for (const char* path : {"model", "model.tar.gz", ""}) {
      try {
        Model::load(path, kOneThread);
      } catch (const IoError&) {
        ++refused;
      }
    }
    return refused == 3 ? 0 : 1;
  });
  EXPECT_EQ(result, 0);
}

TEST(Unreadable, AFifoDoesNotMakeItWait) {
  for (const char* name : {"config.json", "vocab.txt", "tokenizer.json", "model.safetensors",
                           "tokenizer_config.json"}) {
    SCOPED_TRACE(name);
    const ModelDirectory model;
    fs::remove(model.path() / name);
    ASSERT_EQ(::mkfifo((model.path() / name).c_str(), 0600), 0);
    const auto error = thrown<IoError>([&] { Model::load(model.path(), kOneThread); });
    EXPECT_EQ(error.file(), (model.path() / name).string());
  }
}

}  // namespace
}  // namespace klue
