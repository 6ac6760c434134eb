// The 8-bit product of one instruction set. Included by avx512_vnni.cpp and avx_vnni.cpp, which
// rename the namespace Eigen (see packet.hpp) and define in klue::kernels::(anonymous)::wide
//   Sums                         as many int32 as a packet has floats
//   zero(), load(p), loadu(p)    p is aligned to a packet, or to nothing
//   add_products(sums, x, w)     sums + x · w for four numbers x (u8) and groups of four (s8) w
//   to_float(sums)
//   store_codes(p, packet)       the nearest whole numbers, saturated to 0…255, a byte each
//   store_rounded(p, packet)     the nearest whole numbers, int32; p is aligned to a packet
//
// Weights are symmetric: q = round(w / scale) in −127…127, one scale per output feature.
// Activations are asymmetric: q = round(x / scale) + zero in 0…255, a scale and a zero per row;
// GELU's outputs are almost all on one side of 0, where this is worth a bit. Then
//   Σ x·w = row_scale × column_scale × (Σ qx·qw − row_zero × Σ qw)
//
// Trained transformers have a few features that are an order of magnitude above the others, and one
// of them would take the resolution of its whole row. Both sides are therefore rotated first: (x·H)
// times (w·H) is x·w for an orthogonal H, and a Hadamard matrix of order 16 leaves a quarter of an
// outlier in each of 16 places (Ashkboos et al., "QuaRot", 2024).

#pragma once

#include "kernels/packet.hpp"
#include "kernels/product.hpp"

namespace klue::kernels {
namespace {

struct Int8 {
  static constexpr Precision kPrecision = Precision::int8;
  using Accuracy = Close;
  using Sum = wide::Sums;
  static Sum zero() { return wide::zero(); }
  static Sum load_sum(const float* sums) { return wide::loadu(sums); }
  static Sum load(const float* weights) { return wide::load(weights); }
  static Sum multiply_add(const float* x, Sum weights, Sum sum) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return wide::add_products(sum, group, weights);
  }
  static Packet to_float(Sum sum, float row_scale, float row_zero, Packet column_scale,
                         Packet column_sum, Packet bias) {
    const Packet centred =
        packet::psub(wide::to_float(sum), packet::pmul(broadcast(row_zero), column_sum));
    return packet::pmadd(centred, packet::pmul(broadcast(row_scale), column_scale), bias);
  }
};

struct Range {
  float least, most;
};

// Collects the range of a row, widened to hold 0 so that 0 has a code of its own. Four chains, as
// the latency of minimum and maximum asks for.
class RangeFinder {
 public:
  RangeFinder() {
    for (size_t j = 0; j < 4; ++j)
      least_[j] = most_[j] = broadcast(0.0f);
  }

  [[gnu::always_inline]] void add(Packet v, size_t chain) {
    least_[chain % 4] = packet::pmin(least_[chain % 4], v);
    most_[chain % 4] = packet::pmax(most_[chain % 4], v);
  }

  [[gnu::always_inline]] Range range() const {
    const Packet least =
        packet::pmin(packet::pmin(least_[0], least_[1]), packet::pmin(least_[2], least_[3]));
    const Packet most =
        packet::pmax(packet::pmax(most_[0], most_[1]), packet::pmax(most_[2], most_[3]));
    return {packet::predux_min(least), packet::predux_max(most)};
  }

