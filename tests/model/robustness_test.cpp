// Random models of every format, sound and damaged, in a process of little memory and time: what
// loads must work, and what does not must say so. Never another exception, and never a signal.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "checkpoint/tar_writer.hpp"
#include "limited_child.hpp"
#include "model/model_directory.hpp"
#if KLUE_WITH_ZLIB
#include "checkpoint/gzip_writer.hpp"
#endif

namespace klue {
namespace {

namespace fs = std::filesystem;

using nlohmann::json;
using test::Ending;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class List>
  auto& of(List& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 engine_;
};

json random_value(Random& random) {
  static const std::vector<json> values{nullptr,
                                        true,
                                        false,
                                        0,
                                        1,
                                        -1,
                                        2,
                                        31,
                                        32,
                                        64,
                                        1 << 24,
                                        1u << 31,
                                        18446744073709551615u,
                                        1e300,
                                        0.5,
                                        -0.0,
                                        "",
                                        "a",
                                        "gelu",
                                        "gelu_new",
                                        "bert",
                                        "roberta",
                                        "electra",
                                        "[CLS]",
                                        "..",
                                        "/etc",
                                        std::string(5000, 'x'),
                                        "\u0000",
                                        json::array(),
                                        json::object(),
                                        json::array({1, 2}),
                                        json{{"a", 1}},
                                        json::array({json::array({json::array()})})};
  return values[random.below(values.size())];
}

/// All places of a document.
void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  if (value.is_structured() && value.size() < 5000)
    for (json& child : value)
      collect(child, places);
}

std::string damaged_json(std::string text, Random& random) {
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return text;
  std::vector<json*> places;
  collect(document, places);
  json& place = *random.of(places);
  if (place.is_object() && !place.empty() && random.one_in(2)) {
    const std::string key =
        std::next(place.begin(), static_cast<long>(random.below(place.size()))).key();
    if (random.one_in(2)) place[key + "x"] = place[key];
    place.erase(key);
  } else if (place.is_array() && !place.empty() && random.one_in(2)) {
    const std::size_t copies = random.one_in(4) ? 3000 : 1;
    const json element = random.of(place);
    for (std::size_t i = 0; i < copies; ++i)
      place.push_back(element);
  } else {
    place = random_value(random);
  }
  return document.dump();
}

std::string damaged_bytes(std::string text, Random& random) {
  if (text.empty()) return "x";
  // Descriptions are at the begin or the end.
  const auto place = [&] {
    const std::size_t near = std::min<std::size_t>(text.size(), 6000);
    const std::size_t which = random.below(3);
    if (which == 0) return random.below(near);
    if (which == 1) return text.size() - 1 - random.below(near);
    return random.below(text.size());
  };
  switch (random.below(5)) {
    case 0:
      text.resize(random.below(text.size()));
      break;
    case 1:
      text.insert(place(), random.one_in(2) ? std::string(1, '\xff') : std::string(3000, '0'));
      break;
    case 2: {
      const std::size_t from = place(), to = place();
      text.replace(to, std::min<std::size_t>(16, text.size() - to),
                   text.substr(from, std::min<std::size_t>(16, text.size() - from)));
      break;
    }
    default:
      for (std::size_t i = 0, flips = 1 + random.below(6); i < flips; ++i)
        text[place()] = static_cast<char>(random.below(256));
  }
  return text;
}

void damage(const fs::path& directory, Random& random) {
  std::vector<fs::path> files;
  std::error_code circle;  // of links that were made before
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file(circle)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) return;
  const fs::path& file = random.of(files);
  if (random.one_in(20)) {
    fs::remove(file);
    if (random.one_in(2)) return;
    if (random.one_in(2))
      fs::create_directory(file);
    else
      fs::create_symlink(random.one_in(2) ? file : directory, file);
    return;
  }
  const std::string text = test::read_bytes(random.one_in(30) ? random.of(files) : file);
  const bool is_json = file.extension() == ".json" && !random.one_in(5);
  std::ofstream(file, std::ios::binary)
      << (is_json ? damaged_json(text, random) : damaged_bytes(text, random));
}

/// Loads, and uses what has loaded.
void try_out(const fs::path& path, Random& random) {
  const Model model =
      Model::load(path, {.threads = 1 + random.below(2), .batch_tokens = 1 + random.below(300)});
  const std::vector<std::string> texts{"이 다는 사람 [MASK]", "", "a\xff\u0301 위치가 좋은 숙소!"};
  model.embed(texts);
  model.encode(texts, {.encoder_outputs = random.one_in(2)});
  if (model.info().head && model.info().head->labels != 0) model.classify(texts);
}

