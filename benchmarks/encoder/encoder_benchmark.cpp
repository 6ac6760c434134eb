// Times the encoder on one model, one JSON line per case and engine; `encoder_benchmark --help`.
//
// Engines run in turns, in the same process, and medians are compared: `ahead` says how many times
// as fast the first engine is. `peak_share` is the rate of the linear layers' products, as if
// nothing else took time, over the multiply-add peak of as many cores, measured in the same run.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/klue.hpp>

#include "../command_line.hpp"
#include "../peak.hpp"

namespace klue::bench {
namespace {

using detail::TokenBatchBuilder;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Arguments {
  std::string model, corpus;
  std::vector<Shape> shapes;
  Precision precision = Precision::f32;
  std::vector<Engine> engines{Engine::automatic};
  std::size_t threads = 1;
  std::size_t batch_tokens = LoadOptions{}.batch_tokens;
  double seconds = 3;
  bool in_turns = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("MODEL_DIR", a.model, "A model directory")->required()->type_name("");
  add_shapes(app, a.shapes, "Batches of random ids, texts x tokens, as 1x8,16x32");
  add_file(app, "--corpus", a.corpus,
           "A text per line, end to end: tokenization, encoder, mean pooling");
  app.add_flag("--in-turns", a.in_turns,
               "The shapes in turns as well; `of_first` is the rate of each as a share of the "
               "first one's");
  tools::add_choice(app, "--precision", a.precision, tools::kPrecisions,
                    "Of the numbers that are multiplied");
  tools::add_choice(app, "--engine", a.engines, tools::kEngines,
                    "Several, with commas, run in turns")
      ->delimiter(',');
  tools::add_count(app, "--threads", a.threads, 1, tools::kMostThreads, "Threads; default: 1");
  tools::add_count(app, "--batch-tokens", a.batch_tokens, 1, tools::kMostTokens,
                   "Tokens that the encoder takes at once");
  tools::add_number(app, "--seconds", a.seconds, 0, 1e6, "For each shape and engine; default: 3");
}

// Operations of all linear layers per token.
double operations_per_token(const EncoderConfig& c) {
  const double hidden = static_cast<double>(c.hidden_size);
  return 2.0 * static_cast<double>(c.num_hidden_layers) * hidden *
         (4 * hidden + 2 * static_cast<double>(c.intermediate_size));
}

double peak(const Arguments& a) {
  const double one = a.precision == Precision::int8   ? peak_int8()
                     : a.precision == Precision::bf16 ? peak_bf16()
                                                      : peak_f32();
  return one * static_cast<double>(a.threads);
}

double median(std::vector<double>& times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

// The same work by several models, in turns: what else the machine does hits all of them.
template <class Run>
std::vector<double> median_seconds(const std::vector<Model>& models, double budget,
                                   std::size_t least_rounds, const Run& run) {
  std::vector<std::vector<double>> times(models.size());
  const double begin = now(), end = begin + budget * static_cast<double>(models.size());
  while (times[0].size() < least_rounds || now() < end)
    for (std::size_t m = 0; m < models.size(); ++m) {
      const double t = now();
      run(models[m]);
      times[m].push_back(now() - t);
    }
  std::vector<double> medians;
  for (std::vector<double>& of_model : times)
    medians.push_back(median(of_model));
  return medians;
}

void print(const Arguments& a, const std::vector<Model>& models, const std::string& name,
           std::size_t tokens, const std::vector<double>& seconds,
           const std::vector<double>& first_rates = {}) {
  for (std::size_t m = 0; m < models.size(); ++m) {
    const double rate = static_cast<double>(tokens) / seconds[m];
    const double share = rate * operations_per_token(models[m].encoder().config()) * 1e-9 / peak(a);
    std::printf(
        "{\"library\":\"klue-roberta\",\"engine\":\"%s\",\"threads\":%zu,\"case\":\"%s\","
        "\"tokens\":%zu,\"median_ms\":%.3f,\"tokens_per_s\":%.1f,\"peak_share\":%.3f",
        models[m].info().engine.c_str(), a.threads, name.c_str(), tokens, seconds[m] * 1e3, rate,
        share);
    if (m > 0) std::printf(",\"ahead\":%.2f", seconds[m] / seconds[0]);
    if (!first_rates.empty()) std::printf(",\"of_first\":%.3f", rate / first_rates[m]);
    std::printf("}\n");
  }
  std::fflush(stdout);
}

// A batch of random ids.
struct Batch {
  std::string name;
  std::size_t tokens;
  TokenBatchBuilder builder;

  Batch(const Shape& shape, const EncoderConfig& config)
      : name(shape.name()), tokens(shape.rows * shape.length), builder(config) {
    std::mt19937 random(1);
    std::vector<std::int32_t> ids(shape.length), types(shape.length, 0);
    for (std::size_t row = 0; row < shape.rows; ++row) {
      for (auto& id : ids)
        id = static_cast<std::int32_t>(5 + random() % (config.vocab_size - 5));
      builder.append(ids, types);
    }
  }

  void run(const Model& model) const {
    model.encoder().core().pool(builder.batch(), Pooling::mean,
                                [](std::size_t, std::span<float>) {});
  }
};

std::vector<Batch> batches_of(const Arguments& a, const EncoderConfig& config) {
  std::vector<Batch> batches;
  for (const Shape& shape : a.shapes)
    batches.emplace_back(shape, config);
  return batches;
}

void time_shapes(const Arguments& a, const std::vector<Model>& models) {
  for (const Batch& batch : batches_of(a, models[0].encoder().config())) {
    const auto run = [&](const Model& model) { batch.run(model); };
    std::ranges::for_each(models, run);  // warms up
    print(a, models, batch.name, batch.tokens, median_seconds(models, a.seconds, 3, run));
  }
}

// All models and shapes once in every round.
void time_shapes_in_turns(const Arguments& a, const std::vector<Model>& models) {
  const std::vector<Batch> batches = batches_of(a, models[0].encoder().config());
  std::vector<std::vector<std::vector<double>>> times(
      batches.size(), std::vector<std::vector<double>>(models.size()));
  const double end = now() + a.seconds * static_cast<double>(batches.size() * models.size());
  for (int round = -1; round < 3 || now() < end; ++round)  // the first one warms up
    for (std::size_t s = 0; s < batches.size(); ++s)
      for (std::size_t m = 0; m < models.size(); ++m) {
        const double begin = now();
        batches[s].run(models[m]);
        if (round >= 0) times[s][m].push_back(now() - begin);
      }
  std::vector<double> first_rates;
  for (std::size_t s = 0; s < batches.size(); ++s) {
    std::vector<double> seconds;
    for (std::vector<double>& of_model : times[s])
      seconds.push_back(median(of_model));
    if (s == 0)
      for (const double of_model : seconds)
        first_rates.push_back(static_cast<double>(batches[0].tokens) / of_model);
    print(a, models, batches[s].name, batches[s].tokens, seconds, first_rates);
  }
}

void time_corpus(const Arguments& a, const std::vector<Model>& models) {
  std::ifstream file(a.corpus);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) texts.push_back(line);
  std::size_t tokens = 0;
  for (const std::string& text : texts)
    tokens += models[0].preprocessor().encode(text).size();
  for (const Model& model : models)
    model.embed(std::span(texts).first(std::min<std::size_t>(64, texts.size())));
  print(a, models, "corpus", tokens, median_seconds(models, 0, 1, [&](const Model& model) {
          model.embed(texts, {.pooling = Pooling::mean});
        }));
}

void run(const Arguments& a) {
  if (a.shapes.empty() && a.corpus.empty())
    throw std::runtime_error("nothing to time: --shapes or --corpus");
  const double begin = now();
  std::vector<Model> models;
  for (const Engine engine : a.engines)
    models.push_back(Model::load(a.model, {.threads = a.threads,
                                           .engine = engine,
                                           .precision = a.precision,
                                           .batch_tokens = a.batch_tokens}));
  std::fprintf(stderr, "loaded in %.3f s\n", now() - begin);
  (a.in_turns ? time_shapes_in_turns : time_shapes)(a, models);
  if (!a.corpus.empty()) time_corpus(a, models);
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  klue::bench::Arguments arguments;
  CLI::App app{"Times the encoder on one model, and prints a JSON line per case and engine.",
               "encoder_benchmark"};
  klue::bench::add_options(app, arguments);
  return klue::bench::run_command(app, argc, argv, [&] { klue::bench::run(arguments); });
}
