#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <klue/core/error.hpp>
#include <klue/task/detail/fillings.hpp>

#include "model/model_directory.hpp"
#include "text/small_tokenizer.hpp"

namespace klue::detail {
namespace {

using test::thrown;
using testing::ElementsAre;
using testing::IsEmpty;

class Fillings : public testing::Test {
 protected:
  const Tokenizer tokenizer = test::small_tokenizer({"가", "##나", ".", "다", "'"});
  enum : std::int32_t { CLS, PAD, SEP, UNK, MASK, GA, NA, DOT, DA, QUOTE };

  MaskedText masked(std::string_view text) const {
    const Encoding encoding = tokenizer.encode(text);
    MaskedText result{encoding.ids, encoding.type_ids, {}};
    for (std::size_t i = 0; i < encoding.size(); ++i)
      if (encoding.ids[i] == MASK) result.masks.push_back(i);
    return result;
  }

  std::vector<Filling> fill(std::string_view text, const std::vector<float>& logits,
                            std::vector<std::int32_t> targets = {}, std::size_t top_k = 3) const {
    const MaskedText t = masked(text);
    return fillings_of(tokenizer, t, t.masks.at(0), logits, targets, top_k);
  }
};

TEST_F(Fillings, ScoresAreOfTheWholeVocabulary) {
  std::vector<float> logits(10, 0.0f);
  logits[GA] = 3, logits[DA] = 2;
  const double all = std::exp(3.0) + std::exp(2.0) + 8;
  const auto best = fill("[MASK] 다", logits);
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[0].token, GA);
  EXPECT_NEAR(best[0].score, std::exp(3.0) / all, 1e-9);
  EXPECT_EQ(best[1].token, DA);
  EXPECT_EQ(best[2].token, CLS);  // equals by their ids
  const auto chosen = fill("[MASK] 다", logits, {NA, DA}, 5);
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].token, DA);
  EXPECT_NEAR(chosen[0].score, std::exp(2.0) / all, 1e-9);
}

TEST_F(Fillings, OneMaskLeavesSpecialTokensOutOfTheSequence) {
  std::vector<float> logits(10, 0.0f);
  logits[NA] = 9, logits[UNK] = 8, logits[PAD] = 7;
  const auto best = fill("가 [MASK].", logits);
  EXPECT_EQ(best[0].token_text, "##나");
  EXPECT_EQ(best[0].sequence, "가나.");
  EXPECT_EQ(best[1].token_text, "[UNK]");
  EXPECT_EQ(best[1].sequence, "가.");
  EXPECT_EQ(best[2].sequence, "가.");
}

TEST_F(Fillings, SeveralMasksKeepThem) {
  std::vector<float> logits(10, 0.0f);
  logits[DA] = 9, logits[PAD] = 8;
  const auto best = fill("[MASK] 가 [MASK]", logits);
  EXPECT_EQ(best[0].sequence, "[CLS] 다 가 [MASK] [SEP]");
  EXPECT_EQ(best[1].sequence, "[CLS] 가 [MASK] [SEP]");  // padding is filtered out
}

TEST_F(Fillings, QuotesAreMendedInTheWholeText) {
  std::vector<float> logits(10, 0.0f);
  logits[DA] = 9;
  EXPECT_EQ(fill("가 ' [MASK] ' 가", logits)[0].sequence, "가'다'가");
}

// The weights may have more rows than the vocabulary has pieces.
TEST_F(Fillings, ARowWithoutAPieceHasNoText) {
  std::vector<float> logits(12, 0.0f);
  logits[11] = 9;
  const auto best = fill("가 [MASK]", logits);
  EXPECT_EQ(best[0].token, 11);
  EXPECT_EQ(best[0].token_text, "");
  EXPECT_EQ(best[0].sequence, "가");
}

TEST_F(Fillings, MoreThanTheVocabularyHasIsAllOfIt) {
  EXPECT_EQ(fill("[MASK]", std::vector<float>(10, 0.0f), {}, 99).size(), 10u);
}

TEST_F(Fillings, TargetsAreWholePiecesOrTheFirstOfTheirTokens) {
  EXPECT_THAT(target_ids(tokenizer, {"##나", "가나", "가", "힣", ""}), ElementsAre(NA, GA, UNK));
  EXPECT_THAT(target_ids(tokenizer, {}), IsEmpty());
  EXPECT_EQ(thrown<UsageError>([&] { target_ids(tokenizer, {"", " "}); }).field(), "targets");
}

}  // namespace
}  // namespace klue::detail
