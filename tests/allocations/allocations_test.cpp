// Memory that runs out at every place: nothing but std::bad_alloc and klue::Error may come out, no
// leak may stay (AddressSanitizer, the stage "allocations" of .ci/run), and a model that was being
// called must go on to give the same bits. A program of its own: it replaces operator new.
//
// KLUE_ALLOCATIONS=all in the environment tries every allocation, else a few hundred of each.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <klue/klue.hpp>

#include "allocations/failing_memory.hpp"
#include "checkpoint/scratch_directory.hpp"
#if KLUE_WITH_DOWNLOAD
#include <curl/curl.h>

#include <klue/hub.hpp>

#include "hub/hub_server.hpp"
#endif

namespace klue::test {
namespace {

namespace fs = std::filesystem;

fs::path fixture(std::string_view name) {
  return fs::path(KLUE_FIXTURE_DIR) / name;
}

const std::vector<std::string>& some_texts() {
  static const std::vector<std::string> texts{"이 다는 사람 전부", "", "위치가 좋은 숙소입니다!",
                                              "Ａｂｃ 2024 ﷺ 한글 [MASK]"};
  return texts;
}

/// Whether `work` ends as it may where memory runs out at its n-th allocation; `reached` says
/// whether it has so many.
bool ends_well(const std::function<void()>& work, std::size_t n, FailingMemory::Then then,
               FailingMemory::Threads threads, bool& reached) {
  bool well = true;
  std::string_view other;
  {
    const FailingMemory memory(n, then, threads);
    try {
      work();
    } catch (const std::bad_alloc&) {
    } catch (const Error&) {
    } catch (const std::exception& error) {
      well = false;
      other = typeid(error).name();
    }
    reached = FailingMemory::reached();
  }
  EXPECT_TRUE(well) << "allocation " << n << ": " << other;
  return well;
}

/// Numbers of allocations to try, about `most` of `count`: all of the first, then steps that have
/// nothing to do with any pattern.
std::vector<std::size_t> trials(std::size_t count, std::size_t most) {
  const char* const wanted = std::getenv("KLUE_ALLOCATIONS");
  const bool all = wanted != nullptr && std::string_view(wanted) == "all";
  std::vector<std::size_t> numbers;
  const std::size_t step = all || count <= most ? 1 : count / most | 1;
  for (std::size_t n = 1; n <= count; n += n < most / 4 ? 1 : step)
    numbers.push_back(n);
  return numbers;
}

std::size_t allocations_of(const std::function<void()>& work, FailingMemory::Threads threads) {
  constexpr std::size_t kPlenty = ~std::size_t{0} / 2;
  std::size_t low = 1, high = 1;
  const auto reaches = [&](std::size_t n) {
    bool reached = false;
    ends_well(work, n, FailingMemory::Then::works_again, threads, reached);
    return reached;
  };
  while (high < kPlenty && reaches(high))
    high *= 2;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (reaches(middle))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/// Lets memory run out all over `work`; `check` must hold after each time.
void run_out_everywhere(const std::function<void()>& work, FailingMemory::Threads threads,
                        std::size_t most, const std::function<bool()>& check = {}) {
  work();  // what is made once in a process
  const std::size_t count = allocations_of(work, threads);
  for (const auto then : {FailingMemory::Then::works_again, FailingMemory::Then::stays_out})
    for (const std::size_t n : trials(count, most)) {
      bool reached = false;
      if (!ends_well(work, n, then, threads, reached)) return;
      if (check && !check()) FAIL() << "after allocation " << n;
    }
}

class AllocationsOfLoad : public testing::TestWithParam<const char*> {};

TEST_P(AllocationsOfLoad, OneThread) {
  const fs::path directory = fixture(GetParam());
  run_out_everywhere([&] { Model::load(directory, {.threads = 1}); },
                     FailingMemory::Threads::this_one, 200);
}

TEST_P(AllocationsOfLoad, ThreeThreads) {
  const fs::path directory = fixture(GetParam());
  run_out_everywhere([&] { Model::load(directory, {.threads = 3}); }, FailingMemory::Threads::all,
                     50);
}

INSTANTIATE_TEST_SUITE_P(Formats, AllocationsOfLoad,
                         testing::Values("tiny-11", "tiny-11-bert", "tiny-11-seqcls",
                                         "tiny-11-shards", "tiny-11-bin", "tiny-11-legacy-bin",
                                         "tiny-11-saved-model"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Allocations, OfLoadingSentenceTransformers) {
  const ScratchDirectory directory;
  fs::copy(fixture("tiny-11"), directory.path());
  directory.write("modules.json", R"([
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])");
  directory.write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  directory.write("config_sentence_transformers.json",
                  R"({"prompts": {"query": "질문: "}, "default_prompt_name": "query"})");
  run_out_everywhere([&] { Model::load(directory.path(), {.threads = 1}); },
                     FailingMemory::Threads::this_one, 200);
}

TEST(Allocations, OfLoadingWhatIsWrong) {
  const ScratchDirectory directory;
  fs::copy(fixture("tiny-11"), directory.path());
  for (const auto& [file, content] :
       {std::pair{"config.json", R"({"model_type": "gpt2", "vocab_size": [1, 2, 3]})"},
        std::pair{"tokenizer.json", R"({"model": {"type": "BPE", "vocab": {}}})"},
        std::pair{"modules.json", R"([{"type": "a.b.C", "path": "../.."}])"},
        std::pair{"model.safetensors", "no weights at all"}}) {
    SCOPED_TRACE(file);
    const std::string good =
        fs::exists(directory.path() / file) ? read_bytes(directory.path() / file) : "";
    directory.write(file, content);
    const auto load = [&] {
      try {
        Model::load(directory.path(), {.threads = 1});
      } catch (const Error&) {
      }
    };
    run_out_everywhere(load, FailingMemory::Threads::this_one, 100);
    if (good.empty())
      fs::remove(directory.path() / file);
    else
      directory.write(file, good);
  }
}

class AllocationsOfCalls : public testing::Test {
 protected:
  void everywhere(const std::function<void(const Model&)>& call) {
    for (const std::size_t threads : {1u, 3u}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      const Model model = Model::load(fixture("tiny-11"), {.threads = threads});
      const auto bits = [&] {
        const Tensor vectors = model.embed(some_texts());
        return std::vector<float>(vectors.values().begin(), vectors.values().end());
      };
      const std::vector<float> expected = bits();
      run_out_everywhere(
          [&] { call(model); },
          threads == 1 ? FailingMemory::Threads::this_one : FailingMemory::Threads::all, 200,
          [&] { return bits() == expected; });
    }
  }
};

TEST_F(AllocationsOfCalls, Embed) {
  everywhere([](const Model& model) { model.embed(some_texts()); });
}

// Every model is new: its workspaces have to be made.
TEST_F(AllocationsOfCalls, TheFirstEmbed) {
  std::vector<Model> models;
  const auto load = [&] {
    models.clear();
    models.push_back(Model::load(fixture("tiny-11"), {.threads = 2}));
  };
  load();
  models[0].embed(some_texts());
  for (const auto then : {FailingMemory::Then::works_again, FailingMemory::Then::stays_out})
    for (std::size_t n = 1;; ++n) {
      load();
      bool reached = false;
      ASSERT_TRUE(ends_well([&] { models[0].embed(some_texts()); }, n, then,
                            FailingMemory::Threads::all, reached));
      if (!reached) break;
      EXPECT_EQ(models[0].embed(some_texts()).shape()[0], some_texts().size());
    }
}

TEST_F(AllocationsOfCalls, Encode) {
  everywhere([](const Model& model) { model.encode(some_texts(), {.encoder_outputs = true}); });
}

TEST_F(AllocationsOfCalls, Tokenize) {
  everywhere([](const Model& model) {
    const auto tokens = model.preprocessor().tokenize(some_texts());
    model.preprocessor().bert_pack_inputs({tokens, tokens}, 16);
    for (const std::string& text : some_texts())
      model.preprocessor().encode(text, "둘째 글", {});
  });
}

#if KLUE_WITH_DOWNLOAD

void* curl_malloc(std::size_t size) {
  return memory_is_given() ? std::malloc(size) : nullptr;
}
void* curl_realloc(void* data, std::size_t size) {
  return memory_is_given() ? std::realloc(data, size) : nullptr;
}
void* curl_calloc(std::size_t count, std::size_t size) {
  return memory_is_given() ? std::calloc(count, size) : nullptr;
}
char* curl_strdup(const char* text) {
  return memory_is_given() ? ::strdup(text) : nullptr;
}

TEST(Allocations, OfTheHub) {
  ASSERT_EQ(curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, std::free, curl_realloc,
                                 curl_strdup, curl_calloc),
            CURLE_OK);
  HubServer server;
  server.publish("klue/tiny",
                 {{"config.json", "{}"},
                  {"tokenizer.json", "{}"},
                  {"modules.json", R"([{"path": "", "type": "a.Transformer"}])"},
                  {"model.safetensors.index.json", R"({"weight_map": {"a": "a.safetensors"}})"},
                  {"a.safetensors", std::string(1000, 'x')}});
  const ScratchDirectory scratch;
  const hub::Options options{.cache = scratch.path() / "cache", .endpoint = server.endpoint()};
  run_out_everywhere(
      [&] {
        {
          const WorkingMemory memory;
          fs::remove_all(options.cache);
        }
        hub::fetch("klue/tiny", options);
      },
      FailingMemory::Threads::this_one, 150);
  const fs::path snapshot = hub::fetch("klue/tiny", options);
  run_out_everywhere([&] { EXPECT_EQ(hub::find_cached("klue/tiny", options), snapshot); },
                     FailingMemory::Threads::this_one, 150);
}

#endif

}  // namespace
}  // namespace klue::test
