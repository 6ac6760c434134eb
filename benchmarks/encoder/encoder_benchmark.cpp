// Times the encoder on one model, one JSON line per case:
//
//   encoder_benchmark MODEL_DIR [--precision f32|bf16|int8] [--threads N] [--seconds S]
//       [--engine eigen|onednn] [--batch-tokens N]
//       --shapes 1x8,1x16,32x128     batches of random ids, batch × length
//       --corpus FILE                a text per line, end to end: tokenization, encoder, mean
//       pooling
//       --gemms                      what Eigen's plain A·B needs for the products of 1×16 alone
//
// `peak_share` is the rate of the linear layers' products, as if nothing else took time, over the
// multiply-add peak of as many cores, measured in the same run.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/klue.hpp>

#include "../linear/plain_eigen.hpp"
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
  Engine engine = Engine::automatic;
  std::size_t threads = 1;
  std::size_t batch_tokens = LoadOptions{}.batch_tokens;
  double seconds = 3;
  bool gemms = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&]() -> std::string { return ++i < argc ? argv[i] : ""; };
    if (flag == "--shapes")
      a.shapes = value();
    else if (flag == "--corpus")
      a.corpus = value();
    else if (flag == "--gemms")
      a.gemms = true;
    else if (flag == "--threads")
      a.threads = std::stoul(value());
    else if (flag == "--engine")
      a.engine = value() == std::string("onednn") ? Engine::onednn : Engine::eigen;
    else if (flag == "--batch-tokens")
      a.batch_tokens = std::stoul(value());
    else if (flag == "--seconds")
      a.seconds = std::stod(value());
    else if (flag == "--precision")
      a.precision = [&] {
        const std::string name = value();
        return name == "int8" ? Precision::int8 : name == "bf16" ? Precision::bf16 : Precision::f32;
      }();
    else
      a.model = flag;
  }
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

template <class Run>
double median_seconds(double budget, const Run& run) {
  run();
  std::vector<double> times;
  for (const double begin = now(); now() - begin < budget || times.size() < 3;) {
    const double t = now();
    run();
    times.push_back(now() - t);
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void print(const Arguments& a, const Model& model, const std::string& name, std::size_t tokens,
           double seconds) {
  const double rate = static_cast<double>(tokens) / seconds;
  const double share = rate * operations_per_token(model.encoder().config()) * 1e-9 / peak(a);
  std::printf(
      "{\"library\":\"klue-roberta\",\"engine\":\"%s\",\"threads\":%zu,\"case\":\"%s\","
      "\"tokens\":%zu,\"median_ms\":%.3f,\"tokens_per_s\":%.1f,\"peak_share\":%.3f}\n",
      model.info().engine.c_str(), a.threads, name.c_str(), tokens, seconds * 1e3, rate, share);
  std::fflush(stdout);
}

void time_shapes(const Arguments& a, const Model& model) {
  std::stringstream list(a.shapes);
  for (std::string shape; std::getline(list, shape, ',');) {
    const std::size_t x = shape.find('x');
    const std::size_t batch = std::stoul(shape), length = std::stoul(shape.substr(x + 1));
    TokenBatchBuilder builder(model.encoder().config());
    std::mt19937 random(1);
    std::vector<std::int32_t> ids(length), types(length, 0);
    for (std::size_t b = 0; b < batch; ++b) {
      for (auto& id : ids)
        id = static_cast<std::int32_t>(5 + random() % (model.encoder().config().vocab_size - 5));
      builder.append(ids, types);
    }
    const double seconds = median_seconds(a.seconds, [&] {
      model.encoder().core().pool(builder.batch(), Pooling::mean,
                                  [](std::size_t, std::span<float>) {});
    });
    print(a, model, shape, batch * length, seconds);
  }
}

void time_corpus(const Arguments& a, const Model& model) {
  std::ifstream file(a.corpus);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) texts.push_back(line);
  std::size_t tokens = 0;
  for (const std::string& text : texts)
    tokens += model.preprocessor().encode(text).size();
  model.embed(std::span(texts).first(std::min<std::size_t>(64, texts.size())));
  const double begin = now();
  model.embed(texts, {.pooling = Pooling::mean});
  print(a, model, "corpus", tokens, now() - begin);
}

// The 6 products per layer of a 16-token sentence, every layer with weights of its own.
void time_plain_gemms(const Arguments& a, const Model& model) {
  const EncoderConfig& c = model.encoder().config();
  const std::size_t h = c.hidden_size, inner = c.intermediate_size, rows = 16;
  const std::size_t layer = 4 * h * h + 2 * h * inner;
  std::vector<float> weights(c.num_hidden_layers * layer, 0.01f), x(rows * inner, 0.5f);
  std::vector<float> y(rows * inner);
  const double seconds = median_seconds(a.seconds, [&] {
    for (std::size_t l = 0; l < c.num_hidden_layers; ++l) {
      const float* w = &weights[l * layer];
      for (int i = 0; i < 4; ++i, w += h * h)
        plain_eigen_product(x.data(), rows, w, h, h, y.data());
      plain_eigen_product(x.data(), rows, w, h, inner, y.data());
      plain_eigen_product(x.data(), rows, w + h * inner, inner, h, y.data());
    }
  });
  std::printf("{\"library\":\"Eigen A*B, products alone\",\"case\":\"1x16\",\"median_ms\":%.3f}\n",
              seconds * 1e3);
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  using namespace klue::bench;
  try {
    const Arguments arguments = parse(argc, argv);
    const double begin = now();
    const auto model = klue::Model::load(arguments.model, {.threads = arguments.threads,
                                                           .engine = arguments.engine,
                                                           .precision = arguments.precision,
                                                           .batch_tokens = arguments.batch_tokens});
    std::fprintf(stderr, "loaded in %.3f s\n", now() - begin);
    if (!arguments.shapes.empty()) time_shapes(arguments, model);
    if (!arguments.corpus.empty()) time_corpus(arguments, model);
    if (arguments.gemms) time_plain_gemms(arguments, model);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encoder_benchmark: %s\n", error.what());
    return 1;
  }
}
