// Downloads from a hub that lies, is broken or means harm.

#include <gmock/gmock.h>

#include "hub/fetch_fixture.hpp"

namespace klue::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(HubFetch, FileNamesThatLeaveTheRepository) {
  const ScratchDirectory outside;
  for (const std::string& name :
       {std::string("../../../../evil"), std::string("/etc/evil"), std::string("a/../../evil"),
        outside.path().string() + "/evil", std::string("a//b"), std::string("evil\n")}) {
    Files files = small_model();
    files[name] = "evil";
    server_.publish(kName, files);
    EXPECT_THAT(message_of<FormatError>([&] { fetch(); }), HasSubstr("leaves its repository"))
        << name;
    EXPECT_THAT(names_in(cache_.path()), IsEmpty());
  }
  EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST_F(HubFetch, ModulesAndIndicesThatLeaveTheRepository) {
  Files files = small_model();
  files["modules.json"] = R"([{"path": "../..", "type": "sentence_transformers.models.Pooling"}])";
  server_.publish(kName, files);
  EXPECT_THAT(message_of<FormatError>([&] { fetch(); }), HasSubstr("leaves its repository"));
  files = small_model();
  files.erase("model.safetensors");
  files["model.safetensors.index.json"] = R"({"weight_map": {"a": "../../evil"}})";
  server_.publish(kName, files);
  EXPECT_THAT(message_of<FormatError>([&] { fetch(); }), HasSubstr("no plain file name"));
  EXPECT_FALSE(fs::exists(folder() / "refs"));
}

TEST_F(HubFetch, ADamagedFile) {
  server_.set_faults({.damage = true});
  const std::string message = message_of<FormatError>([&] { fetch(); });
  EXPECT_THAT(message, HasSubstr("sha256"));
  EXPECT_THAT(message, HasSubstr(sha256_of_text(weights())));
  EXPECT_THAT(message, HasSubstr("/model.safetensors"));
  EXPECT_FALSE(fs::exists(blob_of(weights())));
  EXPECT_FALSE(fs::exists(folder() / "refs"));
  expect_whole_files_only();
  server_.set_faults({});
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
}

TEST_F(HubFetch, ADamagedSmallFile) {
  Files files = small_model();
  files["tokenizer.json"] = random_bytes(20'000, 9);
  server_.publish(kName, files);
  server_.set_faults({.damage = true});
  EXPECT_THAT(message_of<FormatError>([&] { fetch(); }),
              testing::AllOf(HasSubstr("git hash"), HasSubstr("/tokenizer.json")));
}

TEST_F(HubFetch, AFileOfAnotherSizeThanPromised) {
  server_.set_faults({.wrong_size = true});
  EXPECT_THAT(message_of<Error>([&] { fetch(); }), HasSubstr("300001"));
  EXPECT_FALSE(fs::exists(blob_of(weights())));
}

TEST_F(HubFetch, AFileWithoutAnEtag) {
  server_.set_faults({.no_etag = true});
  EXPECT_THAT(message_of<FormatError>([&] { fetch(); }), HasSubstr("ETag"));
}

TEST_F(HubFetch, AStorageThatIsNotThere) {
  server_.set_faults({.storage_over_http = true});
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }), HasSubstr("cannot reach"));
  server_.set_faults({});
  EXPECT_EQ(fetch(), snapshot());
}

TEST_F(HubFetch, AnErrorMessageIsOneLineWithoutTheToken) {
  hub::Options right = options();
  right.token = "hf_secret_token";
  server_.set_faults({.status = 400,
                      .header = "X-Error-Message: a\x1b[31m red\tword, \xff, hf_secret_token and " +
                                std::string(5000, 'x') + "\r\n"});
  const std::string message = message_of<IoError>([&] { hub::fetch(kName, right); });
  EXPECT_THAT(message, HasSubstr("a\\u001b[31m red\\u0009word, \\xff, *** and xxx"));
  EXPECT_THAT(message, Not(HasSubstr("hf_secret_token")));
  EXPECT_LT(message.size(), 500u);
  for (const char c : message)
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

TEST_F(HubFetch, ARedirectThatRepeatsTheToken) {
  hub::Options right = options();
  right.token = "hf_secret_token";
  for (const char* location : {"ftp://hf_secret_token", "http://127.0.0.1:1/hf_secret_token?x=y",
                               "http://hf_secret_token.invalid/", "/again/hf_secret_token"}) {
    server_.set_faults({.status = 302, .header = std::string("Location: ") + location + "\r\n"});
    const std::string message = message_of<Error>([&] { hub::fetch(kName, right); });
    EXPECT_THAT(message, Not(HasSubstr("hf_secret_token"))) << location;
    EXPECT_THAT(message, Not(HasSubstr("x=y"))) << location;
  }
}

TEST_F(HubFetch, AListingThatRepeatsTheToken) {
  hub::Options right = options();
  right.token = "hf_secret_token";
  for (const std::string& listing :
       {std::string(R"("hf_secret_token\n")"), std::string(R"({"sha": {"hf_secret_token": 1}})"),
        std::string(R"({"sha": "hf_secret_token"})"),
        R"({"sha": ")" + commit_ + R"(", "siblings": "hf_secret_token"})",
        R"({"sha": ")" + commit_ +
            R"(", "siblings": [{"rfilename": "hf_secret_token/config.json"}]})"}) {
    server_.set_faults({.listing = listing});
    const std::string message = message_of<FormatError>([&] { hub::fetch(kName, right); });
    EXPECT_THAT(message, Not(HasSubstr("hf_secret_token"))) << listing;
    EXPECT_THAT(message, Not(HasSubstr("\n"))) << listing;
  }
  server_.set_faults({.no_etag = true, .header = "ETag: \"hf_secret_token\"\r\n"});
  EXPECT_THAT(message_of<FormatError>([&] { hub::fetch(kName, right); }),
              testing::AllOf(HasSubstr("repeats the token"), Not(HasSubstr("hf_secret_token"))));
}

