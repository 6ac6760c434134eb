// What a loaded model keeps resident, against the size of its weights. A program of its own, and a
// process of its own per test under CTest: it looks at all of its memory.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <klue/kernels/detail/kernels.hpp>
#include <klue/klue.hpp>

namespace klue {
namespace {

namespace fs = std::filesystem;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// After embedding some text, so that the workspaces are counted.
void expect_resident(Precision precision, std::size_t most) {
  const std::size_t before = resident_bytes();
  const Model model = Model::load(fs::path(KLUE_FIXTURE_DIR) / "base-21", {.precision = precision});
  model.embed(std::vector<std::string>(50, "한국어 문장을 벡터로 바꾼다."));
  EXPECT_LE(resident_bytes() - before, most);
}

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path weights = fs::path(KLUE_FIXTURE_DIR) / "base-21" / "model.safetensors";
    if (!fs::exists(weights))
      GTEST_SKIP() << "needs ../shared and the fixture base-21 made from it";
    weights_ = fs::file_size(weights);
  }
  std::size_t weights_ = 0;
};

// The packed copy must not double the footprint: the pages it was made from are released.
TEST_F(Memory, F32) {
  expect_resident(Precision::f32, weights_ * 115 / 100);
}

TEST_F(Memory, Bf16) {
  expect_resident(Precision::bf16, weights_ * 60 / 100);
}

TEST_F(Memory, Int8) {
  expect_resident(Precision::int8, 230'000'000);
}

}  // namespace
}  // namespace klue
