// Downloads, from a hub on the loopback address.

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/fetch_fixture.hpp"

namespace klue::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST_F(HubFetch, BringsWhatLoadingTakesAndNothingElse) {
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_THAT(names_in(snapshot()),
              UnorderedElementsAre("config.json", "tokenizer.json", "tokenizer_config.json",
                                   "vocab.txt", "model.safetensors"));
  for (const std::string& name : names_in(snapshot()))
    EXPECT_EQ(read_bytes(snapshot() / name), small_model().at(name)) << name;
}

TEST_F(HubFetch, LaysTheCacheOutAsHuggingFaceDoes) {
  fetch();
  const std::string config = git_hash_of_text(small_model().at("config.json"));
  EXPECT_EQ(fs::read_symlink(snapshot() / "config.json"), "../../blobs/" + config);
  EXPECT_EQ(fs::read_symlink(snapshot() / "model.safetensors"),
            "../../blobs/" + sha256_of_text(weights()));
  EXPECT_EQ(read_bytes(folder() / "refs" / "main"), commit_);
  EXPECT_TRUE(fs::exists(folder() / ".no_exist" / commit_ / "modules.json"));
  EXPECT_TRUE(
      fs::exists(cache_.path() / ".locks" / "models--klue--roberta-base" / (config + ".lock")));
  for (const std::string& name : names_in(cache_.path())) {
    EXPECT_THAT(name, Not(HasSubstr(".incomplete")));
    EXPECT_THAT(name, Not(HasSubstr(".tmp")));
  }
  expect_whole_files_only();
}

TEST_F(HubFetch, WhatIsThereIsNotAskedForAgain) {
  fetch();
  server_.forget_requests();
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(fetch(std::string(kName) + "@" + commit_), snapshot());
  EXPECT_THAT(server_.requests(), IsEmpty());
  hub::Options offline = options();
  offline.offline = true;
  EXPECT_EQ(hub::fetch(kName, offline), snapshot());
}

TEST_F(HubFetch, OfflineMeansNoNetwork) {
  hub::Options offline = options();
  offline.offline = true;
  EXPECT_THAT(message_of<IoError>([&] { hub::fetch(kName, offline); }),
              HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_THAT(names_in(cache_.path()), IsEmpty());
}

TEST_F(HubFetch, OnlyMissingFilesAreFetched) {
  fetch();
  fs::remove(snapshot() / "config.json");  // the link; the blob is still there
  fs::remove(blob_of(weights()));          // the blob; the link leads nowhere
  server_.forget_requests();
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_THAT(server_.downloads(), SizeIs(1));
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
  EXPECT_EQ(read_bytes(snapshot() / "config.json"), small_model().at("config.json"));
}

TEST_F(HubFetch, ABlobOfTheWrongSizeIsReplaced) {
  fetch();
  fs::resize_file(blob_of(weights()), 1000);
  fs::remove(snapshot() / "model.safetensors");
  fetch();
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
  expect_whole_files_only();
}

TEST_F(HubFetch, ACacheThatDoesNotTellOfModulesIsCompleted) {
  Files files = small_model();
  files["modules.json"] = R"([
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])";
  files["1_Pooling/config.json"] = R"({"pooling_mode_cls_token": true})";
  commit_ = server_.publish(kName, files);
  fetch();
  fs::remove(snapshot() / "modules.json");
  fs::remove_all(snapshot() / "1_Pooling");
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "1_Pooling" / "config.json"), files["1_Pooling/config.json"]);
}

