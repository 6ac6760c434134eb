// Downloads that break off, and go on.

#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "hub/fetch_fixture.hpp"

namespace klue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(HubFetch, ABrokenConnectionIsTakenUpAgain) {
  server_.set_faults({.break_after = 70'000});
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
  int ranges = 0;
  for (const Request& request : server_.requests())
    ranges += request.headers.contains("range") && request.host == server_.storage() ? 1 : 0;
  EXPECT_EQ(ranges, 4);  // 300,000 bytes, 70,000 at a time
}

TEST_F(HubFetch, AServerThatIgnoresRanges) {
  server_.set_faults({.break_after = 70'000, .breaks = 2, .ignore_ranges = true});
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
}

TEST_F(HubFetch, AServerThatSendsAnotherRange) {
  server_.set_faults({.break_after = 70'000, .breaks = 1, .wrong_range = true});
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
}

TEST_F(HubFetch, AServerThatNeverGetsToTheEnd) {
  server_.set_faults({.break_after = 70'000, .ignore_ranges = true});
  EXPECT_THAT(message_of<IoError>([&] { fetch(); }), HasSubstr("cannot reach the hub"));
  EXPECT_FALSE(fs::exists(blob_of(weights())));
}

TEST_F(HubFetch, AServerThatFallsSilent) {
  server_.set_faults({.stall = true});
  hub::Options hasty = options();
  hasty.timeout = std::chrono::seconds(1);
  // An attempt brings half of what is left, until little is left.
  EXPECT_EQ(hub::fetch(kName, hasty), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
}

/// What an interrupted call leaves.
void leave_incomplete(const fs::path& blob, const std::string& content) {
  fs::create_directories(blob.parent_path());
  std::ofstream(blob.string() + ".incomplete", std::ios::binary) << content;
}

TEST_F(HubFetch, WhatIsLeftOfAnEarlierCallIsGoneOnWith) {
  leave_incomplete(blob_of(weights()), weights().substr(0, 123'456));
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
  std::set<std::string> ranges;
  for (const Request& request : server_.requests())
    if (request.headers.contains("range")) ranges.insert(request.headers.at("range"));
  EXPECT_THAT(ranges, ElementsAre("bytes=123456-"));
  expect_whole_files_only();
}

TEST_F(HubFetch, LeftoversThatAreWrongDoNoHarm) {
  for (const std::string& left : {random_bytes(100'000, 42), weights() + "more",
                                  random_bytes(300'000, 43), std::string(), weights()}) {
    fs::remove_all(folder());
    leave_incomplete(blob_of(weights()), left);
    EXPECT_EQ(fetch(), snapshot());
    EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
    expect_whole_files_only();
  }
}

TEST_F(HubFetch, AFileThatChangedBetweenTwoCallsIsNotGluedTogether) {
  server_.set_faults({.break_after = 100'000, .ignore_ranges = true});
  EXPECT_THROW(fetch(), IoError);
  Files files = small_model();
  files["model.safetensors"] = random_bytes(300'000, 77);
  commit_ = server_.publish(kName, files);
  server_.set_faults({});
  EXPECT_EQ(fetch(), snapshot());
  EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), files["model.safetensors"]);
  expect_whole_files_only();
}

TEST_F(HubFetch, InterruptedAnywhereItIsCompletedByTheNextCall) {
  for (const std::size_t stop : {1u, 65'536u, 299'999u}) {
    fs::remove_all(folder());
    server_.set_faults({.break_after = stop, .ignore_ranges = true});
    EXPECT_THROW(fetch(), IoError);
    expect_whole_files_only();
    EXPECT_FALSE(fs::exists(folder() / "refs"));
    EXPECT_EQ(hub::find_cached(kName, options()), std::nullopt);
    server_.set_faults({});
    EXPECT_EQ(fetch(), snapshot());
    EXPECT_EQ(read_bytes(snapshot() / "model.safetensors"), weights());
  }
}

TEST_F(HubFetch, ManyAtOnceDownloadOnce) {
  server_.set_faults({.bytes_per_second = 1'000'000});
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([this] { EXPECT_EQ(fetch(), snapshot()); });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_THAT(server_.downloads(), SizeIs(5));  // each file once
  for (const std::string& name : names_in(snapshot()))
    EXPECT_EQ(read_bytes(snapshot() / name), small_model().at(name)) << name;
  expect_whole_files_only();
}

}  // namespace
}  // namespace klue::test
