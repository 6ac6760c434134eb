// What the bundled demo model says about Korean. The sentences were written before any model had
// seen them; where one fails, the model is to blame.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "cli/command.hpp"

namespace klue::test {
namespace {

struct Quadruple {
  const char *sentence, *paraphrase, *related, *unrelated;
};

constexpr std::array<Quadruple, 10> kQuadruples{{
    {"강아지가 공원에서 뛰어다닌다", "공원에서 강아지가 뛰어놀고 있다", "강아지가 집에서 잠을 잔다",
     "주식 시장이 크게 하락했다"},
    {"오늘 날씨가 정말 좋네요", "오늘은 날씨가 참 좋습니다", "내일 날씨는 어떤가요?",
     "컴퓨터가 고장 나서 수리를 맡겼다"},
    {"한 남자가 기타를 연주하고 있다", "남자가 기타를 치고 있다",
     "한 여자가 피아노를 연주하고 있다", "정부가 새로운 세금 정책을 발표했다"},
    {"숙소가 지하철역에서 가까워요", "숙소는 지하철역과 가깝습니다", "숙소가 아주 깨끗해요",
     "그는 어제 축구 경기를 보았다"},
    {"배가 고파서 밥을 먹고 싶다", "배고파서 밥 먹고 싶어", "저녁에 밥을 먹고 산책했다",
     "비행기가 공항에 착륙했다"},
    {"회의는 내일 오후 세 시에 시작합니다", "내일 오후 세 시에 회의가 시작됩니다",
     "회의가 다음 주로 미뤄졌습니다", "고양이가 소파 위에서 자고 있다"},
    {"정부는 코로나19 확진자 수를 발표했다", "코로나19 확진자 수를 정부가 발표하였다",
     "정부는 코로나19 백신 접종을 시작했다", "아이가 바다에서 수영을 한다"},
    {"이 영화는 정말 재미있었어요", "영화가 아주 재미있었습니다", "이 영화의 감독은 누구인가요?",
     "엄마가 부엌에서 양파를 썰고 있다"},
    {"아이들이 운동장에서 축구를 하고 있다", "운동장에서 아이들이 축구를 한다",
     "아이들이 교실에서 책을 읽고 있다", "은행 금리가 올랐다"},
    {"예약을 취소하고 싶은데 어떻게 하나요?", "예약을 취소하려면 어떻게 해야 하나요?",
     "예약을 하루 더 연장할 수 있나요?", "산 위에 눈이 하얗게 쌓였다"},
}};

TEST(DemoModel, PutsAParaphraseBeforeWhatIsRelatedAndThatBeforeTheRest) {
  for (const Quadruple& q : kQuadruples) {
    const Result result =
        embed({"--quiet", "--similarity", "--", q.sentence, q.paraphrase, q.related, q.unrelated});
    ASSERT_EQ(result.status, 0) << result.err;
    const std::vector<float> cosines = numbers_of(lines_of(result.out).front());
    ASSERT_EQ(cosines.size(), 4u);
    EXPECT_GT(cosines[1], cosines[2]) << q.sentence;
    EXPECT_GT(cosines[2], cosines[3]) << q.sentence;
  }
}

}  // namespace
}  // namespace klue::test