TEST_F(HubFetch, ModulesWithTheirFolders) {
  Files files = small_model();
  files["modules.json"] = R"([
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}])";
  files["sentence_bert_config.json"] = R"({"max_seq_length": 128})";
  files["1_Pooling/config.json"] = "{}";
  files["2_Dense/config.json"] = R"({"in_features": 1})";
  files["2_Dense/pytorch_model.bin"] = random_bytes(1000, 5);
  files["2_Dense/README.md"] = "not needed";
  commit_ = server_.publish(kName, files);
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_THAT(names_in(snapshot()),
              UnorderedElementsAre("config.json", "tokenizer.json", "tokenizer_config.json",
                                   "vocab.txt", "model.safetensors", "modules.json",
                                   "sentence_bert_config.json", "1_Pooling/config.json",
                                   "2_Dense/config.json", "2_Dense/pytorch_model.bin"));
  EXPECT_EQ(fs::read_symlink(snapshot() / "1_Pooling" / "config.json"),
            "../../../blobs/" + git_hash_of_text("{}"));
  EXPECT_FALSE(fs::exists(folder() / ".no_exist"));
  server_.forget_requests();
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(HubFetch, AnEncoderInAModuleOfItsOwn) {
  Files files{{"modules.json", R"([
                {"path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
                {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])"},
              {"0_Transformer/config.json", "{}"},
              {"0_Transformer/vocab.txt", "[PAD]\n"},
              {"0_Transformer/pytorch_model.bin", random_bytes(1000)},
              {"1_Pooling/config.json", "{ }"}};
  commit_ = server_.publish(kName, files);
  fetch();
  EXPECT_THAT(names_in(snapshot()), SizeIs(files.size()));
}

TEST_F(HubFetch, Shards) {
  for (const std::string format : {"model.safetensors", "pytorch_model.bin"}) {
    const std::string ending = format.substr(format.find('.'));
    Files files = small_model();
    files.erase("model.safetensors");
    files.erase("pytorch_model.bin");
    files[format + ".index.json"] =
        R"({"weight_map": {"a": "part-1)" + ending + R"(", "b": "part-2)" + ending + R"("}})";
    files["part-1" + ending] = random_bytes(2000, 3);
    files["part-2" + ending] = random_bytes(2000, 4);
    files["part-3" + ending] = "of another model";
    commit_ = server_.publish(kName, files);
    fs::remove_all(folder());
    fetch();
    EXPECT_EQ(read_bytes(snapshot() / ("part-1" + ending)), files["part-1" + ending]);
    EXPECT_EQ(read_bytes(snapshot() / ("part-2" + ending)), files["part-2" + ending]);
    EXPECT_FALSE(fs::exists(snapshot() / ("part-3" + ending)));
  }
}

TEST_F(HubFetch, ARepositoryWithoutWeightsThatAreRead) {
  Files files = small_model();
  files.erase("model.safetensors");
  files.erase("pytorch_model.bin");
  server_.publish(kName, files);
  EXPECT_THAT(message_of<UnsupportedError>([&] { fetch(); }), HasSubstr("model.safetensors"));
  EXPECT_FALSE(fs::exists(folder() / "refs"));
}

TEST_F(HubFetch, Revisions) {
  Files files = small_model();
  files["model.safetensors"] = random_bytes(1000, 7);
  commit_ = server_.publish(kName, files, "refs/pr/1");
  EXPECT_EQ(fetch(std::string(kName) + "@refs/pr/1"), snapshot());
  EXPECT_EQ(read_bytes(folder() / "refs" / "refs" / "pr" / "1"), commit_);
  EXPECT_FALSE(fs::exists(folder() / "refs" / "main"));
  fs::remove_all(folder());
  EXPECT_EQ(fetch(std::string(kName) + "@" + commit_), snapshot());
  EXPECT_FALSE(fs::exists(folder() / "refs"));
}

TEST_F(HubFetch, AModelThatWasRenamed) {
  server_.rename(kName, "klue/new-name");
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
}

TEST_F(HubFetch, AnEndpointWithASlashAtItsEnd) {
  hub::Options slash = options();
  slash.endpoint += "/";
  EXPECT_EQ(hub::fetch(kName, slash), snapshot());
}

TEST_F(HubFetch, Progress) {
  hub::Options watched = options();
  std::uint64_t last = 0, total = 0;
  std::set<std::string> files;
  watched.progress = [&](const hub::Progress& progress) {
    EXPECT_LE(progress.received, progress.total);
    EXPECT_GE(progress.received, last);
    EXPECT_TRUE(total == 0 || progress.total == total);  // known from the beginning
    last = progress.received;
    total = progress.total;
    files.insert(std::string(progress.file));
  };
  hub::fetch(kName, watched);
  std::uint64_t size = 0;
  for (const std::string& name : names_in(snapshot()))
    size += fs::file_size(snapshot() / name);
  EXPECT_EQ(last, size);
  EXPECT_EQ(total, size);
  EXPECT_THAT(files, Contains("model.safetensors"));
}

TEST_F(HubFetch, AnExceptionOfTheProgressEndsIt) {
  hub::Options watched = options();
  watched.progress = [](const hub::Progress& progress) {
    if (progress.file == "model.safetensors") throw std::logic_error("enough");
  };
  EXPECT_EQ(message_of<std::logic_error>([&] { hub::fetch(kName, watched); }), "enough");
  EXPECT_FALSE(fs::exists(folder() / "refs"));
  EXPECT_EQ(fetch(), snapshot());
}

// ------------------------------------------------------------------------------------ refusals

TEST_F(HubFetch, NoSuchModelOrRevision) {
  std::string message = message_of<IoError>([&] { fetch("klue/roberta-bse"); });
  EXPECT_THAT(message, HasSubstr("klue/roberta-bse@main"));
  EXPECT_THAT(message, HasSubstr("no such model"));
  EXPECT_THAT(message, HasSubstr("404"));
  message = message_of<IoError>([&] { fetch(std::string(kName) + "@v9"); });
  EXPECT_THAT(message, HasSubstr("klue/roberta-base@v9"));
  EXPECT_THAT(message, HasSubstr("no such revision"));
  EXPECT_THAT(names_in(cache_.path()), IsEmpty());
}

TEST_F(HubFetch, ATokenIsAskedForAndSent) {
  server_.require_token("hf_secret");
  std::string message = message_of<IoError>([&] { fetch(); });
  EXPECT_THAT(message, HasSubstr("set HF_TOKEN"));
  EXPECT_THAT(message, HasSubstr("401"));
  hub::Options wrong = options();
  wrong.token = "hf_wrong";
  message = message_of<IoError>([&] { hub::fetch(kName, wrong); });
  EXPECT_THAT(message, HasSubstr("does not accept the token"));
  EXPECT_THAT(message, Not(HasSubstr("hf_wrong")));
  hub::Options right = options();
  right.token = "hf_secret";
  EXPECT_EQ(hub::fetch(kName, right), snapshot());
}

TEST_F(HubFetch, TheTokenIsSentToTheHubOnly) {
  server_.require_token("hf_secret");
  hub::Options right = options();
  right.token = "hf_secret";
  hub::fetch(kName, right);
  int to_hub = 0, to_storage = 0;
  for (const Request& request : server_.requests()) {
    const bool storage = request.host == server_.storage();
    ++(storage ? to_storage : to_hub);
    EXPECT_EQ(request.headers.contains("authorization"), !storage) << request.path;
    for (const auto& [name, value] : request.headers)
      EXPECT_EQ(value.find("hf_secret") != value.npos, name == "authorization") << name;
  }
  EXPECT_GT(to_hub, 5);
  EXPECT_GT(to_storage, 0);
}

TEST_F(HubFetch, ATokenThatWouldBeMoreThanOneLine) {
  hub::Options evil = options();
  evil.token = "hf_secret\r\nX-Evil: 1";
  const std::string message = message_of<UsageError>([&] { hub::fetch(kName, evil); });
  EXPECT_THAT(message, HasSubstr("HF_TOKEN"));
  EXPECT_THAT(message, Not(HasSubstr("hf_secret")));
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(HubFetch, AccessThatHasToBeAskedFor) {
  server_.set_faults({.status = 403});
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }),
              testing::AllOf(HasSubstr("ask for access"), HasSubstr("HF_TOKEN"), HasSubstr("403")));
}

