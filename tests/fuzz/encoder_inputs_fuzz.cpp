// Any numbers as the inputs of an encoder, in every precision that this processor has. The first
// four bytes are the extents, the outputs and how many numbers are cut off; the rest are the
// numbers, a byte or four each. Only UsageError may come of it, and no output outside the numbers.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <klue/checkpoint/detail/safetensors.hpp>
#include <klue/klue.hpp>

#include "tiny_model.hpp"

namespace {

std::vector<klue::Encoder> encoders() {
  static const std::string file = klue::fuzz::model_safetensors();
  const klue::Checkpoint checkpoint(
      "fuzz", klue::detail::parse_safetensors("fuzz", std::as_bytes(std::span(file))), {});
  const auto pool = std::make_shared<const klue::ThreadPool>(std::size_t{1});
  std::vector<klue::Encoder> all;
  for (const klue::Precision precision :
       {klue::Precision::f32, klue::Precision::bf16, klue::Precision::int8}) {
    try {
      all.emplace_back(klue::parse_encoder_config(klue::fuzz::config_json, "fuzz"), checkpoint,
                       pool, klue::EncoderOptions{.precision = precision, .batch_tokens = 32});
    } catch (const klue::UnsupportedError&) {  // not on this processor
    }
  }
  return all;
}

class Numbers {
 public:
  Numbers(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  /// Mostly small.
  std::int32_t number() {
    const std::uint8_t first = byte();
    if (first < 250) return first % 16;
    std::uint32_t wide = 0;
    for (int i = 0; i < 4; ++i)
      wide = wide << 8 | byte();
    return static_cast<std::int32_t>(wide);
  }
  std::vector<std::int32_t> vector(std::size_t size, std::int32_t modulus) {
    std::vector<std::int32_t> values(size);
    for (std::int32_t& value : values) {
      value = number();
      if (value >= 0 && value < 16) value %= modulus;
    }
    return values;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void require_finite(const klue::Tensor& tensor) {
  for (const float value : tensor.values())
    if (!std::isfinite(value)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<klue::Encoder> all = encoders();
  Numbers numbers(data, size);
  klue::EncoderInputs inputs;
  inputs.batch = numbers.byte() % 6u;
  inputs.seq_length = numbers.byte() % 24u;
  const std::uint8_t outputs = numbers.byte(), missing = numbers.byte();
  const std::size_t count = inputs.batch * inputs.seq_length;
  const auto cut = [&](unsigned shift) {
    return count - std::min<std::size_t>(count, missing >> shift & 1);
  };
  inputs.input_mask = numbers.vector(cut(5), 2);
  inputs.input_type_ids = numbers.vector(cut(6), 2);
  inputs.input_word_ids = numbers.vector(cut(7), 12);
  if ((missing & 16) != 0) inputs.batch = ~std::size_t{0} / 2 + 1;
  const klue::OutputOptions options{
      .sequence_output = (outputs & 1) != 0,
      .encoder_outputs = (outputs & 2) != 0,
      .padded_rows = (outputs & 4) != 0 ? klue::PaddedRows::reference : klue::PaddedRows::zero};
  for (const klue::Encoder& encoder : all) {
    try {
      const klue::EncoderOutputs out = encoder(inputs, options);
      require_finite(out.sequence_output);
      if (out.pooled_output) require_finite(*out.pooled_output);
    } catch (const klue::UsageError&) {
    }
  }
  return 0;
}
