// What a long context takes. A program of its own: it looks at the process's peak.

#include <cstddef>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "child.hpp"
#include "model/model_directory.hpp"

namespace klue {
namespace {

std::size_t peak_bytes() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (word == "VmHWM:") {
      std::size_t kilobytes = 0;
      file >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

std::string context_of(std::size_t characters) {
  std::string text;
  for (std::size_t i = 0; i < characters / 10; ++i)
    text += "이 다는 위치가 전 ";
  return text;
}

// The tokens of the whole text are kept, 24 bytes for each, half as many as characters, and twice
// that while they grow. Windows with their logits would be three times as much again, and much more
// for a larger model.
TEST(TaskMemory, DoesNotGrowWithTheWindowsOfAContext) {
  if (test::under_sanitizer) GTEST_SKIP() << "sanitizers keep freed memory";
  constexpr std::size_t kCharacters = 400'000;
  const Answerer answerer(Model::load(test::fixture("tiny-11-qa"), {.threads = 1}));
  const AnswerOptions options{.top_k = 5, .max_length = 128, .stride = 32};
  answerer.answer("사람은 어디?", context_of(40'000), options);  // all that a batch needs
  const std::string context = context_of(kCharacters);
  const std::size_t before = peak_bytes();
  EXPECT_EQ(answerer.answer("사람은 어디?", context, options).best.size(), 5u);
  EXPECT_LE(peak_bytes() - before, kCharacters * 40);
}

}  // namespace
}  // namespace klue