TEST_F(HubFetch, AHubThatIsNotThere) {
  hub::Options nowhere = options();
  nowhere.endpoint = "http://127.0.0.1:1";
  EXPECT_THAT(
      message_of<IoError>([&] { hub::fetch(kName, nowhere); }),
      testing::AllOf(HasSubstr("cannot reach the hub"), HasSubstr("127.0.0.1:1/api/models/klue/")));
  for (const char* endpoint : {"", "huggingface", "ftp://127.0.0.1", "file:///etc", "http://"}) {
    nowhere.endpoint = endpoint;
    EXPECT_THAT(message_of<UsageError>([&] { hub::fetch(kName, nowhere); }), HasSubstr("endpoint"))
        << endpoint;
  }
}

TEST_F(HubFetch, AHubInTroubleAndACacheThatWouldDo) {
  server_.set_faults({.status = 503});
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }), HasSubstr("503"));
  server_.set_faults({});
  fetch();
  fs::remove_all(folder() / ".no_exist");  // as if another program had made it
  server_.set_faults({.status = 503});
  EXPECT_EQ(fetch(), snapshot());
}

TEST_F(HubFetch, ACacheThatCannotBeWritten) {
  fs::remove_all(cache_.path());
  std::ofstream(cache_.path()) << "a file";
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }),
              testing::AllOf(HasSubstr(cache_.path().string()), HasSubstr("cache of models")));
}

