#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/detail/mapped_file.hpp>

namespace klue {

Checkpoint::Checkpoint(std::filesystem::path file, Tensors tensors,
                       std::vector<std::shared_ptr<const void>> owners, std::string format,
                       std::optional<EncoderShape> shape, bool mapped)
    : file_(std::move(file)),
      tensors_(std::move(tensors)),
      owners_(std::move(owners)),
      format_(std::move(format)),
      shape_(shape),
      mapped_(mapped) {}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

void Checkpoint::release(const TensorView& tensor) const noexcept {
  if (mapped_) detail::MappedFile::release(tensor.bytes);
}

std::size_t Checkpoint::memory_bytes() const {
  constexpr std::size_t kNode = sizeof(Tensors::value_type) + 4 * sizeof(void*);
  std::size_t bytes = mapped_ ? 0 : distinct_bytes();
  for (const auto& [name, view] : tensors_)
    bytes += kNode + detail::heap_bytes(name) + detail::heap_bytes(view.shape) +
             detail::heap_bytes(view.strides);
  return bytes;
}

std::size_t Checkpoint::distinct_bytes() const {
  std::vector<std::span<const std::byte>> parts;
  parts.reserve(tensors_.size());
  for (const auto& [name, view] : tensors_)
    if (!view.bytes.empty()) parts.push_back(view.bytes);
  std::ranges::sort(parts, std::less<>(), &std::span<const std::byte>::data);
  std::size_t bytes = 0;
  const std::byte* counted = nullptr;
  for (const auto& part : parts) {
    const std::byte* const end = part.data() + part.size();
    const std::byte* const begin = std::max(part.data(), counted, std::less<>());
    if (std::less<>()(begin, end)) bytes += static_cast<std::size_t>(end - begin);
    counted = std::max(counted, end, std::less<>());
  }
  return bytes;
}

}  // namespace klue
