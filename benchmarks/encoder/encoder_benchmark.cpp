// Times the encoder on one model, one JSON line per case and engine:
//
//   encoder_benchmark MODEL_DIR [--precision f32|bf16|int8|auto] [--threads N] [--seconds S]
//       [--engine packed,eigen,onednn] [--batch-tokens N]
//       --shapes 1x8,1x16,32x128     batches of random ids, batch × length
//       --in-turns                   the shapes in turns as well; `of_first` is the rate of each as
//       a
//                                    share of the first one's
//       --corpus FILE                a text per line, end to end: tokenization, encoder, mean
//       pooling
//
// Engines run in turns, in the same process, and medians are compared: `ahead` says how many times
// as fast the first engine is. `peak_share` is the rate of the linear layers' products, as if
// nothing else took time, over the multiply-add peak of as many cores, measured in the same run.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/klue.hpp>

#include "../peak.hpp"

namespace klue::bench {
namespace {

using detail::TokenBatchBuilder;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Arguments {
  std::string model, shapes, corpus;
  Precision precision = Precision::f32;
  std::vector<Engine> engines;
  std::size_t threads = 1;
  std::size_t batch_tokens = LoadOptions{}.batch_tokens;
  double seconds = 3;
  bool in_turns = false;
};

template <class Value, std::size_t Count>
Value named(const Value (&values)[Count], std::string_view (*spelling)(Value),
            const std::string& name) {
  for (const Value value : values)
    if (spelling(value) == name) return value;
  throw std::runtime_error("there is no " + name);
}

std::vector<Engine> engines_of(const std::string& names) {
  std::vector<Engine> engines;
  std::stringstream list(names);
  for (std::string name; std::getline(list, name, ',');)
    engines.push_back(named(kEngines, engine_name, name));
  return engines;
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&]() -> std::string { return ++i < argc ? argv[i] : ""; };
    if (flag == "--shapes")
      a.shapes = value();
    else if (flag == "--corpus")
      a.corpus = value();
    else if (flag == "--threads")
      a.threads = std::stoul(value());
    else if (flag == "--engine")
      a.engines = engines_of(value());
    else if (flag == "--batch-tokens")
      a.batch_tokens = std::stoul(value());
    else if (flag == "--seconds")
      a.seconds = std::stod(value());
    else if (flag == "--in-turns")
      a.in_turns = true;
    else if (flag == "--precision")
      a.precision = named(kPrecisionChoices, precision_name, value());
    else
      a.model = flag;
  }
  if (a.engines.empty()) a.engines = {Engine::automatic};
  return a;
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
struct Shape {
  std::string name;
  std::size_t tokens;
  TokenBatchBuilder builder;

  Shape(std::string shape, const EncoderConfig& config)
      : name(std::move(shape)), tokens(0), builder(config) {
    const std::size_t x = name.find('x');
    const std::size_t batch = std::stoul(name), length = std::stoul(name.substr(x + 1));
    std::mt19937 random(1);
    std::vector<std::int32_t> ids(length), types(length, 0);
    for (std::size_t b = 0; b < batch; ++b, tokens += length) {
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

std::vector<Shape> shapes_of(const Arguments& a, const EncoderConfig& config) {
  std::vector<Shape> shapes;
  std::stringstream list(a.shapes);
  for (std::string name; std::getline(list, name, ',');)
    shapes.emplace_back(name, config);
  return shapes;
}

void time_shapes(const Arguments& a, const std::vector<Model>& models) {
  for (const Shape& shape : shapes_of(a, models[0].encoder().config())) {
    const auto run = [&](const Model& model) { shape.run(model); };
    std::ranges::for_each(models, run);  // warms up
    print(a, models, shape.name, shape.tokens, median_seconds(models, a.seconds, 3, run));
  }
}

// All models and shapes once in every round.
void time_shapes_in_turns(const Arguments& a, const std::vector<Model>& models) {
  const std::vector<Shape> shapes = shapes_of(a, models[0].encoder().config());
  std::vector<std::vector<std::vector<double>>> times(
      shapes.size(), std::vector<std::vector<double>>(models.size()));
  const double end = now() + a.seconds * static_cast<double>(shapes.size() * models.size());
  for (int round = -1; round < 3 || now() < end; ++round)  // the first one warms up
    for (std::size_t s = 0; s < shapes.size(); ++s)
      for (std::size_t m = 0; m < models.size(); ++m) {
        const double begin = now();
        shapes[s].run(models[m]);
        if (round >= 0) times[s][m].push_back(now() - begin);
      }
  std::vector<double> first_rates;
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    std::vector<double> seconds;
    for (std::vector<double>& of_model : times[s])
      seconds.push_back(median(of_model));
    if (s == 0)
      for (const double of_model : seconds)
        first_rates.push_back(static_cast<double>(shapes[0].tokens) / of_model);
    print(a, models, shapes[s].name, shapes[s].tokens, seconds, first_rates);
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

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  using namespace klue::bench;
  try {
    const Arguments arguments = parse(argc, argv);
    const double begin = now();
    std::vector<klue::Model> models;
    for (const klue::Engine engine : arguments.engines)
      models.push_back(
          klue::Model::load(arguments.model, {.threads = arguments.threads,
                                              .engine = engine,
                                              .precision = arguments.precision,
                                              .batch_tokens = arguments.batch_tokens}));
    std::fprintf(stderr, "loaded in %.3f s\n", now() - begin);
    if (!arguments.shapes.empty())
      (arguments.in_turns ? time_shapes_in_turns : time_shapes)(arguments, models);
    if (!arguments.corpus.empty()) time_corpus(arguments, models);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encoder_benchmark: %s\n", error.what());
    return 1;
  }
}