/// Root may write everywhere; within the scope of this, the process is somebody else.
class NobodyInParticular {
 public:
  NobodyInParticular() { change_to(65534); }
  ~NobodyInParticular() { change_to(0); }

 private:
  void change_to(uid_t user) const {
    if (root_ && ::seteuid(user) != 0) ADD_FAILURE() << "cannot become user " << user;
  }

  const bool root_ = ::geteuid() == 0;
};

TEST_F(HubFetch, AReadOnlyCache) {
  fs::permissions(cache_.path(), fs::perms(0555));
  {
    const NobodyInParticular nobody;
    EXPECT_THAT(message_of<IoError>([&] { fetch(); }),
                testing::AllOf(HasSubstr(cache_.path().string()), HasSubstr("Permission denied")));
  }
  fs::permissions(cache_.path(), fs::perms(0755));
  fetch();
  fs::remove_all(folder() / ".no_exist");
  for (const fs::path& directory : {cache_.path(), folder()})
    fs::permissions(directory, fs::perms(0555));
  {
    const NobodyInParticular nobody;
    EXPECT_EQ(fetch(), snapshot());  // what is in it can be used
  }
  for (const fs::path& directory : {cache_.path(), folder()})
    fs::permissions(directory, fs::perms(0755));
}

// ----------------------------------------------------------------------- a cache of many disks

/// A folder on another file system than the tests' own, where there is one.
class OtherDisk {
 public:
  OtherDisk() {
    std::string path = "/dev/shm/klue-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  OtherDisk(const OtherDisk&) = delete;
  OtherDisk& operator=(const OtherDisk&) = delete;
  ~OtherDisk() {
    if (!path_.empty()) fs::remove_all(path_);
  }
  /// Another folder of the same disk where there is no other.
  fs::path folder(const fs::path& otherwise) const {
    const fs::path folder = (path_.empty() ? otherwise : path_) / "elsewhere";
    fs::create_directories(folder);
    return folder;
  }

 private:
  fs::path path_;
};

TEST_F(HubFetch, APartOfTheCacheThatIsALink) {
  for (const char* part : {"snapshots", "blobs", "refs", ".no_exist", "../.locks", "."}) {
    SCOPED_TRACE(part);
    const ScratchDirectory cache;
    const OtherDisk disk;
    const fs::path folder = cache.path() / "models--klue--roberta-base";
    const fs::path link = (folder / part).lexically_normal();
    const fs::path itself = link.has_filename() ? link : link.parent_path();
    fs::create_directories(itself.parent_path());
    fs::create_directory_symlink(disk.folder(cache.path()), itself);
    hub::Options other = options();
    other.cache = cache.path();
    const fs::path snapshot = folder / "snapshots" / commit_;
    EXPECT_EQ(hub::fetch(kName, other), snapshot);
    EXPECT_EQ(read_bytes(snapshot / "model.safetensors"), weights());
    server_.forget_requests();
    EXPECT_EQ(hub::fetch(kName, other), snapshot);
    EXPECT_THAT(server_.requests(), IsEmpty());
  }
}

TEST_F(HubFetch, APartOfTheCacheThatIsALinkToNowhere) {
  for (const char* part : {"snapshots", "blobs", "refs", ".no_exist"}) {
    SCOPED_TRACE(part);
    for (const fs::path& target : {cache_.path() / "nowhere" / "at" / "all", fs::path(part)}) {
      fs::remove_all(folder());
      fs::create_directories(folder());
      fs::create_directory_symlink(target, folder() / part);
      EXPECT_THAT(message_of<IoError>([&] { fetch(); }), HasSubstr(part));
    }
  }
}

TEST_F(HubFetch, ARevisionThatIsAFifoDoesNotMakeItWait) {
  fs::create_directories(folder() / "refs");
  ASSERT_EQ(::mkfifo((folder() / "refs" / "main").c_str(), 0600), 0);
  EXPECT_EQ(hub::find_cached(kName, options()), std::nullopt);
  EXPECT_EQ(fetch(), snapshot());
}

}  // namespace
}  // namespace klue::test
