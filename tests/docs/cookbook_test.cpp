// What docs/cookbook.md says: its code blocks stand here, between "// cookbook" lines, and do what
// the page claims. tests/tools/documents_test.py holds the two to be the same.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klue/klue.hpp>

namespace klue {
namespace {

const std::filesystem::path kDemo = KLUE_DEMO_MODEL_DIRECTORY;
const std::vector<std::string> kSentences = {"첫 번째 문장", "두 번째 문장", "배가 고프다",
                                             "밥을 먹고 싶다"};

TEST(Cookbook, APoolForSeveralModels) {
  const auto directory = kDemo, another = kDemo;
  // cookbook
  const auto pool = std::make_shared<const klue::ThreadPool>(2);
  const auto model = klue::Model::load(directory, {.pool = pool});
  const auto reranker = klue::Model::load(another, {.pool = pool});
  // cookbook
  EXPECT_EQ(pool->threads(), 2u);
  EXPECT_EQ(model.embed(kSentences).shape(), reranker.embed(kSentences).shape());
}

TEST(Cookbook, MyOwnThreads) {
  const auto directory = kDemo;
  std::vector<klue::Tensor> vectors(kSentences.size());
  // cookbook
  const auto model = klue::Model::load(directory, {.threads = 1});
  {
    std::vector<std::jthread> mine;
    for (std::size_t i = 0; i < kSentences.size(); ++i)
      mine.emplace_back([&, i] { vectors[i] = model.embed({kSentences[i]}); });
  }
  // cookbook
  const Tensor together = model.embed(kSentences);
  for (std::size_t i = 0; i < vectors.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(vectors[i].values(), together.at(i)));
}

TEST(Cookbook, LimitMemory) {
  const auto directory = kDemo;
  // cookbook
  const auto model = klue::Model::load(directory, {.threads = 1, .batch_tokens = 64});
  // cookbook
  EXPECT_EQ(model.embed(kSentences).shape()[0], kSentences.size());
}

TEST(Cookbook, IntoMyMemory) {
  const auto model = klue::Model::load(kDemo);
  // cookbook
  std::vector<float> matrix(kSentences.size() * model.info().embedding_size);  // yours, of any kind
  model.embed_into(kSentences, matrix);                                        // in C order
  // cookbook
  EXPECT_TRUE(std::ranges::equal(matrix, model.embed(kSentences).values()));
  EXPECT_GT(model.memory_bytes(), 1'000'000u);
}

TEST(Cookbook, FromMemory) {
  const auto read_and_decrypt = [](const std::string& name) {
    std::ifstream file(kDemo / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  // cookbook
  klue::MemoryFiles files;
  for (const std::string name : {"config.json", "vocab.txt", "tokenizer_config.json",
                                 "special_tokens_map.json", "model.safetensors"})
    files.add(name, read_and_decrypt(name));
  const auto model = klue::Model::load(files);  // keeps the weights' bytes, not the rest
  // cookbook
  EXPECT_EQ(model.embed(kSentences).shape()[0], kSentences.size());
}

TEST(Cookbook, CancelAndProgress) {
  const auto model = klue::Model::load(kDemo, {.batch_tokens = 8});
  std::vector<std::string> sentences(200, kSentences[0]);
  // cookbook
  std::stop_source stop;
  std::size_t last = 0;
  const auto progress = [&](std::size_t done, std::size_t of) {
    last = done;
    if (done >= of / 2) stop.request_stop();  // or from any other thread
  };
  try {
    model.embed(sentences, {.stop = stop.get_token(), .progress = progress});
  } catch (const klue::StoppedError&) {
    // nothing is left behind, and the model can be called again
  }
  // cookbook
  EXPECT_GE(last, 100u);
  EXPECT_LT(last, 200u);
}

TEST(Cookbook, TokenVectorsOfWords) {
  const auto model = klue::Model::load(kDemo);
  // cookbook
  const std::string text = "한강에서 자전거를 탔다.";
  const auto encoding = model.preprocessor().encode(text);  // tokens, word_ids, offsets in bytes
  const auto vectors =
      model.encode({text}).sequence_output;  // [1, tokens, hidden], in the same order
  struct Word {
    std::string_view text;
    std::vector<float> vector;  // the mean over its tokens
  };
  std::vector<Word> words;
  for (std::size_t t = 0; t < encoding.size();) {
    const auto word = encoding.word_ids[t];
    const std::size_t first = t;
    std::vector<float> sum(vectors.shape()[2]);
    for (; t < encoding.size() && encoding.word_ids[t] == word; ++t)
      for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += vectors.at(0, t)[i];
    if (word < 0) continue;  // special tokens
    for (float& value : sum)
      value /= static_cast<float>(t - first);
    const std::size_t begin = encoding.offsets[first].begin, end = encoding.offsets[t - 1].end;
    words.push_back({std::string_view(text).substr(begin, end - begin), std::move(sum)});
  }
  // cookbook
  std::vector<std::string_view> texts;
  for (const Word& word : words) {
    texts.push_back(word.text);
    EXPECT_EQ(word.vector.size(), 256u);
    EXPECT_TRUE(std::isfinite(word.vector[0]));
  }
  EXPECT_THAT(texts, testing::ElementsAre("한강에서", "자전거를", "탔다", "."));
}

TEST(Cookbook, ShareBetweenProcesses) {
  const auto directory = kDemo;
  const Tensor expected = Model::load(kDemo, {.threads = 1}).embed(kSentences);
  // cookbook
  const auto model = klue::Model::load(directory);  // before the processes part
  const pid_t child = ::fork();
  if (child == 0) {
    const auto vectors = model.embed(kSentences);  // the parent's weights, threads of its own
    ::_exit(std::ranges::equal(vectors.values(), expected.values()) ? 0 : 1);
  }
  // cookbook
  ASSERT_GT(child, 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Cookbook, LongTexts) {
  const auto model = klue::Model::load(kDemo);
  std::string article;
  for (int i = 0; i < 200; ++i)
    article += "한강에서 자전거를 탔다. ";
  // cookbook
  std::vector<klue::TextReport> reports;
  model.embed({article}, {.reports = &reports});
  if (reports[0].cut())  // it has more tokens than the model has positions
    model.embed({article}, {.long_texts = klue::LongTexts::windows});
  // cookbook
  EXPECT_TRUE(reports[0].cut());
}

TEST(Cookbook, Errors) {
  // cookbook
  try {
    klue::Model::load("no-such-model");
  } catch (const klue::IoError& error) {
    // error.what() says it all; error.file(), field(), expected() and actual() are its parts
  } catch (const klue::Error& error) {
    // damaged, of another kind, or wrongly used: one hierarchy
  }
  // cookbook
  EXPECT_THROW(klue::Model::load("no-such-model"), klue::IoError);
}

}  // namespace
}  // namespace klue
