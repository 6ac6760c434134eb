#include <bit>
#include <cstdint>
#include <cstring>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/core/error.hpp>

// The file formats are little-endian and their numbers are copied as they are.
static_assert(std::endian::native == std::endian::little);

namespace klue {
namespace {

float from_f16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, magnitude = half & 0x7fffu;
  std::uint32_t normal = (magnitude << 13) + (112u << 23);  // exponent bias 15 becomes 127
  if (magnitude >= 0x7c00u) normal += 112u << 23;           // infinity and NaN: all exponent bits
  // Above 0.5 a float counts in steps of 2^-24, which are the steps of subnormal halves. No float
  // here is subnormal, so the result does not depend on the caller's flush-to-zero mode.
  const float subnormal = std::bit_cast<float>(0x3f000000u | magnitude) - 0.5f;
  const std::uint32_t bits = magnitude < 0x400u ? std::bit_cast<std::uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(bits | sign);
}

float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

float from_f64(double value) {
  return static_cast<float>(value);
}

/// Loads through memcpy because the file's bytes may have any alignment; compilers vectorise it.
template <class Stored>
void convert(const std::byte* from, std::span<float> to, float (*element)(Stored)) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from + i * sizeof(Stored), sizeof(Stored));
    to[i] = element(stored);
  }
}

}  // namespace

void TensorView::read(std::size_t begin, std::span<float> out) const {
  const std::size_t count = element_count();
  if (begin > count || out.size() > count - begin)
    throw UsageError("read outside the tensor",
                     {.expected = "at most " + std::to_string(count) + " elements",
                      .actual = std::to_string(begin) + " + " + std::to_string(out.size())});
  if (out.empty()) return;
  const std::byte* const from = bytes.data() + begin * dtype_size(dtype);
  switch (dtype) {
    case DType::f32:
      std::memcpy(out.data(), from, out.size_bytes());
      return;
    case DType::f16:
      return convert<std::uint16_t>(from, out, from_f16);
    case DType::bf16:
      return convert<std::uint16_t>(from, out, from_bf16);
    case DType::f64:
      return convert<double>(from, out, from_f64);
    default:
      throw UnsupportedError(
          "the tensor holds no floating-point numbers",
          {.expected = "F32, F16, BF16 or F64", .actual = std::string(dtype_name(dtype))});
  }
}

}  // namespace klue
