// One training step of a model at a time: forward, backward, AdamW. What compare_training runs
// beside PyTorch. Prints a JSON line a shape; `train_benchmark --help`.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <klue/klue.hpp>
#include <klue/train.hpp>

#include "../command_line.hpp"

namespace klue::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model, lengths;
  std::vector<Shape> shapes{{16, 32}, {8, 128}};
  std::size_t threads = 1, steps = 4, batch = 32;
  double dropout = 0.1;
  Precision precision = Precision::f32;
  bool recompute = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("MODEL_DIR", a.model, "A RobertaForSequenceClassification with 3 labels")
      ->required()
      ->type_name("");
  add_shapes(app, a.shapes, "Batches of random ids, texts x tokens; default: 16x32,8x128");
  add_file(app, "--lengths", a.lengths, "Lengths of real examples, a number a line, in order");
  tools::add_count(app, "--batch", a.batch, 1, tools::kMostTokens,
                   "Examples of --lengths in a step; default: 32");
  tools::add_number(app, "--dropout", a.dropout, 0, 0.9, "Default: 0.1");
  tools::add_choice(app, "--precision", a.precision, tools::kPrecisions,
                    "Of the numbers that are multiplied: f32 or bf16");
  tools::add_count(app, "--threads", a.threads, 1, tools::kMostThreads, "Threads; default: 1");
  tools::add_count(app, "--steps", a.steps, 1, 1 << 20, "Of each shape; default: 4");
  app.add_flag("--recompute", a.recompute, "Gradient checkpointing by layer");
}

std::vector<train::Example> examples_of(const std::vector<std::size_t>& lengths,
                                        std::size_t vocabulary) {
  std::mt19937 random(1);
  std::vector<train::Example> examples;
  for (const std::size_t length : lengths) {
    train::Example example;
    for (std::size_t i = 0; i < length; ++i)
      example.ids.push_back(static_cast<std::int32_t>(5 + random() % (vocabulary - 5)));
    example.label = static_cast<std::int32_t>(random() % 3);
    examples.push_back(std::move(example));
  }
  return examples;
}

long peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

class Benchmark {
 public:
  explicit Benchmark(const Arguments& arguments)
      : arguments_(arguments), trainer_(network(), train::Objective::cross_entropy, how()) {}

  void shape(const Shape& shape) {
    const auto examples =
        examples_of(std::vector<std::size_t>(shape.rows, shape.length), vocabulary());
    run(examples, shape.rows);  // memory and caches
    std::vector<double> rates;
    for (std::size_t i = 0; i < arguments_.steps; ++i)
      rates.push_back(static_cast<double>(shape.rows * shape.length) / run(examples, shape.rows));
    report(shape.name(), rates);
  }

  void lengths(const std::string& file) {
    std::ifstream stream(file);
    std::vector<std::size_t> lengths;
    for (std::size_t length = 0; stream >> length;)
      lengths.push_back(length);
    const auto examples = examples_of(lengths, vocabulary());
    std::size_t tokens = 0;
    for (const std::size_t length : lengths)
      tokens += length;
    report("lengths", {static_cast<double>(tokens) / run(examples, arguments_.batch)});
  }

 private:
  train::Network<float> network() const {
    const EncoderConfig encoder = read_encoder_config(arguments_.model + "/config.json");
    return {{encoder, train::Head::sequence, 3},
            open_checkpoint(arguments_.model),
            1,
            std::make_shared<ThreadPool>(arguments_.threads),
            arguments_.precision};
  }
  train::TrainerOptions how() const {
    return {.schedule = {.learning_rate = 1e-5, .steps = 1000},
            .hidden_dropout = arguments_.dropout,
            .attention_dropout = arguments_.dropout,
            .head_dropout = arguments_.dropout,
            .recompute_layers = arguments_.recompute};
  }
  std::size_t vocabulary() const { return trainer_.network().config().encoder.vocab_size; }

  // Seconds for all examples, `batch` at a time.
  double run(const std::vector<train::Example>& examples, std::size_t batch) {
    const auto begin = Clock::now();
    for (std::size_t first = 0; first < examples.size(); first += batch) {
      std::vector<const train::Example*> part;
      for (std::size_t i = first; i < std::min(examples.size(), first + batch); ++i)
        part.push_back(&examples[i]);
      trainer_.step(part);
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void report(const std::string& name, std::vector<double> rates) const {
    std::sort(rates.begin(), rates.end());
    std::printf("{\"case\": \"%s\", \"threads\": %zu, \"tokens_per_s\": %.1f, \"peak_mib\": %ld}\n",
                name.c_str(), arguments_.threads, rates[rates.size() / 2], peak_mib());
    std::fflush(stdout);
  }

  Arguments arguments_;
  train::Trainer trainer_;
};

void run(const Arguments& arguments) {
  Benchmark benchmark(arguments);
  for (const Shape& shape : arguments.shapes)
    benchmark.shape(shape);
  if (!arguments.lengths.empty()) benchmark.lengths(arguments.lengths);
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  klue::bench::Arguments arguments;
  CLI::App app{"Times training steps of a model: forward, backward, AdamW. A JSON line a shape.",
               "train_benchmark"};
  klue::bench::add_options(app, arguments);
  return klue::bench::run_command(app, argc, argv, [&] { klue::bench::run(arguments); });
}
