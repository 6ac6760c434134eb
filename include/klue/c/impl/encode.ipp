#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>

#include <klue/c/detail/handles.hpp>
#include <klue/c/detail/last_error.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {
namespace {

EncoderInputs c_encoder_inputs(const Model& model, const klue_text* texts, std::size_t count,
                               const klue_encode_options& options) {
  return model.encoder_inputs(c_texts(texts, count),
                              {.max_length = unless_zero(options.max_length),
                               .seq_length = unless_zero(options.seq_length),
                               .truncation = c_truncation(options.truncation)});
}

// Memory of C's that an output is to fill, or none.
std::span<float> c_output(float* data, std::size_t given, std::size_t needed, const char* name) {
  if (data == nullptr) return {};
  if (given != needed)
    throw UsageError("the memory for an output has another size",
                     {.field = name,
                      .expected = std::to_string(needed) + " numbers",
                      .actual = std::to_string(given)});
  return {data, given};
}

}  // namespace
}  // namespace klue::detail

extern "C" {

klue_status klue_row_length(const klue_model* model, const klue_text* texts, size_t count,
                            const klue_encode_options* given, size_t* out) {
  using namespace klue::detail;
  return c_call([&] {
    std::size_t& length = require_argument(out, "out");
    length = 0;
    const klue::Model& of = require_argument(model, "model").model;
    length = c_encoder_inputs(of, texts, count, read_c_options(given)).seq_length;
  });
}

klue_status klue_model_encode(const klue_model* model, const klue_text* texts, size_t count,
                              const klue_encode_options* given, const klue_outputs* out) {
  using namespace klue::detail;
  return c_call([&] {
    const klue::Model& of = require_argument(model, "model").model;
    const klue_encode_options options = read_c_options(given);
    const klue_outputs memory = read_c_options(&require_argument(out, "out"));
    klue::OutputOptions wanted{.pooled_output = memory.pooled_output != nullptr,
                               .sequence_output = memory.sequence_output != nullptr,
                               .encoder_outputs = memory.encoder_outputs != nullptr};
    if (c_choice(options.padded_rows, 2, "padded_rows") == KLUE_PADDED_ROWS_REFERENCE)
      wanted.padded_rows = klue::PaddedRows::reference;
    const klue::EncoderInputs inputs = c_encoder_inputs(of, texts, count, options);

    const klue::EncoderConfig& config = of.encoder().config();
    const std::size_t pooled = inputs.batch * config.hidden_size;
    const std::size_t sequence = pooled * inputs.seq_length;
    const auto pooled_output =
        c_output(memory.pooled_output, memory.pooled_size, pooled, "pooled_output");
    const auto sequence_output =
        c_output(memory.sequence_output, memory.sequence_size, sequence, "sequence_output");
    const auto encoder_outputs = c_output(memory.encoder_outputs, memory.encoder_size,
                                          config.num_hidden_layers * sequence, "encoder_outputs");

    const klue::EncoderOutputs outputs = of.encoder()(inputs, wanted);
    if (!pooled_output.empty())
      std::ranges::copy(outputs.pooled_output->values(), pooled_output.begin());
    if (!sequence_output.empty())
      std::ranges::copy(outputs.sequence_output.values(), sequence_output.begin());
    auto layer = encoder_outputs.begin();
    for (const klue::Tensor& output : outputs.encoder_outputs)
      layer = std::ranges::copy(output.values(), layer).out;
    if (memory.token_counts != nullptr)
      for (std::size_t i = 0; i < inputs.batch; ++i) {
        const std::span<const std::int32_t> mask = inputs.mask(i);
        memory.token_counts[i] =
            static_cast<std::size_t>(std::accumulate(mask.begin(), mask.end(), std::int32_t{0}));
      }
  });
}

}  // extern "C"
