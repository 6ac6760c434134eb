// What bf16 and int8 cost, on real sentences: against f32, after the mean over the corpus is taken
// off every vector. Raw cosines are dominated by the common component and stay near 1 even where
// neighbours get swapped.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <klue/kernels/detail/kernels.hpp>
#include <klue/klue.hpp>

#include "centred_vectors.hpp"
#include "shared_data.hpp"

namespace klue {
namespace {

namespace fs = std::filesystem;
using test::centred;
using test::dot;
using test::Matrix;
using test::similarity_correlation;

std::vector<std::string> every_nth_line(const fs::path& file, std::size_t step, std::size_t count) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; lines.size() < count && std::getline(stream, line); ++i)
    if (i % step == 0) lines.push_back(line);
  return lines;
}

double mean_cosine(const Matrix& a, const Matrix& b) {
  double sum = 0;
  for (std::size_t r = 0; r < a.size(); ++r)
    sum += dot(a[r], b[r]);
  return sum / static_cast<double>(a.size());
}

struct Promise {
  Precision precision;
  double cosine, correlation;

  // GoogleTest would print the bytes, those between the members too, which nobody has written.
  friend void PrintTo(const Promise& promise, std::ostream* out) {
    *out << precision_name(promise.precision);
  }
};

class LowPrecision : public testing::TestWithParam<Promise> {};

TEST_P(LowPrecision, KeepsItsPromiseOn320Sentences) {
  KLUE_SHARED_DATA_OR_SKIP(corpus, "data/klue_sentences.txt");
  const fs::path directory = fs::path(KLUE_FIXTURE_DIR) / "base-21";
  if (!fs::exists(directory / "config.json")) GTEST_SKIP() << "needs the fixture base-21";
  const std::vector<std::string> texts = every_nth_line(corpus, 15, 320);
  ASSERT_EQ(texts.size(), 320u);
  const auto vectors = [&](Precision precision) {
    return centred(
        Model::load(directory, {.precision = precision}).embed(texts, {.pooling = Pooling::mean}));
  };
  const Matrix exact = vectors(Precision::f32), ours = vectors(GetParam().precision);
  EXPECT_GE(mean_cosine(exact, ours), GetParam().cosine);
  EXPECT_GE(similarity_correlation(exact, ours), GetParam().correlation);
}

TEST_P(LowPrecision, GivesATextTheSameBitsAloneAndAmongOthers) {
  const fs::path directory = fs::path(KLUE_FIXTURE_DIR) / "tiny-11";
  const Model model = Model::load(directory, {.precision = GetParam().precision});
  const std::vector<std::string> texts{"하나", "둘째 문장은 조금 더 길다.", "", "세 번째 문장"};
  const Tensor together = model.embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Tensor alone = model.embed(std::span(texts).subspan(i, 1));
    EXPECT_TRUE(std::ranges::equal(alone.at(0), together.at(i))) << texts[i];
  }
}

INSTANTIATE_TEST_SUITE_P(, LowPrecision,
                         testing::Values(Promise{Precision::bf16, 0.9995, 0.9995},
                                         Promise{Precision::int8, 0.99, 0.99}),
                         [](const auto& test) {
                           return std::string(precision_name(test.param.precision));
                         });

// No precision is refused for want of an instruction, and what was loaded says what multiplies.
TEST(Precision, IsThereOnEveryProcessor) {
  for (const Precision precision : kPrecisions) {
    const Model model =
        Model::load(fs::path(KLUE_FIXTURE_DIR) / "tiny-11", {.precision = precision});
    EXPECT_EQ(model.info().engine, "packed, " + kernels::describe(kernels::active(), precision));
  }
}

}  // namespace
}  // namespace klue
