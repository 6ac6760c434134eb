// What a task costs over the encoder under it, one JSON line:
//
//   task_benchmark MODEL_DIR --corpus FILE [--task classify|rank|tag|fill-mask] [--rounds N]
//       [--precision f32|bf16|int8] [--threads N] [--batch-tokens N] [--lines N]
//
// The corpus has a text per line. The task and Model::embed with mean pooling, which needs every
// row of the last layer, work on the same tokens in turns, in the same process; medians are
// compared. Both are timed from the texts on. For fill-mask one word of each text is masked, and
// rank pairs each text with the next.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <klue/klue.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

namespace klue::bench {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Arguments {
  std::string model, corpus;
  std::optional<Task> task;
  LoadOptions load{.threads = 1};
  std::size_t rounds = 5, lines = ~std::size_t{0};
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&]() -> std::string { return ++i < argc ? argv[i] : ""; };
    if (flag == "--corpus") {
      a.corpus = value();
    } else if (flag == "--task") {
      const std::string name = value();
      for (const Task task : {Task::classify, Task::rank, Task::tag, Task::answer, Task::fill_mask})
        if (task_name(task) == name) a.task = task;
      if (!a.task) throw std::runtime_error("no such task: " + name);
    } else if (flag == "--precision") {
      const std::string name = value();
      for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
        if (precision_name(precision) == name) a.load.precision = precision;
    } else if (flag == "--threads") {
      a.load.threads = std::stoul(value());
    } else if (flag == "--batch-tokens") {
      a.load.batch_tokens = std::stoul(value());
    } else if (flag == "--rounds") {
      a.rounds = std::stoul(value());
    } else if (flag == "--lines") {
      a.lines = std::stoul(value());
    } else {
      a.model = flag;
    }
  }
  return a;
}

/// The texts as the task takes them, and what the encoder alone is timed on.
struct Work {
  std::vector<std::string> texts;
  std::vector<TextPair> pairs;
  std::size_t tokens = 0;
};

/// Puts the mask in the place of the word in the middle.
std::string with_mask(const std::string& text, const std::string& mask) {
  const std::size_t begin = std::min(text.find(' ', text.size() / 2), text.size());
  const std::size_t end = std::min(text.find(' ', std::min(begin + 1, text.size())), text.size());
  return text.substr(0, begin) + " " + mask + text.substr(end);
}

Work read_work(const Arguments& a, Task task, const Model& model) {
  std::ifstream file(a.corpus);
  Work work;
  for (std::string line; work.texts.size() < a.lines && std::getline(file, line);) {
    if (line.empty()) continue;
    const Tokenizer& tokenizer = model.preprocessor().tokenizer();
    const std::string mask =
        task == Task::fill_mask ? tokenizer.token(tokenizer.special_ids().mask.value()) : "";
    work.texts.push_back(task == Task::fill_mask ? with_mask(line, mask) : line);
  }
  if (work.texts.empty()) throw std::runtime_error("no texts in " + a.corpus);
  for (std::size_t i = 0; i < work.texts.size(); ++i) {
    TextPair pair(work.texts[i], std::nullopt);
    if (task == Task::rank) pair.text_pair = work.texts[(i + 1) % work.texts.size()];
    work.tokens += model.preprocessor().encode(pair.text, pair.text_pair).size();
    work.pairs.push_back(pair);
  }
  return work;
}

std::function<void()> runner(Task task, const Model& model, const Work& work) {
  switch (task) {
    case Task::classify:
      return [&work, classifier = Classifier(model)] { classifier.classify(work.pairs); };
    case Task::rank:
      return [&work, ranker = Ranker(model)] { ranker.score(work.pairs); };
    case Task::tag: {
      const auto tagger = std::make_shared<const Tagger>(model);
      return [&work, tagger] { tagger->tag(work.texts); };
    }
    case Task::fill_mask: {
      const auto filler = std::make_shared<const MaskFiller>(model);
      return [&work, filler] { filler->fill(work.texts); };
    }
    case Task::answer:
      break;
  }
  throw std::runtime_error("a corpus of lines has no questions");
}

double median(std::vector<double> times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void run(const Arguments& a) {
  const Model model = Model::load(a.model, a.load);
  if (!a.task && (!model.info().head || model.info().head->tasks.empty()))
    throw std::runtime_error("the model has no head that could be run");
  const Task task = a.task ? *a.task : model.info().head->tasks.front();
  const Work work = read_work(a, task, model);
  const auto run_task = runner(task, model, work);
  const auto run_encoder = [&] { model.embed(work.pairs, {.pooling = Pooling::mean}); };
  const auto seconds = [](const auto& body) {
    const double begin = now();
    body();
    return now() - begin;
  };
  std::vector<double> of_encoder, of_task;
  for (std::size_t round = 0; round < a.rounds; ++round) {
    of_encoder.push_back(seconds(run_encoder));
    of_task.push_back(seconds(run_task));
  }
  const double encoder = median(of_encoder), own = median(of_task);
  const double tokens = static_cast<double>(work.tokens);
  std::printf(
      "{\"task\":\"%s\",\"engine\":\"%s\",\"threads\":%zu,\"texts\":%zu,\"tokens\":%zu,"
      "\"encoder_tokens_per_s\":%.1f,\"task_tokens_per_s\":%.1f,\"cost\":%.4f}\n",
      std::string(task_name(task)).c_str(), model.info().engine.c_str(), model.info().threads,
      work.texts.size(), work.tokens, tokens / encoder, tokens / own, own / encoder - 1);
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  try {
    klue::bench::run(klue::bench::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "task_benchmark: %s\n", error.what());
    return 1;
  }
}
