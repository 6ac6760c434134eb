// What every precision and engine costs in accuracy under the instruction set that KLUE_ISA names,
// on real sentences, mean-pooled, against this library's float32:
//
//   accuracy MODEL_DIR CORPUS [VECTORS.f32]
//
// takes 320 lines of CORPUS, every 15th, and prints a row of a Markdown table for each. VECTORS.f32
// are another program's [320, hidden] for the same lines, as benchmarks/onnxruntime/bench.js --dump
// writes them; they get a row of their own. The mean over all vectors is taken off each first: raw
// cosines are dominated by the common component, and stay near 1 even where neighbours get swapped.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <klue/klue.hpp>

#include "../../tests/centred_vectors.hpp"

namespace klue::bench {
namespace {

constexpr std::size_t kStep = 15, kCount = 320;

using test::centred;
using test::dot;
using test::Matrix;
using test::similarity_correlation;

std::vector<std::string> read_lines(const std::string& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; lines.size() < kCount && std::getline(stream, line); ++i)
    if (i % kStep == 0) lines.push_back(line);
  if (lines.size() < kCount) throw std::runtime_error(file + ": too few lines");
  return lines;
}

Tensor read_vectors(const std::string& file, std::size_t columns) {
  Tensor vectors{kCount, columns};
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(reinterpret_cast<char*>(vectors.values().data()),
                   static_cast<std::streamsize>(vectors.values().size_bytes())))
    throw std::runtime_error(file + ": too few vectors");
  return vectors;
}

void print_row(const std::string& what, const Matrix& exact, const Matrix& found) {
  double sum = 0, least = 1;
  for (std::size_t r = 0; r < exact.size(); ++r) {
    const double cosine = dot(exact[r], found[r]);
    sum += cosine;
    least = std::min(least, cosine);
  }
  std::printf("| %s | %.5f | %.5f | %.5f |\n", what.c_str(),
              sum / static_cast<double>(exact.size()), least, similarity_correlation(exact, found));
  std::fflush(stdout);
}

void run(const std::string& directory, const std::string& corpus, const char* others) {
  const std::vector<std::string> texts = read_lines(corpus);
  const auto vectors = [&](Engine engine, Precision precision, std::string& what) {
    const Model model = Model::load(directory, {.engine = engine, .precision = precision});
    what = model.info().engine;
    return model.embed(texts, {.pooling = Pooling::mean});
  };
  std::string what;
  const Tensor f32 = vectors(Engine::packed, Precision::f32, what);
  const Matrix exact = centred(f32);
  std::printf(
      "| form | mean centred cosine | least | similarity correlation |\n|---|---|---|---|\n");
  for (const Engine engine : available_engines())
    for (const Precision precision : kPrecisions) {
      if (engine == Engine::packed && precision == Precision::f32) continue;
      try {
        const Matrix found = centred(vectors(engine, precision, what));
        print_row(what, exact, found);
      } catch (const UnsupportedError&) {
        // A cell that does not exist.
      }
    }
  if (others != nullptr) print_row(others, exact, centred(read_vectors(others, f32.shape()[1])));
}

}  // namespace
}  // namespace klue::bench

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: accuracy MODEL_DIR CORPUS [VECTORS.f32]\n");
    return 2;
  }
  try {
    klue::bench::run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy: %s\n", error.what());
    return 1;
  }
}
