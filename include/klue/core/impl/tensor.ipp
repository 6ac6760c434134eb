#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue {

std::string shape_string(std::span<const std::size_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text.append(i == 0 ? "" : ", ").append(std::to_string(shape[i]));
  return text.append("]");
}

Tensor::Tensor(std::vector<std::size_t> shape) : shape_(std::move(shape)) {
  std::size_t size = 1;
  for (const std::size_t extent : shape_)
    if (__builtin_mul_overflow(size, extent, &size))
      throw UsageError("tensor too large", {.actual = shape_string(shape_)});
  if (size > values_.max_size())
    throw UsageError("tensor too large", {.actual = shape_string(shape_)});
  values_.resize(size);
}

Tensor::Tensor(std::initializer_list<std::size_t> shape)
    : Tensor(std::vector<std::size_t>(shape)) {}

std::span<const float> Tensor::slice(std::initializer_list<std::size_t> index) const {
  if (index.size() > rank())
    throw UsageError("too many indices for a tensor", {.actual = shape_string(shape_)});
  std::size_t begin = 0, length = values_.size();
  const std::size_t* extent = shape_.data();
  for (const std::size_t i : index) {
    if (i >= *extent)
      throw UsageError("index outside the tensor", {.expected = "below " + std::to_string(*extent),
                                                    .actual = std::to_string(i)});
    length /= *extent++;
    begin += i * length;
  }
  return {values_.data() + begin, length};
}

}  // namespace klue