TEST_F(HubFetch, HeadersThatDoNotEnd) {
  for (const std::string& header : {"X-Long: " + std::string(1 << 20, 'x') + "\r\n", [] {
                                      std::string many;
                                      for (int i = 0; i < 20'000; ++i)
                                        many += "X-Many-" + std::to_string(i) + ": something\r\n";
                                      return many;
                                    }()}) {
    server_.set_faults({.header = header});
    EXPECT_THAT(message_of<FormatError>([&] { fetch(); }),
                testing::AllOf(HasSubstr("header that does not end"), HasSubstr("127.0.0.1")));
  }
}

TEST_F(HubFetch, AFileWithoutASize) {
  server_.set_faults({.no_size = true});
  EXPECT_EQ(fetch(), snapshot());
  for (const std::string& name : names_in(snapshot()))
    EXPECT_EQ(read_bytes(snapshot() / name), small_model().at(name)) << name;
}

TEST_F(HubFetch, AFileWithoutASizeThatDoesNotEnd) {
  server_.set_faults({.endless = true});
  EXPECT_THAT(message_of<FormatError>([&] { fetch(); }), HasSubstr("does not end"));
  for (const auto& [name, content] : tree_of(folder()))
    EXPECT_LT(content.size(), 1000u) << name;  // nor does it stay on the disk
}

TEST_F(HubFetch, AFileForWhichThereIsNoRoom) {
  server_.set_faults({.linked_size = "1000000000000000000"});
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }), HasSubstr("no room"));
  EXPECT_THAT(server_.downloads(), SizeIs(4));  // nothing of it
}

TEST_F(HubFetch, AServerThatIsTooSlowIsGivenUp) {
  server_.set_faults({.bytes_per_second = 8});
  hub::Options hasty = options();
  hasty.timeout = std::chrono::seconds(1);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(message_of<IoError>([&] { hub::fetch(kName, hasty); }), HasSubstr("cannot reach"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
  server_.set_faults({.bytes_per_second = 8, .slow_listing = true});
  EXPECT_THAT(message_of<IoError>([&] { hub::fetch(kName, hasty); }), HasSubstr("cannot reach"));
}

TEST_F(HubFetch, ListingsThatMakeNoSense) {
  std::string deep(100'000, '[');
  std::string wide = "[";
  for (int i = 0; i < 1'000'000; ++i)
    wide += "{},";
  for (const std::string& listing : std::vector<std::string>{
           std::string("[]"), std::string("nothing"), std::string("{}"), deep, wide + "{}]",
           R"({"sha": ")" + commit_ + R"("})", R"({"sha": 1, "siblings": []})",
           R"({"sha": "main", "siblings": []})", R"({"sha": ")" + commit_ + R"(", "siblings": {}})",
           R"({"sha": ")" + commit_ + R"(", "siblings": [1]})",
           R"({"sha": ")" + commit_ + R"(", "siblings": [{"rfilename": null}]})",
           std::string(20 << 20, ' ')}) {
    server_.set_faults({.listing = listing});
    const std::string message = message_of<FormatError>([&] { fetch(); });
    EXPECT_THAT(message, HasSubstr("/api/models/klue/roberta-base")) << listing.substr(0, 100);
    EXPECT_LT(message.size(), 600u) << listing.substr(0, 100);
  }
}

}  // namespace
}  // namespace klue::test
