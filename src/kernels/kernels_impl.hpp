// The numeric code, written once in Eigen's packet primitives and compiled once per instruction
// set: see baseline.cpp, avx2.cpp and avx512.cpp, which define
//   KLUE_KERNELS_ISA    the enumerator of Isa
//   KLUE_KERNELS_TABLE  the name of the table to define
// and rename the namespace Eigen.
//
// The renaming matters. The linker keeps one copy of an inline function or template instance, no
// matter which flags each copy was compiled with; if it kept the AVX-512 copy of something that
// the baseline code also calls, older processors would stop with an illegal instruction. So every
// instruction set has an Eigen of its own, everything here has internal linkage, and nothing from
// the standard library that could be emitted out of line is used. tools/check_isa_symbols holds us
// to it.

#include <cstddef>
#include <cstdint>

#include <Eigen/Core>

#include <klue/kernels/kernels.hpp>

namespace klue::kernels {
namespace {

namespace packet = Eigen::internal;
using Packet = packet::packet_traits<float>::type;
using std::size_t;

constexpr size_t kLanes = packet::unpacket_traits<Packet>::size;
constexpr size_t kPanel = 2 * kLanes;  // output features computed side by side

// Rows computed together: as many as leave room for two weight packets and one broadcast value in
// the registers (16 of them below AVX-512 and on x86-64 in general, 32 with AVX-512 and on
// AArch64).
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t kMaxRows = 14;
#else
constexpr size_t kMaxRows = 6;
#endif

Packet broadcast(float x) {
  return packet::pset1<Packet>(x);
}

constexpr size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// ------------------------------------------------------------------------------- matrix product

// accumulators[r] = Σₖ a[r × a_stride + k] × panel[k × kPanel …]: the inner loop of everything.
// Every sum runs over k in order whatever `Rows` is, so a row's result does not depend on its
// neighbours.
template <size_t Rows>
[[gnu::always_inline]] inline void multiply_panel(const float* a, size_t a_stride,
                                                  const float* panel, size_t depth,
                                                  Packet (&accumulators)[Rows][2]) {
  for (size_t r = 0; r < Rows; ++r)
    accumulators[r][0] = accumulators[r][1] = broadcast(0.0f);
  // One pointer for three rows (x, x + stride, x + 2 × stride) keeps all of them in registers.
  constexpr size_t kGroups = (Rows + 2) / 3;
  const float* group[kGroups];
  for (size_t g = 0; g < kGroups; ++g)
    group[g] = a + 3 * g * a_stride;
  for (size_t k = 0; k < depth; ++k, panel += kPanel) {
    const Packet left = packet::pload<Packet>(panel);
    const Packet right = packet::pload<Packet>(panel + kLanes);
#pragma GCC unroll 16
    for (size_t r = 0; r < Rows; ++r) {
      const Packet x = broadcast(group[r / 3][(r % 3) * a_stride]);
      accumulators[r][0] = packet::pmadd(x, left, accumulators[r][0]);
      accumulators[r][1] = packet::pmadd(x, right, accumulators[r][1]);
    }
#pragma GCC unroll 16
    for (size_t g = 0; g < kGroups; ++g)
      ++group[g];
  }
}

// Calls task(first_row, std::integral_constant-like tag<Rows>) over `rows` rows in blocks of nearly
// equal height: 16 rows are 8 + 8, not 14 + 2.
template <size_t Rows>
struct BlockHeight {
  static constexpr size_t value = Rows;
};

template <size_t Rows, class Task>
[[gnu::always_inline]] inline void run_block(size_t rows, size_t first, const Task& task) {
  if constexpr (Rows > 0) {
    if (rows == Rows)
      task(first, BlockHeight<Rows>{});
    else
      run_block<Rows - 1>(rows, first, task);
  }
}

template <class Task>
[[gnu::always_inline]] inline void for_row_blocks(size_t rows, const Task& task) {
  size_t blocks = (rows + kMaxRows - 1) / kMaxRows, first = 0;
  for (; blocks > 0; --blocks) {
    const size_t height = (rows - first + blocks - 1) / blocks;
    run_block<kMaxRows>(height, first, task);
    first += height;
  }
}

// ---------------------------------------------------------------------------------- activations

constexpr float kSqrtHalf = 0.70710678118654752440f;

// erf on |x| < 1 as x + x·p(x²), where it is relatively exact near 0; beyond, erfc(|x|) as
// exp(−x² + q(|x|)), where it is relatively exact in the tail. p and q are minimax polynomials
// fitted to double precision values of erf(x)/x − 1 and log(erfc(x)) + x² (the latter on [1, 6]).
struct ErrorFunction {
  Packet erf_small;  // erf(x), right where |x| < 1
  Packet erfc_tail;  // erfc(|x|), right where |x| ≥ 1
  Packet is_small;
};

[[gnu::always_inline]] inline ErrorFunction error_function(Packet x) {
  const auto horner = [](Packet u, const auto& coefficients) {
    constexpr size_t kCount = sizeof(coefficients) / sizeof(float);
    Packet sum = broadcast(coefficients[0]);
#pragma GCC unroll 16
    for (size_t i = 1; i < kCount; ++i)
      sum = packet::pmadd(sum, u, broadcast(coefficients[i]));
    return sum;
  };
  static constexpr float kSmall[] = {7.853908027755097e-05f, -0.0008010208839550614f,
                                     0.005188329610973597f,  -0.026853812858462334f,
                                     0.1128358542919159f,    -0.3761262595653534f,
                                     0.1283791065216064f};
  static constexpr float kTail[] = {
      9.174833621727885e-07f, -3.0705155950272456e-05f, 0.0004586571594700217f,
      -0.004078087862581015f, 0.02441377192735672f,     -0.10647540539503098f,
      0.3643229305744171f,    -1.127992868423462f,      -0.00022479078324977309f};
  const Packet magnitude = packet::pmin(packet::pabs(x), broadcast(6.0f));
  const Packet square = packet::pmul(magnitude, magnitude);
  const Packet small = packet::pmadd(x, horner(square, kSmall), x);
  const Packet exponent = packet::psub(horner(magnitude, kTail), square);
  return {small, packet::pexp(exponent), packet::pcmp_lt(magnitude, broadcast(1.0f))};
}

// x·Φ(x) with 2Φ = 1 + erf(x/√2), taken as erfc(|x|/√2) or 2 − erfc(|x|/√2) outside the middle so
// that the negative tail does not cancel.
[[gnu::always_inline]] inline Packet gelu(Packet x) {
  const Packet scaled = packet::pmul(x, broadcast(kSqrtHalf));
  const ErrorFunction e = error_function(scaled);
  const Packet negative = packet::pcmp_lt(x, broadcast(0.0f));
  const Packet tail =
      packet::pselect(negative, e.erfc_tail, packet::psub(broadcast(2.0f), e.erfc_tail));
  const Packet twice_phi =
      packet::pselect(e.is_small, packet::padd(e.erf_small, broadcast(1.0f)), tail);
  return packet::pmul(packet::pmul(broadcast(0.5f), x), twice_phi);
}

[[gnu::always_inline]] inline Packet activated(Activation activation, Packet x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return gelu(x);
    case Activation::relu:
      return packet::pmax(x, broadcast(0.0f));
    case Activation::tanh:
      break;
  }
  // Only the pooler needs tanh, on one row per sentence: the C library's is exact and fast enough.
  alignas(64) float lanes[kLanes];
  packet::pstore(lanes, x);
  for (float& lane : lanes)
    lane = __builtin_tanhf(lane);
  return packet::pload<Packet>(lanes);
}

// The first `count` lanes from memory, zeros in the others.
Packet load_first(const float* from, size_t count) {
  if (count >= kLanes) return packet::ploadu<Packet>(from);
  alignas(64) float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i)
    lanes[i] = from[i];
  return packet::pload<Packet>(lanes);
}

