#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/language.hpp>
#include <klue/train/network.hpp>

namespace klue::train {

/// What a model directory says beside its weights.
struct ModelDirectory {
  std::filesystem::path source{};          ///< whose configuration and tokenizer are taken over
  std::vector<std::string> label_names{};  ///< id2label; empty: LABEL_0, LABEL_1, …
  std::string problem_type{};              ///< of Head::sequence: "regression"; empty: none
  std::size_t max_length = 0;              ///< of Head::embedding: tokens of a sentence
  DType dtype = DType::f32;                ///< of the weights; or bf16, half the size, rounded
};

/// Writes a directory that Hugging Face's classes load, or for Head::embedding one that
/// sentence-transformers loads: config.json with architectures, id2label and problem_type,
/// model.safetensors, the tokenizer's files. `folder` must not exist; it is made, and is
/// there only when it is whole. Throws IoError, UnsupportedError for another dtype, and FormatError
/// for a config.json that is no object.
KLUE_EXPORT void write_model_directory(const std::filesystem::path& folder,
                                       const ModelDirectory& directory,
                                       const Network<float>& network);

}  // namespace klue::train
