#include <utility>

#include <klue/encoder/detail/encoder_core.hpp>
#include <klue/encoder/encoder.hpp>

namespace klue {

Encoder::Encoder(EncoderConfig config, Checkpoint checkpoint,
                 std::shared_ptr<const ThreadPool> pool, const EncoderOptions& options)
    : core_(std::make_unique<const detail::EncoderCore>(std::move(config), std::move(checkpoint),
                                                        std::move(pool), options)) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

const EncoderConfig& Encoder::config() const noexcept {
  return core_->config();
}
bool Encoder::has_pooler() const noexcept {
  return core_->has_pooler();
}
void Encoder::require_pooler() const {
  core_->require_pooler();
}

EncoderOutputs Encoder::operator()(const EncoderInputs& inputs,
                                   const OutputOptions& options) const {
  return (*core_)(inputs, options);
}

}  // namespace klue
