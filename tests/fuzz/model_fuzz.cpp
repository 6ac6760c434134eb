// A whole model directory. The input is its files, each behind a line "=== NAME": configuration,
// tokenizer and modules are changed together. What it does not give is that of a tiny model. What
// loads must work, what does not must say so with the library's own errors.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <string_view>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "tiny_model.hpp"

namespace {

namespace fs = std::filesystem;

// Names come from here alone, so that nothing is written elsewhere.
constexpr std::array<std::string_view, 16> known{
    "config.json",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "2_Dense/model.safetensors",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
};

void write_files(const klue::test::ScratchDirectory& directory, std::string_view input) {
  directory.write("config.json", klue::fuzz::config_json);
  directory.write("vocab.txt", klue::fuzz::vocab_txt);
  directory.write("model.safetensors", klue::fuzz::model_safetensors());
  constexpr std::string_view mark = "=== ";
  while (true) {
    const std::size_t begin = input.find(mark);
    if (begin == input.npos) return;
    input.remove_prefix(begin + mark.size());
    const std::size_t line = input.find('\n');
    if (line == input.npos) return;
    const std::string_view name = input.substr(0, line);
    input.remove_prefix(line + 1);
    const std::string_view content = input.substr(0, input.find("\n=== "));
    for (const std::string_view file : known)
      if (file == name) directory.write(file, content);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const klue::test::ScratchDirectory directory;
  write_files(directory, {reinterpret_cast<const char*>(data), size});
  try {
    const klue::Model model = klue::Model::load(directory.path(), {.threads = 1});
    const std::vector<std::string> texts{"가나 다 [MASK] ab!", "", "\xff韓\u0301"};
    model.embed(texts);
    model.encode(texts);
    if (model.info().head && model.info().head->labels != 0) model.classify(texts);
  } catch (const klue::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
