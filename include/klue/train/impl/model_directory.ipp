#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>
#include <klue/train/model_directory.hpp>

namespace klue::train {
namespace {

using nlohmann::ordered_json;

// What a tokenizer may be made of.
constexpr std::array<std::string_view, 5> kTokenizerFiles{
    "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json"};

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw IoError("cannot read", {.file = file.string()});
  return {std::istreambuf_iterator<char>(stream), {}};
}

// To nearest, ties to even; NaN stays NaN.
std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

void write_weights(const std::filesystem::path& file, const Parameters<float>& parameters,
                   DType dtype) {
  if (dtype != DType::f32 && dtype != DType::bf16)
    throw UnsupportedError("weights are written in F32 or BF16",
                           {.file = file.string(), .actual = std::string(dtype_name(dtype))});
  std::vector<std::vector<std::uint16_t>> rounded;
  std::vector<TensorToWrite> tensors;
  for (const Parameter& p : parameters.entries()) {
    const std::span values(parameters.values(p), p.size);
    tensors.push_back({p.name, dtype, p.shape, std::as_bytes(values)});
    if (dtype == DType::f32) continue;
    std::vector<std::uint16_t>& halves = rounded.emplace_back(p.size);
    std::transform(values.begin(), values.end(), halves.begin(), to_bf16);
    tensors.back().bytes = std::as_bytes(std::span(halves));
  }
  write_safetensors(file, tensors, {{"format", "pt"}});
}

std::string architecture(const NetworkConfig& config) {
  const std::string family = config.encoder.model_type == "bert" ? "Bert" : "Roberta";
  switch (config.head) {
    case Head::sequence:
      return family + "ForSequenceClassification";
    case Head::tokens:
      return family + "ForTokenClassification";
    case Head::span:
      return family + "ForQuestionAnswering";
    case Head::masked_lm:
      return family + "ForMaskedLM";
    case Head::embedding:
      return family + "Model";
  }
  return family + "Model";
}

std::string model_configuration(const ModelDirectory& directory, const NetworkConfig& config) {
  const std::filesystem::path file = directory.source / "config.json";
  ordered_json json = ordered_json::parse(content_of(file), nullptr, false);
  if (!json.is_object()) throw FormatError("no JSON object", {.file = file.string()});
  json["architectures"] = {architecture(config)};
  json["torch_dtype"] = directory.dtype == DType::bf16 ? "bfloat16" : "float32";
  for (const char* key : {"id2label", "label2id", "problem_type", "num_labels"})
    json.erase(key);
  if (config.head == Head::sequence || config.head == Head::tokens) {
    ordered_json names = ordered_json::object(), ids = ordered_json::object();
    for (std::size_t i = 0; i < config.labels; ++i) {
      const std::string name = i < directory.label_names.size() ? directory.label_names[i]
                                                                : "LABEL_" + std::to_string(i);
      names[std::to_string(i)] = name;
      ids[name] = i;
    }
    json["id2label"] = names;
    json["label2id"] = ids;
    if (!directory.problem_type.empty()) json["problem_type"] = directory.problem_type;
  }
  return json.dump(2) + "\n";
}

void write_sentence_transformers(const std::filesystem::path& folder,
                                 const ModelDirectory& directory, const NetworkConfig& config) {
  const ordered_json modules = {{{"idx", 0},
                                 {"name", "0"},
                                 {"path", ""},
                                 {"type", "sentence_transformers.models.Transformer"}},
                                {{"idx", 1},
                                 {"name", "1"},
                                 {"path", "1_Pooling"},
                                 {"type", "sentence_transformers.models.Pooling"}}};
  const ordered_json pooling = {{"word_embedding_dimension", config.encoder.hidden_size},
                                {"pooling_mode_cls_token", false},
                                {"pooling_mode_mean_tokens", true},
                                {"pooling_mode_max_tokens", false},
                                {"pooling_mode_mean_sqrt_len_tokens", false}};
  const ordered_json sentences = {{"max_seq_length", directory.max_length},
                                  {"do_lower_case", false}};
  std::filesystem::create_directory(folder / "1_Pooling");
  write_whole_file(folder / "modules.json", modules.dump(2) + "\n");
  write_whole_file(folder / "1_Pooling" / "config.json", pooling.dump(2) + "\n");
  write_whole_file(folder / "sentence_bert_config.json", sentences.dump(2) + "\n");
}

}  // namespace

void write_model_directory(const std::filesystem::path& folder, const ModelDirectory& directory,
                           const Network<float>& network) {
  const NetworkConfig& config = network.config();
  std::filesystem::path part = folder;
  part += ".part";
  std::error_code error;
  std::filesystem::remove_all(part, error);
  if (!std::filesystem::create_directory(part, error))
    throw IoError("cannot make a directory", {.file = part.string(), .actual = error.message()});
  try {
    write_whole_file(part / "config.json", model_configuration(directory, config));
    for (const std::string_view name : kTokenizerFiles)
      if (std::filesystem::exists(directory.source / name))
        write_whole_file(part / name, content_of(directory.source / name));
    if (config.head == Head::embedding) write_sentence_transformers(part, directory, config);
    write_weights(part / "model.safetensors", network.parameters(), directory.dtype);
    rename_durably(part, folder);
  } catch (...) {
    std::filesystem::remove_all(part, error);
    throw;
  }
}

}  // namespace klue::train
