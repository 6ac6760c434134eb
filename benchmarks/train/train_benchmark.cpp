// One training step of a model at a time: forward, backward, AdamW. What compare_training runs
// beside PyTorch. Prints a JSON line a shape.
//
//   train_benchmark MODEL_DIR [--threads N] [--shapes 16x32,8x128] [--lengths FILE] [--batch N]
//                   [--dropout X] [--precision f32|bf16] [--steps N] [--recompute]
//
// MODEL_DIR is a RobertaForSequenceClassification with 3 labels. A shape is sentences × tokens, the
// ids random. FILE holds the lengths of real examples, a number a line, taken --batch at a time in
// their order.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <klue/klue.hpp>
#include <klue/train.hpp>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string model, shapes = "16x32,8x128", lengths;
  std::size_t threads = 1, steps = 4, batch = 32;
  double dropout = 0.1;
  klue::Precision precision = klue::Precision::f32;
  bool recompute = false;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    if (flag == "--threads")
      o.threads = std::stoul(value());
    else if (flag == "--shapes")
      o.shapes = value();
    else if (flag == "--lengths")
      o.lengths = value();
    else if (flag == "--batch")
      o.batch = std::stoul(value());
    else if (flag == "--dropout")
      o.dropout = std::stod(value());
    else if (flag == "--steps")
      o.steps = std::stoul(value());
    else if (flag == "--precision")
      o.precision = value() == "bf16" ? klue::Precision::bf16 : klue::Precision::f32;
    else if (flag == "--recompute")
      o.recompute = true;
    else
      o.model = flag;
  }
  return o;
}

std::vector<klue::train::Example> examples_of(const std::vector<std::size_t>& lengths,
                                              std::size_t vocabulary) {
  std::mt19937 random(1);
  std::vector<klue::train::Example> examples;
  for (const std::size_t length : lengths) {
    klue::train::Example example;
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
  explicit Benchmark(const Options& options)
      : options_(options), trainer_(network(), klue::train::Objective::cross_entropy, how()) {}

  void shape(const std::string& name, std::size_t rows, std::size_t tokens) {
    const auto examples = examples_of(std::vector<std::size_t>(rows, tokens), vocabulary());
    run(examples, rows);  // memory and caches
    std::vector<double> rates;
    for (std::size_t i = 0; i < options_.steps; ++i)
      rates.push_back(static_cast<double>(rows * tokens) / run(examples, rows));
    report(name, rates);
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
    report("lengths", {static_cast<double>(tokens) / run(examples, options_.batch)});
  }

 private:
  klue::train::Network<float> network() const {
    const klue::EncoderConfig encoder = klue::read_encoder_config(options_.model + "/config.json");
    return {{encoder, klue::train::Head::sequence, 3},
            klue::open_checkpoint(options_.model),
            1,
            std::make_shared<klue::ThreadPool>(options_.threads),
            options_.precision};
  }
  klue::train::TrainerOptions how() const {
    return {.schedule = {.learning_rate = 1e-5, .steps = 1000},
            .hidden_dropout = options_.dropout,
            .attention_dropout = options_.dropout,
            .head_dropout = options_.dropout,
            .recompute_layers = options_.recompute};
  }
  std::size_t vocabulary() const { return trainer_.network().config().encoder.vocab_size; }

  // Seconds for all examples, `batch` at a time.
  double run(const std::vector<klue::train::Example>& examples, std::size_t batch) {
    const auto begin = Clock::now();
    for (std::size_t first = 0; first < examples.size(); first += batch) {
      std::vector<const klue::train::Example*> part;
      for (std::size_t i = first; i < std::min(examples.size(), first + batch); ++i)
        part.push_back(&examples[i]);
      trainer_.step(part);
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void report(const std::string& name, std::vector<double> rates) const {
    std::sort(rates.begin(), rates.end());
    std::printf("{\"case\": \"%s\", \"threads\": %zu, \"tokens_per_s\": %.1f, \"peak_mib\": %ld}\n",
                name.c_str(), options_.threads, rates[rates.size() / 2], peak_mib());
    std::fflush(stdout);
  }

  Options options_;
  klue::train::Trainer trainer_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    Benchmark benchmark(options);
    std::istringstream shapes(options.shapes);
    for (std::string shape; std::getline(shapes, shape, ',');) {
      const std::size_t x = shape.find('x');
      benchmark.shape(shape, std::stoul(shape.substr(0, x)), std::stoul(shape.substr(x + 1)));
    }
    if (!options.lengths.empty()) benchmark.lengths(options.lengths);
  } catch (const std::exception& error) {
    std::cerr << "train_benchmark: " << error.what() << "\n";
    return 1;
  }
}
