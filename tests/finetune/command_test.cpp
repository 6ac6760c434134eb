// The command finetune, by running it.

#include "cli/command.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "train/golden.hpp"

namespace klue::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<json> json_lines(const fs::path& file) {
  std::vector<json> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(json::parse(line));
  return lines;
}

constexpr const char* kTexts =
    "{\"text\": \"오늘 날씨가 좋다\", \"label\": 0}\n"
    "{\"text\": \"비가 온다\", \"label\": 1}\n"
    "{\"text\": \"그 사람이 좋다\", \"text_pair\": \"그렇다\", \"label\": 2}\n"
    "{\"text\": \"바람이 분다\", \"label\": 1}\n"
    "{\"input_ids\": [0, 5, 6, 7, 2], \"label\": 0}\n";

class FinetuneTest : public testing::Test {
 protected:
  std::vector<std::string> arguments(const fs::path& out, std::vector<std::string> more = {},
                                     const char* task = "classify") const {
    std::vector<std::string> all{"--model", model_.string(),      "--task", task,
                                 "--train", train_file_.string(), "--out",  out.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Result finetune(std::vector<std::string> more, const char* task = "classify") const {
    return run(KLUE_FINETUNE, arguments(out_, std::move(more), task));
  }
  void train_on(const std::string& content) { train_file_ = directory_.write("train", content); }
  void expect_error(const Result& result, const std::string& part) const {
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_FALSE(fs::exists(out_));
  }

  ScratchDirectory directory_;
  fs::path model_ = fs::path(KLUE_FIXTURE_DIR) / "tiny-11-seqcls";
  fs::path train_file_ = directory_.write("train.jsonl", kTexts);
  fs::path out_ = directory_.path() / "out", log_ = directory_.path() / "log.jsonl";
};

// The contract by which cases of other seeds are replayed.
TEST_F(FinetuneTest, ReplaysTheGoldenOptimiserPlan) {
  KLUE_SHARED_DATA_OR_SKIP(goldens, "goldens/training");
  const json golden = json::parse(std::ifstream(goldens / "manifest.json"))["optimiser"];
  const json& plan = golden["plans"]["a"]["f64"];
  std::string lines;
  for (const json& example : golden["examples"])
    lines += json{{"input_ids", example["input_ids"]}, {"label", example["label"]}}.dump() + "\n";
  train_on(lines);
  const fs::path order = directory_.write("order.json", golden["batches"].dump());
  const Result result = finetune({"--order",        order.string(),
                                  "--steps",        "30",
                                  "--batch",        "4",
                                  "--lr",           "5e-5",
                                  "--warmup-steps", "3",
                                  "--weight-decay", "0.01",
                                  "--clip",         "1",
                                  "--dropout",      "0",
                                  "--seed",         "1",
                                  "--log",          log_.string(),
                                  "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out + result.err, "");
  const std::vector<json> log = json_lines(log_);
  ASSERT_EQ(log.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(log[i]["step"], i + 1);
    EXPECT_NEAR(log[i]["loss"].get<double>(), plan["steps"][i]["loss"].get<double>(), 1e-5);
    EXPECT_NEAR(log[i]["grad_norm"].get<double>(), plan["steps"][i]["gradient_norm"].get<double>(),
                1e-4);
    EXPECT_NEAR(log[i]["lr"].get<double>(), plan["steps"][i]["lr"].get<double>(), 1e-15);
  }
  const Checkpoint checkpoint = open_checkpoint(out_);
  for (const auto& [name, sums] : plan["parameters"]["30"].items()) {
    const TensorView* view = checkpoint.find(name);
    ASSERT_NE(view, nullptr) << name;
    EXPECT_EQ(view->dtype, DType::f32);
    std::vector<float> values(view->element_count());
    view->read(0, values);
    EXPECT_LT(checksum_error(checksums(values.data(), values.size()), sums),
              name.ends_with("key.bias") ? 1.0 : 1e-4)
        << name;
  }
}

TEST_F(FinetuneTest, WritesADirectoryThatClassifies) {
  const Result result = finetune({"--epochs", "2", "--batch", "2", "--lr", "1e-3"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("step 6/6"));
  const json config = json::parse(bytes_of(out_ / "config.json"));
  EXPECT_EQ(config["architectures"][0], "RobertaForSequenceClassification");
  EXPECT_EQ(config["problem_type"], "single_label_classification");
  EXPECT_EQ(config["id2label"].size(), 3u);
  EXPECT_EQ(json_lines(out_ / "training-log.jsonl").size(), 6u);
  EXPECT_THAT(bytes_of(out_ / "learning-curve.svg"), HasSubstr("</svg>"));
  EXPECT_FALSE(fs::exists(out_.string() + ".training"));
  const Model model = Model::load(out_);
  const std::vector<std::string> texts{"비가 온다"};
  EXPECT_EQ(model.classify(texts).shape(), (std::vector<std::size_t>{1, 3}));
}

TEST_F(FinetuneTest, GivesTheSameBitsOnAnyNumberOfThreads) {
  std::string expected;
  for (const char* threads : {"1", "2", "3"}) {
    ASSERT_EQ(finetune({"--threads", threads, "--overwrite", "--batch", "3"}).status, 0);
    const std::string weights = bytes_of(out_ / "model.safetensors");
    if (expected.empty()) expected = weights;
    EXPECT_TRUE(weights == expected) << threads;
  }
}

TEST_F(FinetuneTest, GoesOnAfterAKillAtAnyMoment) {
  const fs::path dev = directory_.write("dev.jsonl", kTexts);
  const std::vector<std::string> how{"--dev", dev.string(),   "--epochs", "40",      "--batch",
                                     "2",     "--lr",         "1e-3",     "--quiet", "--threads",
                                     "1",     "--save-steps", "3"};
  const fs::path whole = directory_.path() / "whole";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run(KLUE_FINETUNE, arguments(whole, how)).status, 0);
  const auto takes = std::chrono::steady_clock::now() - begin;
  std::mt19937 random(3);
  std::vector<std::string> resume = how;
  resume.push_back("--resume");
  for (int kill = 0; kill < 10; ++kill) {
    Running running(KLUE_FINETUNE, arguments(out_, resume));
    std::this_thread::sleep_for(takes * (1 + random() % 30) / 100);
    running.send(SIGKILL);
    running.wait();
  }
  const Result result = run(KLUE_FINETUNE, arguments(out_, resume));
  ASSERT_EQ(result.status, 0) << result.err;
  for (const char* file : {"model.safetensors", "training-log.jsonl", "config.json"})
    EXPECT_TRUE(bytes_of(out_ / file) == bytes_of(whole / file)) << file;
  EXPECT_FALSE(fs::exists(out_.string() + ".training"));
  // Once more there is nothing to do.
  EXPECT_EQ(run(KLUE_FINETUNE, arguments(out_, resume)).status, 0);
}

TEST_F(FinetuneTest, DoesNotGoOnWithAnotherTraining) {
  const auto of = [&](const char* rate) {
    return arguments(
        out_, {"--epochs", "2000", "--save-steps", "1", "--quiet", "--resume", "--lr", rate});
  };
  Running running(KLUE_FINETUNE, of("1e-3"));
  const fs::path state = out_.string() + ".training/state.safetensors";
  for (int i = 0; i < 2000 && !fs::exists(state); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  running.send(SIGKILL);
  running.wait();
  ASSERT_TRUE(fs::exists(state));
  expect_error(run(KLUE_FINETUNE, of("2e-3")), "the state of another training");
  expect_error(finetune({}), "--resume");
  EXPECT_TRUE(fs::exists(state));
}

TEST_F(FinetuneTest, RatesOfTheirOwnFreezeAndHasten) {
  const Result result =
      finetune({"--epochs", "1", "--lr", "1e-3", "--warmup", "0", "--weight-decay", "0",
                "--lr-mult", "encoder.layer=0", "--lr-mult", "layer.1.output=8", "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Checkpoint before = open_checkpoint(model_), after = open_checkpoint(out_);
  std::size_t frozen = 0;
  for (const auto& [name, view] : after.tensors()) {
    const TensorView* from = before.find(name);
    if (from == nullptr || !name.ends_with("weight")) continue;
    std::vector<float> old(view.element_count()), now(view.element_count());
    from->read(0, old);
    view.read(0, now);
    double farthest = 0;
    for (std::size_t i = 0; i < old.size(); ++i)
      farthest = std::max(farthest, std::abs(static_cast<double>(now[i] - old[i])));
    // The first step of AdamW moves what has a gradient by the learning rate.
    const bool fast = name.find("layer.1.output") != std::string::npos;
    const bool still = !fast && name.find("encoder.layer") != std::string::npos;
    EXPECT_NEAR(farthest, still ? 0 : fast ? 8e-3 : 1e-3, still ? 0 : 1e-4) << name;
    frozen += still ? 1 : 0;
  }
  EXPECT_GT(frozen, 8u);
}

TEST_F(FinetuneTest, SpreadDrivesTextsApartThatAreNoPair) {
  model_ = fs::path(KLUE_FIXTURE_DIR) / "tiny-11-bare";
  train_on(
      "{\"text\": \"비가 온다\", \"text_pair\": \"비가 내린다\", \"score\": 1}\n"
      "{\"text\": \"바람이 분다\", \"text_pair\": \"바람이 세다\", \"score\": 1}\n");
  const auto cosine = [&](const char* spread) {
    const Result result = finetune({"--epochs", "20", "--lr", "1e-3", "--dropout", "0", "--spread",
                                    spread, "--overwrite", "--quiet"},
                                   "embed");
    EXPECT_EQ(result.status, 0) << result.err;
    const std::vector<std::string> texts{"비가 온다", "바람이 분다"};
    const Tensor vectors = Model::load(out_).embed(texts, {.normalize = true});
    return std::inner_product(vectors.at(0).begin(), vectors.at(0).end(), vectors.at(1).begin(),
                              0.0F);
  };
  EXPECT_LT(cosine("1"), cosine("0") - 0.2F);
}

TEST_F(FinetuneTest, SaysWhereRatesAndSpreadDoNotFit) {
  expect_error(finetune({"--lr-mult", "no.such.part=2"}), "no.such.part");
  expect_error(finetune({"--spread", "1"}), "--spread");
  expect_error(finetune({"--freeze-layers", "3"}), "--freeze-layers: more layers than");
  for (const char* rate : {"layer", "=2", "layer=", "layer=x", "layer=-1", "layer=1e999"})
    EXPECT_EQ(finetune({"--lr-mult", rate}).status, 2) << rate;
}

TEST_F(FinetuneTest, KeepsTheBestEpochAndStopsEarly) {
  const fs::path dev = directory_.write("dev.jsonl", kTexts);
  const Result result = finetune(
      {"--dev", dev.string(), "--epochs", "30", "--batch", "2", "--lr", "3e-3", "--patience", "2"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("accuracy"));
  double best = 0;
  std::size_t epochs = 0;
  for (const json& line : json_lines(out_ / "training-log.jsonl"))
    if (line.contains("dev")) {
      best = std::max(best, line["dev"]["accuracy"].get<double>());
      ++epochs;
    }
  EXPECT_GE(epochs, 3u);
  const Model model = Model::load(out_);
  std::size_t right = 0;
  const std::vector<std::string> texts{"오늘 날씨가 좋다", "비가 온다", "바람이 분다"};
  const Tensor logits = model.classify(texts);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto row = logits.at(i);
    right += std::max_element(row.begin(), row.end()) - row.begin() == (i == 0 ? 0 : 1);
  }
  EXPECT_GE(100.0 * static_cast<double>(right) / 3 + 67, best);
}

TEST_F(FinetuneTest, EveryTaskHasItsDirectory) {
  const struct {
    const char* task;
    const char* model;
    std::string data;
    const char* architecture;
    const char* score;
  } cases[] = {
      {"classify", "tiny-11-bare", "text\tlabel\n비가 온다\t날씨\n좋아해\t마음\n",
       "RobertaForSequenceClassification", "accuracy"},
      {"classify", "tiny-11-bare",
       "{\"text\": \"비가 온다\", \"labels\": [\"날씨\", \"비\"]}\n{\"text\": \"아\", \"labels\": "
       "[]}\n",
       "RobertaForSequenceClassification", "micro F1"},
      {"regress", "tiny-11-bare",
       "비가 온다\t비 온다\t4.5\n비가 온다\t좋아해\t0.5\n우산\t양산\t3\n",
       "RobertaForSequenceClassification", "Pearson"},
      {"rank", "tiny-11-bare", "비가 온다\t비 온다\t1\n비가 온다\t좋아해\t0\n",
       "RobertaForSequenceClassification", "average precision"},
      {"tag", "tiny-11-bare",
       "{\"words\": [\"서울에\", \"간다\"], \"tags\": [\"B-LC\", \"O\"]}\n"
       "{\"words\": [\"그는\"], \"tags\": [\"O\"]}\n",
       "RobertaForTokenClassification", "entity F1"},
      {"answer", "tiny-11-bare",
       "{\"question\": \"어디?\", \"context\": \"나는 서울에 간다\", "
       "\"answers\": [{\"text\": \"서울\", \"answer_start\": 3}]}\n"
       "{\"question\": \"누구?\", \"context\": \"비가 온다\", \"answers\": []}\n",
       "RobertaForQuestionAnswering", "exact match"},
      {"mlm", "tiny-11-mlm", "비가 온다\n오늘 날씨가 좋다\n", "RobertaForMaskedLM", "perplexity"},
      {"embed", "tiny-11-bare", "비가 온다\t비 온다\t4.5\n비가 온다\t좋아해\t0.5\n우산\t양산\t3\n",
       "RobertaModel", "Spearman"},
      {"classify", "tiny-11-bert", "text\tlabel\n비가 온다\t날씨\n좋아해\t마음\n",
       "BertForSequenceClassification", "accuracy"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.task) + " " + c.model);
    model_ = fs::path(KLUE_FIXTURE_DIR) / c.model;
    train_on(c.data);
    const Result result = finetune(
        {"--dev", train_file_.string(), "--epochs", "2", "--overwrite", "--batch", "2"}, c.task);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr(c.score));
    EXPECT_EQ(json::parse(bytes_of(out_ / "config.json"))["architectures"][0], c.architecture);
    EXPECT_NO_THROW(Model::load(out_));
  }
}

TEST_F(FinetuneTest, EmbedWritesWhatSentenceTransformersLoad) {
  model_ = fs::path(KLUE_FIXTURE_DIR) / "tiny-11-bare";
  train_on("비가 온다\t비 온다\t4.5\n비가 온다\t좋아해\t0.5\n");
  ASSERT_EQ(finetune({"--quiet"}, "embed").status, 0);
  EXPECT_TRUE(fs::exists(out_ / "modules.json"));
  EXPECT_TRUE(fs::exists(out_ / "1_Pooling" / "config.json"));
  EXPECT_NE(open_checkpoint(out_).find("embeddings.word_embeddings.weight"), nullptr);
  EXPECT_EQ(Model::load(out_).info().poolings, std::vector<Pooling>{Pooling::mean});
}

TEST_F(FinetuneTest, SaysWhatIsWrongWithTheData) {
  train_on("");
  expect_error(finetune({}), "an empty file");
  train_on("\n\n");
  expect_error(finetune({}), "an empty file");
  train_on("text\tlabel\n비가 온다\t0\n비가 온다\n");
  expect_error(finetune({}), "train:3: wrong number of columns (expected 2, found 1)");
  train_on("{\"text\": \"비\", \"label\": 3}\n");
  expect_error(finetune({}), "a label that the head has not");
  train_on("{\"text\": \"비\"}\n");
  expect_error(finetune({}), "train:1: label: a line without a label");
  train_on("{\"text\": \"비\", \"label\": 0}\n{\"text\": \n");
  expect_error(finetune({}), "train:2: no JSON");
  train_on("{\"input_ids\": [0, 99999, 2], \"label\": 0}\n");
  expect_error(
      finetune({}),
      "train:1: input_ids: value outside the model's table (expected 0 to 1199, found 99999)");
  for (const char* ids :
       {"[0, 5.5, 2]", "[0, true, 2]", "[0, \"5\", 2]", "[0, 5000000000, 2]", "7"}) {
    train_on(std::string("{\"input_ids\": ") + ids + ", \"label\": 0}\n");
    expect_error(finetune({}), "train:1: input_ids: ");
  }
  train_on("{\"input_ids\": [0, 5, 2], \"token_type_ids\": [0], \"label\": 0}\n");
  expect_error(finetune({}), "train:1: token_type_ids: not as many types as tokens");
  train_on("{\"input_ids\": [0, 5, 2], \"token_type_ids\": [0, 1, 0], \"label\": 0}\n");
  expect_error(finetune({}), "train:1: token_type_ids: value outside the model's table");
  train_on("a\tb\tc\td\n1\t2\t3\t4\n");
  expect_error(finetune({}), "a table of an unknown kind");
  train_on("비가 온다\t좋아해\t많이\n");
  expect_error(finetune({}, "regress"), "no number");
  // Else it would learn that nothing has an answer.
  for (const char* line :
       {"누구?\t비가 온다\t1\n", "{\"question\": \"누구?\", \"context\": \"비가 온다\"}\n"}) {
    train_on(line);
    expect_error(finetune({}, "answer"), "train:1: answers: a question without answers");
  }
  train_file_ = directory_.path() / "missing";
  expect_error(finetune({}), "cannot read");
}

// Models of [UNK] are made quickly.
TEST_F(FinetuneTest, WhatIsNoTextInUtf8) {
  train_on("text\tlabel\n\xC7\xCF\xB3\xAA\t0\n\xB5\xD1\t1\n");
  expect_error(finetune({}), "train: is no text in UTF-8 but looks like CP949");
  train_on(std::string("\xFF\xFE\x44\xC5\n\0", 6));
  expect_error(finetune({}), "train: is no text in UTF-8 but UTF-16");
  train_on("\x1F\x8B\x08 and so on\n");
  expect_error(finetune({}), "train: is packed by gzip");
  train_on("\x93NUMPY and so on\n");
  expect_error(finetune({}), "train: is no text but a NumPy array");
  // Damage in between is damage, as in embed.
  train_on("text\tlabel\n비가 온다\t0\n비\xB5 온다\t1\n");
  EXPECT_EQ(finetune({"--steps", "1"}).status, 0);
}

TEST_F(FinetuneTest, ADivergedTrainingKeepsItsLastState) {
  std::vector<std::string> how{"--epochs", "200", "--lr",         "1e30", "--clip", "0",
                               "--warmup", "0.5", "--save-steps", "1",    "--quiet"};
  expect_error(finetune(how), "diverged");
  const fs::path state = out_.string() + ".training/state.safetensors";
  const std::string saved = bytes_of(state);
  EXPECT_FALSE(saved.empty());
  // Whole: the training goes on from it, to the same end.
  how.push_back("--resume");
  expect_error(finetune(how), "diverged");
  EXPECT_TRUE(bytes_of(state) == saved);
}

TEST_F(FinetuneTest, ALogMayBeALinkOrNoFileAtAll) {
  const fs::path link = directory_.path() / "link", null = directory_.path() / "null",
                 full = directory_.path() / "full";
  fs::create_symlink("real.jsonl", link);
  fs::create_symlink("/dev/null", null);
  fs::create_symlink("/dev/full", full);
  directory_.write("real.jsonl", "an older log\n");
  ASSERT_EQ(finetune({"--steps", "2", "--log", link.string(), "--quiet"}).status, 0);
  EXPECT_TRUE(fs::is_symlink(link));
  const std::string log = bytes_of(link);
  EXPECT_EQ(json_lines(link).size(), 2u);

  ASSERT_EQ(finetune({"--steps", "2", "--log", null.string(), "--quiet", "--overwrite"}).status, 0);
  EXPECT_TRUE(fs::is_symlink(null));
  EXPECT_EQ(bytes_of(out_ / "training-log.jsonl"), log);
  const Result piped =
      run("/bin/sh", {"-c", "\"$0\" \"$@\" | cat", KLUE_FINETUNE, "--model", model_, "--task",
                      "classify", "--train", train_file_, "--out", out_, "--steps", "2", "--log",
                      "/dev/stdout", "--quiet", "--overwrite"});
  EXPECT_EQ(piped.out, log) << piped.err;

  fs::remove_all(out_);
  expect_error(finetune({"--steps", "2", "--log", full.string(), "--quiet"}), "cannot write");
}

// Nobody computes a loss of what the last step made.
TEST_F(FinetuneTest, ParametersThatAreNoNumbersAreNoResult) {
  expect_error(finetune({"--steps", "1", "--lr", "1e300", "--warmup-steps", "0"}),
               "parameters are no numbers");
  EXPECT_FALSE(fs::exists(out_.string() + ".training/state.safetensors"));
}

// Of one line there is no correlation; it has to be written and read as a state, too.
TEST_F(FinetuneTest, ADevelopmentScoreThatIsNone) {
  model_ = fs::path(KLUE_FIXTURE_DIR) / "tiny-11-bare";
  train_on("비가 온다\t비 온다\t4.5\n비가 온다\t좋아해\t0.5\n우산\t양산\t3\n");
  const std::string dev = directory_.write("dev", "비가 온다\t비 온다\t4\n").string();
  const std::vector<std::string> how{"--dev", dev, "--epochs", "300", "--quiet", "--resume"};
  Running running(KLUE_FINETUNE, arguments(out_, how, "regress"));
  const fs::path state = out_.string() + ".training/state.safetensors";
  for (int i = 0; i < 2000 && !fs::exists(state); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  running.send(SIGKILL);
  running.wait();
  ASSERT_TRUE(fs::exists(state));
  const Result result = finetune(how, "regress");
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(FinetuneTest, AFullDiskIsAnErrorAndTheStateStays) {
  const std::vector<std::string> how{"--epochs", "2000",    "--save-steps",
                                     "1",        "--quiet", "--resume"};
  const fs::path state = out_.string() + ".training/state.safetensors";
  {
    Running running(KLUE_FINETUNE, arguments(out_, how));
    for (int i = 0; i < 2000 && !fs::exists(state); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    running.send(SIGKILL);
    running.wait();
  }
  const std::string saved = bytes_of(state);
  ASSERT_GT(saved.size(), std::size_t{200} * 512);
  // A limit on the size of files: what a full disk looks like to whoever writes.
  std::vector<std::string> words{"-c", "ulimit -f 200; trap '' XFSZ; exec \"$0\" \"$@\"",
                                 KLUE_FINETUNE};
  for (const std::string& word : arguments(out_, how))
    words.push_back(word);
  expect_error(run("/bin/sh", words), "cannot write");
  EXPECT_TRUE(bytes_of(state) == saved);
}

TEST_F(FinetuneTest, AnOutputWhereNothingCanBe) {
  out_ = directory_.write("file", "") / "out";
  const Result result = finetune({});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("out.training: cannot make the directory"));
}

TEST_F(FinetuneTest, AnOrderOfLinesThatAreNone) {
  for (const char* order : {"", "x", "{}", "[0, 1]", "[]", "[[]]", "[[0], 1]"})
    expect_error(finetune({"--order", directory_.write("order", order).string()}), "order: ");
  for (const char* line : {"5", "-1", "0.5", "\"0\"", "true", "null"})
    expect_error(finetune({"--order",
                           directory_.write("order", std::string("[[0, ") + line + "]]").string()}),
                 "a line that the training data has not (expected whole numbers below 5, found " +
                     std::string(line) + ")");
}

TEST_F(FinetuneTest, DoesNotReplaceWhatIsThere) {
  fs::create_directory(out_);
  const Result result = finetune({});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("--overwrite"));
  EXPECT_TRUE(fs::is_empty(out_));
}

TEST_F(FinetuneTest, ReplacesNothingThatItReads) {
  const fs::path data = directory_.path() / "data",
                 dev = directory_.write("data/dev.jsonl", kTexts),
                 order = directory_.write("data/order.json", "[[0]]"),
                 model = directory_.path() / "model";
  train_file_ = directory_.write("data/train.jsonl", kTexts);
  fs::copy(model_, model);
  model_ = model;
  std::vector<std::string> how{"--dev", dev.string(), "--order", order.string(), "--quiet"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), how.begin(), how.end());
    return more;
  };
  for (const fs::path& file : {train_file_, dev, order, model / "model.safetensors"}) {
    const std::string before = bytes_of(file);
    expect_error(finetune(with({"--log", file.string()})), "(expected another --log");
    EXPECT_TRUE(bytes_of(file) == before) << file;
  }
  // A directory that is replaced goes with all that is in it.
  for (const fs::path& folder : {data, train_file_, directory_.path()}) {
    out_ = folder;
    const Result result = finetune(with({"--overwrite"}));
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr("would replace the training data")) << folder;
  }
  model_ = directory_.write("models/readme", "").parent_path() / "model";
  fs::copy(model, model_);
  out_ = model_.parent_path();
  const Result beside = finetune({"--overwrite", "--steps", "1"});
  EXPECT_EQ(beside.status, 1);
  EXPECT_THAT(beside.err, HasSubstr("the folder of the model"));
  EXPECT_TRUE(fs::exists(out_ / "readme"));
  out_ = model_;  // in its own place
  EXPECT_EQ(finetune({"--overwrite", "--steps", "1", "--quiet"}).status, 0);
  EXPECT_TRUE(fs::exists(model_ / "training-log.jsonl"));
  const Result here = run(
      "/bin/sh", {"-c", "cd \"$0\" && exec \"$@\"", model.string(), KLUE_FINETUNE, "--model", model,
                  "--task", "classify", "--train", train_file_, "--out", ".", "--overwrite"});
  EXPECT_EQ(here.status, 1);
  EXPECT_THAT(here.err, HasSubstr("the current directory"));
  EXPECT_EQ(bytes_of(train_file_), kTexts);
  EXPECT_TRUE(fs::exists(model / "config.json"));
}

TEST_F(FinetuneTest, WrongUsageIsStatusTwo) {
  EXPECT_EQ(run(KLUE_FINETUNE, {}).status, 2);
  EXPECT_EQ(finetune({}, "sing").status, 2);
  EXPECT_EQ(finetune({"--batch", "0"}).status, 2);
  EXPECT_EQ(finetune({"--seed", "-1"}).status, 2);
  EXPECT_THAT(finetune({"--score-max", "5"}).err, HasSubstr("--task regress or embed"));
  for (const char* flag : {"--lr", "--weight-decay", "--clip", "--dropout", "--warmup",
                           "--layer-decay", "--spread", "--score-max"})
    for (const char* value : {"nan", "inf", "-1", "x"}) {
      const Result result = finetune({flag, value});
      EXPECT_EQ(result.status, 2) << flag << " " << value;
      EXPECT_THAT(result.err, HasSubstr(std::string("finetune: ") + flag + ": expected a number"));
      EXPECT_LT(result.err.size(), 120u) << result.err;
    }
  EXPECT_EQ(finetune({"--labels", "가,나,가"}).status, 2);
  EXPECT_EQ(run(KLUE_FINETUNE, arguments("")).status, 2);
  EXPECT_EQ(finetune({"--loss", "cosent"}).status, 2);
  EXPECT_EQ(finetune({"--patience", "2"}).status, 2);
  EXPECT_EQ(run(KLUE_FINETUNE, {"--help"}).status, 0);
}

}  // namespace
}  // namespace klue::test
