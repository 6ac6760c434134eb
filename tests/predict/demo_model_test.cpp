// What predict says where no model is named: the bundled classifier, held to its README.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "shared_data.hpp"

namespace klue {
namespace {

using test::lines_of;
using test::Result;
using test::run;

const std::filesystem::path kRepository = std::filesystem::path(KLUE_TEST_DIR) / "..";

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A console block that runs predict on texts alone: those, and what is printed below.
struct Shown {
  std::vector<std::string> texts, output;
};

Shown shown_in(const char* document) {
  const std::string page = content_of(kRepository / document), command = "$ predict \"";
  const std::size_t at = page.find(command);
  EXPECT_NE(at, std::string::npos) << document;
  if (at == std::string::npos) return {};
  const std::string block = page.substr(at, page.find("```", at) - at);
  Shown shown;
  std::size_t end = 0;
  for (std::size_t quote = block.find('"'); quote != std::string::npos && block[quote] == '"';) {
    end = block.find('"', quote + 1);
    shown.texts.push_back(block.substr(quote + 1, end - quote - 1));
    quote = block.find_first_not_of(" \\\n", end + 1);
  }
  shown.output = lines_of(block.substr(block.find('\n', end) + 1));
  return shown;
}

// "  love 0.9871   everyday 0.0102   …": the names in their order, and their scores.
std::vector<std::pair<std::string, double>> labels_in(const std::string& line) {
  std::vector<std::pair<std::string, double>> labels;
  for (std::size_t at = line.find_first_not_of(' '); at < line.size();
       at = line.find_first_not_of(' ', line.find(' ', line.find(' ', at) + 1))) {
    const std::size_t space = line.find(' ', at);
    labels.emplace_back(line.substr(at, space - at), std::atof(line.c_str() + space));
  }
  return labels;
}

// Room is left for another processor's rounding.
TEST(DemoChat, SaysWhatTheDocumentsShow) {
  for (const char* document : {"models/demo-chat/README.md", "README.md"}) {
    SCOPED_TRACE(document);
    const Shown shown = shown_in(document);
    ASSERT_GE(shown.texts.size(), 3u);
    const Result result = run(KLUE_PREDICT, shown.texts);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, shown.output.front() + "\n");
    const std::vector<std::string> lines = lines_of(result.out);
    ASSERT_EQ(lines.size() + 1, shown.output.size());
    for (std::size_t i = 0; i < lines.size(); i += 2) {
      EXPECT_EQ(lines[i], shown.output[i + 1]);
      const auto labels = labels_in(lines[i + 1]), expected = labels_in(shown.output[i + 2]);
      ASSERT_EQ(labels.size(), 3u) << lines[i + 1];
      ASSERT_EQ(expected.size(), 3u) << shown.output[i + 2];
      EXPECT_EQ(labels.front().first, expected.front().first) << lines[i];
      for (const auto& label : labels)
        EXPECT_TRUE(std::ranges::any_of(expected,
                                        [&](const auto& other) {
                                          return other.first == label.first &&
                                                 std::abs(other.second - label.second) < 0.002;
                                        }))
            << lines[i] << ": " << label.first << " " << label.second;
    }
  }
}

// Written before any model had seen them; where one fails, the model is to blame. It may be wrong
// about one of them.
TEST(DemoChat, TellsPlainQuestionsApart) {
  const std::pair<const char*, const char*> questions[] = {
      {"내일 비 온대?", "everyday"},
      {"점심 뭐 먹지?", "everyday"},
      {"핸드폰을 잃어버렸어", "everyday"},
      {"헤어진 지 한 달인데 아직도 생각나", "break-up"},
      {"전 여친한테 다시 연락해도 될까?", "break-up"},
      {"이별이 너무 힘들어", "break-up"},
      {"좋아하는 사람한테 고백해도 될까?", "love"},
      {"짝사랑하는 사람이 생겼어", "love"},
      {"남자친구 생일 선물 뭐가 좋을까?", "love"},
  };
  std::vector<std::string> arguments{"--quiet", "--top-k", "1"};
  for (const auto& [question, label] : questions)
    arguments.emplace_back(question);
  const Result result = run(KLUE_PREDICT, arguments);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2 * std::size(questions));
  std::size_t right = 0;
  for (std::size_t i = 0; i < std::size(questions); ++i)
    right += labels_in(lines[2 * i + 1]).front().first == questions[i].second;
  EXPECT_GE(right, std::size(questions) - 1) << result.out;
}

// What models/demo-chat/README.md promises of the questions that were kept from training: of every
// five the last, by their lines in the file, where no question has a line break.
TEST(DemoChat, IsAsGoodAsItsReadmeSays) {
  KLUE_SHARED_DATA_OR_SKIP(corpora, "data/corpora");
  const std::vector<std::string> rows = lines_of(content_of(corpora / "ChatbotData.csv"));
  const char* names[] = {"everyday", "break-up", "love"};
  std::string questions;
  std::vector<std::string> labels;
  for (std::size_t i = 5; i < rows.size(); i += 5) {  // behind the header
    if (rows[i].starts_with('"')) continue;           // a quoted one, of which there are few
    questions += rows[i].substr(0, rows[i].find(',')) + "\n";
    labels.push_back(names[std::atoi(rows[i].c_str() + rows[i].rfind(',') + 1)]);
  }
  ASSERT_GT(labels.size(), 2300u);
  for (const char* precision : {"f32", "bf16", "int8"}) {
    const Result result = run(
        KLUE_PREDICT,
        {"--quiet", "--top-k", "1", "--format", "jsonl", "--input", "-", "--precision", precision},
        questions);
    ASSERT_EQ(result.status, 0) << result.err;
    const std::vector<std::string> lines = lines_of(result.out);
    ASSERT_EQ(lines.size(), labels.size());
    double right = 0;
    for (std::size_t i = 0; i < lines.size(); ++i)
      right += nlohmann::json::parse(lines[i])["labels"][0]["label"] == labels[i];
    EXPECT_GE(right / static_cast<double>(labels.size()), 0.82) << precision;
  }
}

}  // namespace
}  // namespace klue
