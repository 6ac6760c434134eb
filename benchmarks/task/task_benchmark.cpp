// What a task costs over the encoder under it, one JSON line; `task_benchmark --help`.
//
// The task and Model::embed with mean pooling, which needs every row of the last layer, work on the
// same tokens in turns, in the same process; medians are compared. Both are timed from the texts
// on. For fill-mask one word of each text is masked, and rank pairs each text with the next.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <klue/klue.hpp>
#include <klue/text/detail/tokenizer_files.hpp>

#include "../command_line.hpp"

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

const tools::Names<Task> kTasks{{"classify", Task::classify},
                                {"rank", Task::rank},
                                {"tag", Task::tag},
                                {"fill-mask", Task::fill_mask}};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("MODEL_DIR", a.model, "A model with the task's head")->required()->type_name("");
  add_file(app, "--corpus", a.corpus, "A text per line")->required();
  tools::add_choice(app, "--task", a.task, kTasks, "Default: what the model's head is for");
  tools::add_choice(app, "--precision", a.load.precision, tools::kPrecisions,
                    "Of the numbers that are multiplied");
  tools::add_count(app, "--threads", a.load.threads, 1, tools::kMostThreads, "Threads; default: 1");
  tools::add_count(app, "--batch-tokens", a.load.batch_tokens, 1, tools::kMostTokens,
                   "Tokens that the encoder takes at once");
  tools::add_count(app, "--rounds", a.rounds, 1, 1000, "Times that each is run; default: 5");
  tools::add_count(app, "--lines", a.lines, 1, 1 << 30, "Most lines of FILE; default: all");
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
  klue::bench::Arguments arguments;
  CLI::App app{"What a task costs over the encoder under it, as one JSON line.", "task_benchmark"};
  klue::bench::add_options(app, arguments);
  return klue::bench::run_command(app, argc, argv, [&] { klue::bench::run(arguments); });
}