 private:
  Packet least_[4], most_[4];
};

// A block of 16 vectors is rotated lane by lane, without any shuffle.
constexpr size_t kOrder = 16;
constexpr size_t kBlock = kOrder * kLanes;
constexpr size_t kLongestRotated = 8192;  // what a row's copy on the stack may take: 32 kB

constexpr bool rotates(size_t in_features) {
  return in_features % kBlock == 0 && in_features <= kLongestRotated;
}

// A row as it is quantised: rotated, where it can be, and its range.
struct Row {
  const float* numbers;
  Range range;
};

// copy = x · H without the factor 1/√16.
Row rotate(const float* x, size_t count, float* copy) {
  RangeFinder finder;
  for (size_t block = 0; block < count; block += kBlock) {
    Packet v[kOrder];
#pragma GCC unroll 16
    for (size_t j = 0; j < kOrder; ++j)
      v[j] = packet::ploadu<Packet>(x + block + j * kLanes);
#pragma GCC unroll 4
    for (size_t stride = 1; stride < kOrder; stride *= 2)
#pragma GCC unroll 16
      for (size_t j = 0; j < kOrder; ++j) {
        if ((j & stride) != 0) continue;
        const Packet sum = packet::padd(v[j], v[j + stride]);
        v[j + stride] = packet::psub(v[j], v[j + stride]);
        v[j] = sum;
      }
#pragma GCC unroll 16
    for (size_t j = 0; j < kOrder; ++j) {
      packet::pstore(copy + block + j * kLanes, v[j]);
      finder.add(v[j], j);
    }
  }
  return {copy, finder.range()};
}

Row prepare(const float* row, size_t in_features, float* copy) {
  if (rotates(in_features)) return rotate(row, in_features, copy);
  RangeFinder finder;
  for (size_t i = 0; i < in_features; i += kLanes)
    finder.add(load_first(row + i, in_features - i), 0);
  return {row, finder.range()};
}

void convert_rows(const float* x, size_t rows, size_t x_stride, size_t in_features, void* converted,
                  float* row_scale, float* row_zero) {
  alignas(64) float copy[kLongestRotated];
  const size_t row_numbers = round_up(in_features, 4);
  auto* to = static_cast<std::uint8_t*>(converted);
  for (size_t r = 0; r < rows; ++r, x += x_stride, to += row_numbers) {
    const Row row = prepare(x, in_features, copy);
    const float width = row.range.most - row.range.least;
    const float scale = width > 0.0f ? width / 255.0f : 1.0f;
    const float zero = __builtin_rintf(-row.range.least / scale);
    row_scale[r] = scale;
    row_zero[r] = zero;
    const Packet inverse = broadcast(1.0f / scale), offset = broadcast(zero);
    for (size_t i = 0; i < in_features; i += kLanes) {
      // To the nearest; rounding may reach −1 or 256, which saturate.
      const Packet codes =
          packet::pmadd(load_first(row.numbers + i, in_features - i), inverse, offset);
      const size_t left = row_numbers - i;
      if (left >= kLanes) {
        wide::store_codes(to + i, codes);
      } else {
        alignas(64) std::uint8_t last[kLanes];
        wide::store_codes(last, codes);
        __builtin_memcpy(to + i, last, left);
      }
    }
  }
}

void pack_panel(const float* rows, size_t count, size_t in_features, void* panel,
                float* column_scale, float* column_sum) {
  alignas(64) float copy[kLongestRotated];
  auto* const to = static_cast<std::int8_t*>(panel);
  const size_t row_numbers = round_up(in_features, 4);
  alignas(64) std::int32_t numbers[kLanes];
  for (size_t n = 0; n < kPanel; ++n) {
    const bool real = n < count;
    const Row row = real ? prepare(rows + n * in_features, in_features, copy) : Row{};
    const float largest = row.range.most > -row.range.least ? row.range.most : -row.range.least;
    const float scale = largest > 0.0f ? largest / 127.0f : 1.0f;
    std::int32_t sum = 0;
    for (size_t i = 0; i < row_numbers; i += kLanes) {
      const Packet weights =
          real && i < in_features ? load_first(row.numbers + i, in_features - i) : broadcast(0.0f);
      wide::store_rounded(numbers, packet::pmul(weights, broadcast(1.0f / scale)));
      for (size_t j = 0; j < kLanes && i + j < row_numbers; ++j) {
        to[((i + j) / 4 * kPanel + n) * 4 + (i + j) % 4] = static_cast<std::int8_t>(numbers[j]);
        sum += numbers[j];
      }
    }
    // The rotations' factors 1/√16, both here.
    column_scale[n] = rotates(in_features) ? scale / static_cast<float>(kOrder) : scale;
    column_sum[n] = static_cast<float>(sum);
  }
}

constexpr Product kInt8{
    .precision = Precision::int8,
    .panel_width = kPanel,
    .group_numbers = 4,
    .pack_panel = pack_panel,
    .convert_rows = convert_rows,
    .gemm = gemm<Int8>,
    .finish = finish_panels<Int8>,
};

}  // namespace
}  // namespace klue::kernels
