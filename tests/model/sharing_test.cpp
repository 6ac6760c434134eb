// Several models on the same threads, and models in the children of a fork.

#include <atomic>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "child.hpp"
#include "model/model_directory.hpp"

namespace klue {
namespace {

using test::fixture;

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    ++count;
  return count;
}

std::vector<std::string> some_texts() {
  return std::vector<std::string>(20, "이 다는 사람 전부 위치가 좋은 숙소입니다.");
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.values(), b.values());
}

TEST(SharedPool, ModelsStartNoThreadsOfTheirOwn) {
  const auto pool = std::make_shared<const ThreadPool>(3);
  const std::size_t before = threads_of_this_process();
  const Model one = Model::load(fixture("tiny-11"), {.threads = 8, .pool = pool});
  const Model other = Model::load(fixture("tiny-11-bert"), {.pool = pool});
  const Preprocessor preprocessor = load_preprocessor(fixture("tiny-11"), {.pool = pool});
  EXPECT_EQ(threads_of_this_process(), before);
  EXPECT_EQ(one.info().threads, 3u);
  EXPECT_EQ(other.info().threads, 3u);
  const Model alone = Model::load(fixture("tiny-11"), {.threads = 1});
  EXPECT_TRUE(same_bits(one.embed(some_texts()), alone.embed(some_texts())));
  EXPECT_EQ(other.embed(some_texts()).shape()[0], some_texts().size());
}

TEST(SharedPool, LivesAsLongAsTheLastModel) {
  auto pool = std::make_shared<const ThreadPool>(2);
  const Model model = Model::load(fixture("tiny-11"), {.pool = pool});
  pool.reset();
  EXPECT_EQ(model.embed(some_texts()).shape()[0], some_texts().size());
}

class ForkedModel : public testing::Test {
 protected:
  std::optional<Model> model_ = Model::load(fixture("tiny-11"), {.threads = 3});
  const Tensor expected_ = model_->embed(some_texts());
};

TEST_F(ForkedModel, WorksInTheChild) {
  EXPECT_EQ(
      test::run_child([&] { return same_bits(model_->embed(some_texts()), expected_) ? 0 : 1; }),
      0);
  EXPECT_TRUE(same_bits(model_->embed(some_texts()), expected_));
}

TEST_F(ForkedModel, IsDestroyedInTheChild) {
  EXPECT_EQ(test::run_child([&] {
              model_.reset();
              return 0;
            }),
            0);
}

TEST_F(ForkedModel, WhileOthersEmbed) {
  if (test::under_sanitizer) GTEST_SKIP() << "the sanitizer's own allocator does not survive it";
  std::atomic<int> wrong{0};
  std::vector<std::jthread> others;
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested())
        if (!same_bits(model_->embed(some_texts()), expected_)) ++wrong;
    });
  for (int child = 0; child < 200; ++child)
    ASSERT_EQ(test::run_child([&] {
                if (!same_bits(model_->embed(some_texts()), expected_)) return 1;
                model_.reset();
                return 0;
              }),
              0)
        << child;
  others.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace klue
