// What bf16 and int8 cost, on real sentences: against f32, after the mean over the corpus is taken
// off every vector. Raw cosines are dominated by the common component and stay near 1 even where
// neighbours get swapped.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <span>
#include <string>
#include <tuple>
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

// Attention of long texts multiplies in another way. bf16 has the less noise of its own to hide it
// in, and is the same there as int8. Fewer texts than these say less of it: where activations are
// bfloat16, too, 8 of them do not correlate to 0.9995 with attention in float32 either.
TEST(Bf16, KeepsItsPromiseOnLongTexts) {
  KLUE_SHARED_DATA_OR_SKIP(corpus, "data/klue_sentences.txt");
  const fs::path directory = fs::path(KLUE_FIXTURE_DIR) / "base-21";
  if (!fs::exists(directory / "config.json")) GTEST_SKIP() << "needs the fixture base-21";
  const std::vector<std::string> lines = every_nth_line(corpus, 15, 320);
  ASSERT_EQ(lines.size(), 320u);
  std::vector<std::string> texts(16);
  for (std::size_t i = 0; i < lines.size(); ++i)
    texts[i / 20].append(lines[i]).append(" ");
  const auto vectors = [&](Precision precision) {
    return centred(
        Model::load(directory, {.precision = precision}).embed(texts, {.pooling = Pooling::mean}));
  };
  const Matrix exact = vectors(Precision::f32), ours = vectors(Precision::bf16);
  EXPECT_GE(mean_cosine(exact, ours), 0.9995);
  EXPECT_GE(similarity_correlation(exact, ours), 0.9995);
}

INSTANTIATE_TEST_SUITE_P(, LowPrecision,
                         testing::Values(Promise{Precision::bf16, 0.9995, 0.9995},
                                         Promise{Precision::int8, 0.99, 0.99}),
                         [](const auto& test) {
                           return std::string(precision_name(test.param.precision));
                         });

// Of a few words, and of more than fit into any block of rows or keys.
std::vector<std::string> texts_of_all_lengths() {
  std::vector<std::string> texts{"하나", "둘째 문장은 조금 더 길다.", "", "세 번째 문장"};
  for (const int words : {60, 130, 300}) {
    std::string& text = texts.emplace_back();
    for (int i = 0; i < words; ++i)
      text.append(i % 3 == 0 ? "문장 " : "낱말 ");
  }
  return texts;
}

// Every engine in every precision that it has here. The promise of accuracy is made good by
// `packed`; the others are held to it.
class Cell : public testing::TestWithParam<std::tuple<Engine, Precision>> {
 protected:
  static Engine engine() { return std::get<Engine>(GetParam()); }
  static Precision precision() { return std::get<Precision>(GetParam()); }

  static Model load(Engine engine) {
    return Model::load(fs::path(KLUE_FIXTURE_DIR) / "tiny-11",
                       {.engine = engine, .precision = precision()});
  }

  void SetUp() override {
    try {
      load(engine());
    } catch (const UnsupportedError& error) {
      ASSERT_NE(engine(), Engine::packed) << error.what();
      GTEST_SKIP() << error.what();
    }
  }
};

// What other libraries add up they may add up in another order for other rows.
TEST_P(Cell, GivesATextTheSameBitsAloneAndAmongOthers) {
  const float most = engine() == Engine::packed       ? 0.0f
                     : precision() == Precision::bf16 ? 1e-2f
                                                      : 1e-5f;
  const Model model = load(engine());
  const std::vector<std::string> texts = texts_of_all_lengths();
  const Tensor together = model.embed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Tensor alone = model.embed(std::span(texts).subspan(i, 1));
    std::size_t different = 0;
    for (std::size_t c = 0; c < alone.at(0).size(); ++c)
      if (!(std::abs(alone.at(0)[c] - together.at(i)[c]) <= most)) ++different;
    EXPECT_EQ(different, 0u) << texts[i];
  }
}

TEST_P(Cell, AgreesWithOurOwnEngine) {
  const std::vector<std::string> texts = texts_of_all_lengths();
  const Matrix ours = centred(load(Engine::packed).embed(texts)),
               theirs = centred(load(engine()).embed(texts));
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_GE(dot(ours[i], theirs[i]), 0.9999) << texts[i];
}

INSTANTIATE_TEST_SUITE_P(, Cell,
                         testing::Combine(testing::Values(Engine::packed, Engine::eigen,
                                                          Engine::onednn),
                                          testing::ValuesIn(kPrecisions)),
                         [](const auto& test) {
                           return std::string(engine_name(std::get<Engine>(test.param))) + "_" +
                                  std::string(precision_name(std::get<Precision>(test.param)));
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
