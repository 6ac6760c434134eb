#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/tensor_bundle.hpp>

namespace klue::detail {

/// The Hugging Face name of a variable of TensorFlow's BertEncoder, which is what the TF-Hub
/// modules hold; nothing for any other variable.
/// `transformer/layer_3/self_attention/query/kernel:0` is
/// `encoder.layer.3.attention.self.query.weight`.
std::optional<std::string> hugging_face_name(std::string_view variable);

struct TensorflowEncoder {
  Checkpoint::Tensors tensors;
  EncoderShape shape;
};

/// Gives a bundle's tensors the names and the orientation that PyTorch checkpoints have: kernels
/// become [out, in] by their strides alone, heads are merged. Variables outside of the encoder keep
/// their names. Throws UnsupportedError where there is no encoder and FormatError where it is
/// incomplete or its variables have impossible shapes.
TensorflowEncoder to_hugging_face(const std::filesystem::path& file, const TensorBundle& bundle);

}  // namespace klue::detail