void store_first(float* to, Packet x, size_t count) {
  if (count >= kLanes) return packet::pstoreu(to, x);
  alignas(64) float lanes[kLanes];
  packet::pstore(lanes, x);
  for (size_t i = 0; i < count; ++i)
    to[i] = lanes[i];
}

void activate(Activation activation, float* x, size_t count) {
  for (size_t i = 0; i < count; i += kLanes)
    store_first(x + i, activated(activation, load_first(x + i, count - i)), count - i);
}

// ---------------------------------------------------------------------------------- linear layer

// Columns [column, column + kLanes) of one row, `count` of them real.
[[gnu::always_inline]] inline void finish_linear(const Gemm& g, size_t row, size_t column,
                                                 size_t count, Packet sum) {
  if (g.bias != nullptr) sum = packet::padd(sum, load_first(g.bias + column, count));
  if (g.activation != Activation::none) sum = activated(g.activation, sum);
  if (g.residual != nullptr)
    sum = packet::padd(sum, load_first(g.residual + row * g.residual_stride + column, count));
  store_first(g.y + row * g.y_stride + column, sum, count);
}

template <size_t Rows>
[[gnu::noinline]] void linear_block(const Gemm& g, size_t first_row, size_t panel) {
  Packet sums[Rows][2];
  multiply_panel<Rows>(g.x + first_row * g.x_stride, g.x_stride,
                       g.panels + panel * kPanel * g.in_features, g.in_features, sums);
  const size_t column = panel * kPanel, left = g.out_features - column;
  for (size_t r = 0; r < Rows; ++r) {
    finish_linear(g, first_row + r, column, left, sums[r][0]);
    if (left > kLanes) finish_linear(g, first_row + r, column + kLanes, left - kLanes, sums[r][1]);
  }
}

