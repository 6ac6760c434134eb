#include <algorithm>
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

float from_f32(float value) {
  return value;
}

float from_f64(double value) {
  return static_cast<float>(value);
}

/// A dtype's elements, wherever they are: the file's bytes may have any alignment. Compilers make
/// vector loads of loops over this.
template <class Stored, float (*to_float)(Stored)>
struct Elements {
  const std::byte* bytes;

  float operator[](std::size_t i) const {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof(Stored), sizeof(Stored));
    return to_float(stored);
  }
  Elements operator+(std::size_t i) const { return {bytes + i * sizeof(Stored)}; }
};

template <class Source>
void read_c_order(Source from, std::span<float> to) {
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = from[i];
}

/// Whole rows of a matrix whose columns are dense, tile by tile: each line of memory that is read
/// or written is used up before the next one is needed.
template <class Source>
void read_transposed(Source from, std::size_t columns, std::size_t column_stride,
                     std::span<float> to) {
  constexpr std::size_t kSide = 16;
  const std::size_t rows = to.size() / columns;
  float tile[kSide][kSide];
  for (std::size_t row = 0; row < rows; row += kSide)
    for (std::size_t column = 0; column < columns; column += kSide) {
      const std::size_t height = std::min(kSide, rows - row);
      const std::size_t width = std::min(kSide, columns - column);
      for (std::size_t c = 0; c < width; ++c)
        for (std::size_t r = 0; r < height; ++r)
          tile[r][c] = from[(column + c) * column_stride + row + r];
      for (std::size_t r = 0; r < height; ++r)
        std::copy_n(tile[r], width, to.data() + (row + r) * columns + column);
    }
}

/// Offset of the first element of row `row`, all dimensions but the last being counted as rows.
std::size_t row_offset(const TensorView& view, std::size_t row) {
  std::size_t offset = 0;
  for (std::size_t i = view.shape.size() - 1; i-- > 0;) {
    offset += row % view.shape[i] * view.strides[i];
    row /= view.shape[i];
  }
  return offset;
}

template <class Source>
void read_strided(const TensorView& view, Source from, std::size_t begin, std::span<float> to) {
  const std::size_t columns = view.shape.back(), stride = view.strides.back();
  while (!to.empty()) {
    const std::size_t column = begin % columns, whole_rows = to.size() / columns;
    const Source row = from + row_offset(view, begin / columns);
    std::size_t done = std::min(to.size(), columns - column);
    if (column == 0 && whole_rows > 1 && view.shape.size() == 2 && view.strides[0] == 1) {
      done = whole_rows * columns;
      read_transposed(row, columns, stride, to.first(done));
    } else {
      for (std::size_t i = 0; i < done; ++i)
        to[i] = row[(column + i) * stride];
    }
    to = to.subspan(done);
    begin += done;
  }
}

template <class Source>
void read_as(const TensorView& view, std::size_t begin, std::span<float> to) {
  const Source from{view.bytes.data()};
  if (view.strides.empty())
    read_c_order(from + begin, to);
  else
    read_strided(view, from, begin, to);
}

}  // namespace

void TensorView::read(std::size_t begin, std::span<float> out) const {
  const std::size_t count = element_count();
  if (begin > count || out.size() > count - begin)
    throw UsageError("read outside the tensor",
                     {.expected = "at most " + std::to_string(count) + " elements",
                      .actual = std::to_string(begin) + " + " + std::to_string(out.size())});
  if (out.empty()) return;
  switch (dtype) {
    case DType::f32:
      if (!strides.empty()) return read_as<Elements<float, from_f32>>(*this, begin, out);
      std::memcpy(out.data(), bytes.data() + begin * sizeof(float), out.size_bytes());
      return;
    case DType::f16:
      return read_as<Elements<std::uint16_t, from_f16>>(*this, begin, out);
    case DType::bf16:
      return read_as<Elements<std::uint16_t, from_bf16>>(*this, begin, out);
    case DType::f64:
      return read_as<Elements<double, from_f64>>(*this, begin, out);
    default:
      throw UnsupportedError(
          "the tensor holds no floating-point numbers",
          {.expected = "F32, F16, BF16 or F64", .actual = std::string(dtype_name(dtype))});
  }
}

}  // namespace klue