struct Format {
  const char* name;
  std::function<fs::path(const fs::path& directory)> make;  ///< gives the path to load
};

fs::path copied(const char* fixture, const fs::path& directory) {
  fs::copy(test::fixture(fixture), directory, fs::copy_options::recursive);
  return directory;
}

fs::path sentence_transformer(const fs::path& directory) {
  copied("tiny-11", directory);
  const auto write = [&](const char* file, const json& value) {
    fs::create_directories((directory / file).parent_path());
    std::ofstream(directory / file) << value.dump();
  };
  const auto module = [](const char* kind, const char* path) {
    return json{{"idx", 0},
                {"name", "0"},
                {"path", path},
                {"type", std::string("sentence_transformers.models.") + kind}};
  };
  write("modules.json", {module("Transformer", ""), module("Pooling", "1_Pooling"),
                         module("Dense", "2_Dense"), module("Normalize", "3_Normalize")});
  write("1_Pooling/config.json",
        {{"word_embedding_dimension", 32}, {"pooling_mode_cls_token", true}});
  write("2_Dense/config.json", {{"in_features", 64}, {"out_features", 8}, {"bias", false}});
  write("sentence_bert_config.json", {{"max_seq_length", 20}, {"do_lower_case", true}});
  write("config_sentence_transformers.json",
        {{"prompts", {{"q", "물음: "}}}, {"default_prompt_name", "q"}});
  std::ofstream(directory / "2_Dense/model.safetensors", std::ios::binary)
      << test::safetensors_of({{"linear.weight", {8, 64}, std::vector<float>(8 * 64, 0.01f)}});
  return directory;
}

std::vector<Format> formats() {
  std::vector<Format> all;
  for (const char* name :
       {"tiny-11", "tiny-11-bin", "tiny-11-legacy-bin", "tiny-11-shards", "tiny-11-bin-shards",
        "tiny-11-seqcls", "tiny-11-bert-seqcls", "tiny-11-saved-model", "tiny-11-saved-model-bf16",
        "tiny-11-fine-tuned-pooler"})
    all.push_back({name, [name](const fs::path& directory) { return copied(name, directory); }});
  all.push_back({"sentence-transformers", sentence_transformer});
  return all;
}

constexpr int models_of_each = 120;

class Robustness : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(, Robustness, testing::ValuesIn(formats()), [](const auto& test) {
  std::string name = test.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

/// One process for all of them; the last line that it prints names the one that ended it.
template <class Try>
void expect_only_our_errors(const char* name, const Try& try_one) {
  const test::ScratchDirectory scratch;
  const Ending ending =
      test::ending_within({.more_memory = std::size_t{400} << 20, .seconds = 60}, [&] {
        std::size_t loaded = 0;
        for (int i = 0; i < models_of_each; ++i) {
          Random random(static_cast<std::uint64_t>(i));
          const Ending one = test::ending_of([&] { try_one(scratch.path() / "model", random); });
          loaded += one == Ending::done;
          if (one == Ending::other_exception) {
            std::fprintf(stderr, "%s: model %d\n", name, i);
            std::abort();
          }
          fs::remove_all(scratch.path() / "model");
          std::ofstream(scratch.path() / "last") << i;
        }
        if (loaded < models_of_each / 10) {
          std::fprintf(stderr, "%s: only %zu loaded\n", name, loaded);
          std::abort();
        }
      });
  EXPECT_EQ(ending, Ending::done) << name << " after model "
                                  << test::read_bytes(scratch.path() / "last");
}

TEST_P(Robustness, OfDirectories) {
  expect_only_our_errors(GetParam().name, [](const fs::path& directory, Random& random) {
    const fs::path path = GetParam().make(directory);
    for (std::size_t i = random.below(4); i > 0; --i)
      damage(path, random);
    try_out(path, random);
  });
}

TEST(RobustnessOf, PackedModules) {
  expect_only_our_errors("archive", [](const fs::path& directory, Random& random) {
    copied("tiny-11-saved-model", directory);
    if (random.one_in(2)) damage(directory, random);
    std::string content = test::tar(test::tar_entries(directory));
    if (random.one_in(3)) content = damaged_bytes(content, random);
    fs::path file = directory / "module.tar";
#if KLUE_WITH_ZLIB
    if (random.one_in(2)) {
      content = test::gzip(content);
      file += ".gz";
    }
    if (random.one_in(3)) content = damaged_bytes(content, random);
#endif
    std::ofstream(file, std::ios::binary) << content;
    try_out(file, random);
  });
}

}  // namespace
}  // namespace klue
