// What a loaded model keeps resident, against the size of its weights. A program of its own, and a
// process of its own per test under CTest: it looks at all of its memory.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>
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

// What the allocator has given out, by its own account.
std::size_t allocated_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// The sanitizers' allocator says nothing.
bool allocator_says_what_is_allocated() {
  constexpr std::size_t size = std::size_t{1} << 20;
  const std::size_t before = allocated_bytes();
  void* const probe = ::operator new(size);
  const std::size_t after = allocated_bytes();
  ::operator delete(probe);
  return after >= before + size;
}

// Model::memory_bytes() against the allocator: what it counts is there, and what is there it
// counts.
class CountedMemory : public testing::TestWithParam<std::tuple<Precision, Engine>> {
 protected:
  void expect_counted(const fs::path& directory) {
    const auto [precision, engine] = GetParam();
    if (!allocator_says_what_is_allocated())
      GTEST_SKIP() << "this allocator does not say what it has given out";
    if (engine == Engine::onednn && !kernels::product(precision).plain_groups)
      GTEST_SKIP() << "the engine onednn has no such product on this processor";
    if (std::ranges::find(available_engines(), engine) == available_engines().end())
      GTEST_SKIP() << "this build has no such engine";
    const auto pool = std::make_shared<const ThreadPool>(1);
    const LoadOptions options{.pool = pool, .engine = engine, .precision = precision};
    { Model::load(directory, options).embed("첫 번째"); }  // what a library makes once for itself
    const std::size_t before = allocated_bytes();
    const Model model = Model::load(directory, options);
    expect_close(model.memory_bytes(), allocated_bytes() - before, "loaded");
    const std::size_t loaded = model.memory_bytes();
    model.embed(std::vector<std::string>(50, "한국어 문장을 벡터로 바꾼다."));
    // Eigen and oneDNN keep memory of their own for each thread, which is not the model's.
    if (engine == Engine::packed)
      expect_close(model.memory_bytes(), allocated_bytes() - before, "used");
    EXPECT_GT(model.memory_bytes(), loaded);
    EXPECT_EQ(Model(model).memory_bytes(), model.memory_bytes());
  }

 private:
  static void expect_close(std::size_t counted, std::size_t allocated, const char* when) {
    EXPECT_GE(counted, allocated * 97 / 100) << when;
    EXPECT_LE(counted, allocated * 101 / 100) << when;
  }
};

TEST_P(CountedMemory, OfTheDemoModel) {
  expect_counted(fs::path(KLUE_TEST_DIR) / "../models/demo");
}

INSTANTIATE_TEST_SUITE_P(Engines, CountedMemory,
                         testing::Values(std::tuple(Precision::f32, Engine::packed),
                                         std::tuple(Precision::bf16, Engine::packed),
                                         std::tuple(Precision::int8, Engine::packed),
                                         std::tuple(Precision::f32, Engine::eigen),
                                         std::tuple(Precision::f32, Engine::onednn)));

TEST(CountedMemoryOfFiles, IsTheModels) {
  const fs::path directory = fs::path(KLUE_TEST_DIR) / "../models/demo";
  const Model on_disk = Model::load(directory);
  MemoryFiles files;
  for (const char* name : {"config.json", "modules.json", "1_Pooling/config.json", "vocab.txt",
                           "tokenizer_config.json", "sentence_bert_config.json",
                           "special_tokens_map.json", "model.safetensors"}) {
    std::ifstream file(directory / name, std::ios::binary);
    files.add(name, std::string(std::istreambuf_iterator<char>(file), {}));
  }
  const Model in_memory = Model::load(files);
  const std::size_t weights = fs::file_size(directory / "model.safetensors");
  EXPECT_NEAR(static_cast<double>(in_memory.memory_bytes() - on_disk.memory_bytes()),
              static_cast<double>(weights), 16384);
}

}  // namespace
}  // namespace klue
