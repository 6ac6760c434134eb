// The numeric code of one instruction set. Included by baseline.cpp, avx2.cpp and avx512.cpp, which
// rename the namespace Eigen (see packet.hpp) and define
//   KLUE_KERNELS_ISA    the enumerator of Isa
//   KLUE_KERNELS_TABLE  the name of the table to define

#include "kernels/packet.hpp"
#include "kernels/product.hpp"

namespace klue::kernels {
namespace {

void activate_all(Activation activation, float* x, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) {
    Packet y[1] = {load_first(x + i, count - i)};
    activate<Exact>(activation, y);
    store_first(x + i, y[0], count - i);
  }
}

// panel[column × kPanel + r] = row(r)[column]: `count` ≤ kPanel rows become the lanes of one panel;
// lanes without a row become zero.
template <class Row>
[[gnu::always_inline]] inline void interleave(size_t count, size_t columns, const Row& row,
                                              float* panel) {
  for (size_t half = 0; half < kPanel; half += kLanes) {
    size_t column = 0;
    for (; column + kLanes <= columns; column += kLanes) {
      packet::PacketBlock<Packet, kLanes> block;
#pragma GCC unroll 16
      for (size_t r = 0; r < kLanes; ++r)
        block.packet[r] =
            half + r < count ? packet::ploadu<Packet>(row(half + r) + column) : broadcast(0.0f);
      packet::ptranspose(block);
#pragma GCC unroll 16
      for (size_t k = 0; k < kLanes; ++k)
        packet::pstore(panel + (column + k) * kPanel + half, block.packet[k]);
    }
    for (; column < columns; ++column)
      for (size_t r = half; r < half + kLanes; ++r)
        panel[column * kPanel + r] = r < count ? row(r)[column] : 0.0f;
  }
}

void pack_panel_f32(const float* rows, size_t count, size_t in_features, void* panel, float*,
                    float*) {
  interleave(
      count, in_features, [&](size_t r) { return rows + r * in_features; },
      static_cast<float*>(panel));
}

constexpr Product kF32{
    .precision = Precision::f32,
    .panel_width = kPanel,
    .group_numbers = 1,
    .pack_panel = pack_panel_f32,
    .convert_rows = nullptr,
    .gemm = gemm<F32>,
    .finish = finish_panels<F32>,
};

// ------------------------------------------------------------------------------------- attention

// Scratch of one head: Kᵀ in panels of keys, V in panels of features, and the scores of one block
// of queries. For 512 keys of 64 features that is 128 + 128 + 28 kB.
struct AttentionScratch {
  size_t padded_keys, padded_features;
  AttentionScratch(size_t keys, size_t head_size)
      : padded_keys(round_up(keys, kPanel)), padded_features(round_up(head_size, kPanel)) {}
  size_t key_floats(size_t head_size) const { return padded_keys * head_size; }
  size_t value_floats(size_t keys) const { return keys * padded_features; }
  size_t score_floats() const { return kMaxRows * padded_keys; }
};

size_t attention_scratch(size_t keys, size_t head_size) {
  const AttentionScratch s(keys, head_size);
  // Each part starts on a cache line.
  return round_up(s.key_floats(head_size), 16) + round_up(s.value_floats(keys), 16) +
         s.score_floats();
}

// exp((score − max) × scale) in place; returns 1 / their sum.
[[gnu::always_inline]] inline float softmax_numerators(float* scores, size_t count, float scale) {
  Packet largest = packet::pload<Packet>(scores);
  for (size_t i = kLanes; i < count; i += kLanes)
    largest = packet::pmax(largest, packet::pload<Packet>(scores + i));
  constexpr float kLog2E = 1.44269504088896340736f;
  const Packet shift = broadcast(packet::predux_max(largest)), factor = broadcast(scale * kLog2E);
  Packet sum = broadcast(0.0f);
  for (size_t i = 0; i < count; i += kPanel) {
    Packet e[2];
    for (size_t half = 0; half < 2; ++half) {
      const Packet score = packet::pload<Packet>(scores + i + half * kLanes);
      e[half] = packet::pmax(packet::pmul(packet::psub(score, shift), factor), broadcast(-126.0f));
    }
    exp2<Exact>(e);
    for (size_t half = 0; half < 2; ++half)
      packet::pstore(scores + i + half * kLanes, e[half]);
    sum = packet::padd(sum, packet::padd(e[0], e[1]));
  }
  return 1.0f / packet::predux(sum);
}

// Added to scores of the keys first, first + 1 …: 0 where there is such a key, and where there are
// only `count`, what leaves nothing of their weight.
[[gnu::always_inline]] inline Packet key_mask(size_t count, size_t first) {
  const Packet key = packet::plset<Packet>(static_cast<float>(first));
  const Packet missing = packet::pcmp_le(broadcast(static_cast<float>(count)), key);
  return packet::pand(missing, broadcast(-__FLT_MAX__));
}

template <size_t Rows>
[[gnu::noinline]] void attention_block(const AttentionHead& h, size_t first_query,
                                       const float* keys, const float* values, float* scores) {
  const AttentionScratch size(h.keys, h.head_size);
  Packet sums[Rows][2];
  for (size_t k = 0; k < size.padded_keys; k += kPanel) {
    multiply_panel<F32, Rows>(h.query + first_query * h.query_stride, h.query_stride,
                              keys + k * h.head_size, h.head_size, Ahead{keys, keys, 0}, sums);
    for (size_t half = 0; half < 2; ++half) {
      const Packet mask = key_mask(h.keys - k, half * kLanes);
      for (size_t r = 0; r < Rows; ++r)
        packet::pstore(scores + r * size.padded_keys + k + half * kLanes,
                       packet::padd(sums[r][half], mask));
    }
  }
  float inverse_sum[Rows];
  for (size_t r = 0; r < Rows; ++r)
    inverse_sum[r] = softmax_numerators(scores + r * size.padded_keys, size.padded_keys, h.scale);
  for (size_t f = 0; f < h.head_size; f += kPanel) {
    multiply_panel<F32, Rows>(scores, size.padded_keys, values + f * h.keys, h.keys,
                              Ahead{values, values, 0}, sums);
    for (size_t r = 0; r < Rows; ++r) {
      float* out = h.out + (first_query + r) * h.out_stride + f;
      const Packet factor = broadcast(inverse_sum[r]);
      const size_t left = h.head_size - f;
      store_first(out, packet::pmul(sums[r][0], factor), left);
      if (left > kLanes) store_first(out + kLanes, packet::pmul(sums[r][1], factor), left - kLanes);
    }
  }
}

void attention_head(const AttentionHead& h) {
  const AttentionScratch size(h.keys, h.head_size);
  float* const keys = h.scratch;
  float* const values = keys + round_up(size.key_floats(h.head_size), 16);
  float* const scores = values + round_up(size.value_floats(h.keys), 16);
  for (size_t first = 0; first < h.keys; first += kPanel) {
    const size_t count = h.keys - first < kPanel ? h.keys - first : kPanel;
    const auto row = [&](size_t r) { return h.key + h.key_rows[first + r] * h.key_value_stride; };
    interleave(count, h.head_size, row, keys + first * h.head_size);
  }
  for (size_t f = 0; f < h.head_size; f += kLanes)
    for (size_t k = 0; k < h.keys; ++k) {
      const float* from = h.value + h.key_rows[k] * h.key_value_stride + f;
      float* to = values + f / kPanel * kPanel * h.keys + k * kPanel + f % kPanel;
      packet::pstore(to, load_first(from, h.head_size - f));
    }
  // The last panel may lack its second half altogether.
  if (size.padded_features - h.head_size >= kLanes)
    for (size_t k = 0; k < h.keys; ++k)
      packet::pstore(values + (size.padded_features - kPanel) * h.keys + k * kPanel + kLanes,
                     broadcast(0.0f));
  for_row_blocks(h.queries, [&](size_t query, auto height) {
    attention_block<decltype(height)::value>(h, query, keys, values, scores);
  });
}

// ------------------------------------------------------------------------------ layer
// normalisation

// Σ f(x) over a row: four independent chains, as the addition's latency asks for.
template <class Term>
[[gnu::always_inline]] inline float sum_of(const float* x, size_t columns, const Term& term) {
  Packet sums[4] = {broadcast(0.0f), broadcast(0.0f), broadcast(0.0f), broadcast(0.0f)};
  size_t i = 0;
  for (; i + 4 * kLanes <= columns; i += 4 * kLanes)
    for (size_t j = 0; j < 4; ++j)
      sums[j] = packet::padd(sums[j], term(packet::ploadu<Packet>(x + i + j * kLanes)));
  for (; i + kLanes <= columns; i += kLanes)
    sums[0] = packet::padd(sums[0], term(packet::ploadu<Packet>(x + i)));
  float sum =
      packet::predux(packet::padd(packet::padd(sums[0], sums[1]), packet::padd(sums[2], sums[3])));
  for (; i < columns; ++i)
    sum += packet::pfirst(term(broadcast(x[i])));
  return sum;
}

void layer_norm(const float* x, size_t rows, size_t columns, const float* gamma, const float* beta,
                float epsilon, float* y) {
  const float count = static_cast<float>(columns);
  for (size_t row = 0; row < rows; ++row, x += columns, y += columns) {
    const Packet mean = broadcast(sum_of(x, columns, [](Packet v) { return v; }) / count);
    // Around the mean, in a second pass: E[x²] − E[x]² would cancel under outlier features.
    const float variance = sum_of(x, columns,
                                  [&](Packet v) {
                                    const Packet d = packet::psub(v, mean);
                                    return packet::pmul(d, d);
                                  }) /
                           count;
    const Packet scale = broadcast(1.0f / __builtin_sqrtf(variance + epsilon));
    for (size_t i = 0; i < columns; i += kLanes) {
      const size_t left = columns - i;
      const Packet normal = packet::pmul(packet::psub(load_first(x + i, left), mean), scale);
      const Packet value =
          packet::pmadd(normal, load_first(gamma + i, left), load_first(beta + i, left));
      store_first(y + i, value, left);
    }
  }
}

constexpr const char* kNames[] = {"baseline", "AVX2", "AVX-512"};

}  // namespace

extern const Table KLUE_KERNELS_TABLE;
const Table KLUE_KERNELS_TABLE = {
    .isa = Isa::KLUE_KERNELS_ISA,
    .name = kNames[static_cast<size_t>(Isa::KLUE_KERNELS_ISA)],
    .f32 = &kF32,
    .attention_scratch = attention_scratch,
    .attention_head = attention_head,
    .layer_norm = layer_norm,
    .activate = activate_all,
};

}  // namespace klue::kernels