void gemm(const Gemm& g) {
  // A chunk of rows that stays in the second-level cache while all weights stream past it once.
  const size_t fitting = (size_t{384} << 10) / (g.in_features * sizeof(float)) / kMaxRows;
  const size_t chunk = kMaxRows * (fitting == 0 ? 1 : fitting);
  for (size_t first = 0; first < g.rows; first += chunk) {
    const size_t rows = g.rows - first < chunk ? g.rows - first : chunk;
    for (size_t panel = g.first_panel; panel < g.last_panel; ++panel)
      for_row_blocks(rows, [&](size_t row, auto height) {
        linear_block<decltype(height)::value>(g, first + row, panel);
      });
  }
}

// out[column × kPanel + r] = row(r)[column]: `count` ≤ kPanel rows become the lanes of one panel.
template <class Row>
[[gnu::always_inline]] inline void interleave(size_t count, size_t columns, const Row& row,
                                              float* panel) {
  for (size_t half = 0; half < kPanel; half += kLanes) {
    size_t column = 0;
    if (half + kLanes <= count) {
      for (; column + kLanes <= columns; column += kLanes) {
        packet::PacketBlock<Packet, kLanes> block;
#pragma GCC unroll 16
        for (size_t r = 0; r < kLanes; ++r)
          block.packet[r] = packet::ploadu<Packet>(row(half + r) + column);
        packet::ptranspose(block);
#pragma GCC unroll 16
        for (size_t k = 0; k < kLanes; ++k)
          packet::pstore(panel + (column + k) * kPanel + half, block.packet[k]);
      }
    }
    for (; column < columns; ++column)
      for (size_t r = half; r < half + kLanes; ++r)
        panel[column * kPanel + r] = r < count ? row(r)[column] : 0.0f;
  }
}

void pack_panel(const float* rows, size_t row_stride, size_t count, size_t in_features,
                float* panel) {
  interleave(
      count, in_features, [&](size_t r) { return rows + r * row_stride; }, panel);
}

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

// exp((score − max) × scale) in place; returns 1 / their sum. Lanes past `keys` are ignored.
[[gnu::always_inline]] inline float softmax_numerators(float* scores, size_t keys,
                                                       size_t padded_keys, float scale) {
  for (size_t i = keys; i < padded_keys; ++i)
    scores[i] = -__FLT_MAX__;
  Packet largest = packet::pload<Packet>(scores);
  for (size_t i = kLanes; i < padded_keys; i += kLanes)
    largest = packet::pmax(largest, packet::pload<Packet>(scores + i));
  const Packet shift = broadcast(packet::predux_max(largest)), factor = broadcast(scale);
  Packet sum = broadcast(0.0f);
  for (size_t i = 0; i < padded_keys; i += kLanes) {
    const Packet difference = packet::psub(packet::pload<Packet>(scores + i), shift);
    const Packet e = packet::pexp(packet::pmul(difference, factor));
    packet::pstore(scores + i, e);
    sum = packet::padd(sum, e);
  }
  return 1.0f / packet::predux(sum);
}

template <size_t Rows>
[[gnu::noinline]] void attention_block(const AttentionHead& h, size_t first_query,
                                       const float* keys, const float* values, float* scores) {
  const AttentionScratch size(h.keys, h.head_size);
  Packet sums[Rows][2];
  for (size_t k = 0; k < size.padded_keys; k += kPanel) {
    multiply_panel<Rows>(h.query + first_query * h.query_stride, h.query_stride,
                         keys + k * h.head_size, h.head_size, sums);
    for (size_t r = 0; r < Rows; ++r)
      for (size_t half = 0; half < 2; ++half)
        packet::pstore(scores + r * size.padded_keys + k + half * kLanes, sums[r][half]);
  }
  float inverse_sum[Rows];
  for (size_t r = 0; r < Rows; ++r)
    inverse_sum[r] =
        softmax_numerators(scores + r * size.padded_keys, h.keys, size.padded_keys, h.scale);
  for (size_t f = 0; f < h.head_size; f += kPanel) {
    multiply_panel<Rows>(scores, size.padded_keys, values + f * h.keys, h.keys, sums);
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
    .panel_width = kPanel,
    .pack_panel = pack_panel,
    .gemm = gemm,
    .attention_scratch = attention_scratch,
    .attention_head = attention_head,
    .layer_norm = layer_norm,
    .activate = activate,
};

}  // namespace klue::kernels
