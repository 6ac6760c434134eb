// The SIMD layer of the numeric code: Eigen's packet primitives and what is built of them.
//
// Everything that includes this is compiled once per instruction set, in a source file that renames
// the namespace Eigen first. The renaming matters. The linker keeps one copy of an inline function
// or template instance, no matter which flags each copy was compiled with; if it kept the AVX-512
// copy of something that the baseline code also calls, older processors would stop with an illegal
// instruction. So every instruction set has an Eigen of its own, everything here has internal
// linkage, and nothing from the standard library that could be emitted out of line is used.
// tools/check_isa_symbols holds us to it.
#pragma once

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

[[maybe_unused]] Packet broadcast(float x) {
  return packet::pset1<Packet>(x);
}

[[maybe_unused]] constexpr size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// The functions below work on several packets side by side: each is one long chain of dependent
// instructions, and a processor keeps busy only with a few chains at once.

// Coefficients from the highest power down.
template <size_t Packets, size_t Count>
[[gnu::always_inline]] inline void polynomial(const Packet (&x)[Packets],
                                              const float (&coefficients)[Count],
                                              Packet (&sum)[Packets]) {
#pragma GCC unroll 8
  for (Packet& s : sum)
    s = broadcast(coefficients[0]);
#pragma GCC unroll 16
  for (size_t c = 1; c < Count; ++c)
#pragma GCC unroll 8
    for (size_t i = 0; i < Packets; ++i)
      sum[i] = packet::pmadd(sum[i], x[i], broadcast(coefficients[c]));
}

// How closely exp2 and gelu approximate: minimax polynomials for 2^x on [−½, ½], in relative error,
// and log₂ Φ(−t) on [0, 6], in what it makes of x·Φ(x).
struct Exact {  // to 3 units in the last place (2 where multiply-adds are fused), or to 5e-8
  static constexpr float kPowers[] = {0.00015345810970757157f,
                                      0.0013399930903688073f,
                                      0.009618489071726799f,
                                      0.05550328642129898f,
                                      0.24022646248340607f,
                                      0.6931471824645996f,
                                      1.0f};
  static constexpr float kLogTail[] = {4.455013140614028e-07f,   -8.622883797215763e-06f,
                                       6.96776551194489e-05f,    -0.0002686362713575363f,
                                       -1.1432371138653252e-05f, 0.006956474855542183f,
                                       -0.05244798585772514f,    -0.45921817421913147f,
                                       -1.1511045694351196f,     -1.0f};
};

struct Close {  // to 5e-6 of the number, or 1e-6: for what is rounded to 8 bits next
  static constexpr float kPowers[] = {0.009582853876054287f, 0.055906426161527634f,
                                      0.24024099111557007f, 0.6931241750717163f, 1.0f};
  static constexpr float kLogTail[] = {-0.0005031764158047736f, 0.007300245575606823f,
                                       -0.05237933620810509f,   -0.4593852758407593f,
                                       -1.151062250137329f,     -1.0f};
};

// 2^x for x in [−126, 127]. Adding 1.5 · 2^23 leaves the nearest whole number in the low bits, from
// where it goes to the exponent; the rest, at most ½, is a polynomial.
template <class Accuracy, size_t Packets>
[[gnu::always_inline]] inline void exp2(Packet (&x)[Packets]) {
  using Integers = packet::unpacket_traits<Packet>::integer_packet;
  const Packet shifter = broadcast(12582912.0f);
  Packet shifted[Packets], power[Packets];
#pragma GCC unroll 8
  for (size_t i = 0; i < Packets; ++i) {
    shifted[i] = packet::padd(x[i], shifter);
    x[i] = packet::psub(x[i], packet::psub(shifted[i], shifter));
  }
  polynomial(x, Accuracy::kPowers, power);
#pragma GCC unroll 8
  for (size_t i = 0; i < Packets; ++i) {
    const Integers exponent =
        packet::plogical_shift_left<23>(packet::preinterpret<Integers>(shifted[i]));
    const Integers mantissa = packet::preinterpret<Integers>(power[i]);
    x[i] = packet::preinterpret<Packet>(packet::padd(mantissa, exponent));
  }
}

// ---------------------------------------------------------------------------------- activations

// x·Φ(x) = max(x, 0) − |x|·Φ(−|x|): the negative tail does not cancel. log₂ Φ(−t) is smooth enough
// for one polynomial on [0, 6]; beyond, Φ(−t) is nothing.
template <class Accuracy, size_t Packets>
[[gnu::always_inline]] inline void gelu(Packet (&x)[Packets]) {
  Packet t[Packets], tail[Packets];
#pragma GCC unroll 8
  for (size_t i = 0; i < Packets; ++i)
    t[i] = packet::pmin(packet::pabs(x[i]), broadcast(6.0f));
  polynomial(t, Accuracy::kLogTail, tail);
  exp2<Accuracy>(tail);
#pragma GCC unroll 8
  for (size_t i = 0; i < Packets; ++i)
    x[i] = packet::psub(packet::pmax(x[i], broadcast(0.0f)), packet::pmul(t[i], tail[i]));
}

// Only the pooler needs tanh, on one row per sentence: the C library's is exact and fast enough.
[[maybe_unused]] Packet tanh(Packet x) {
  alignas(64) float lanes[kLanes];
  packet::pstore(lanes, x);
  for (float& lane : lanes)
    lane = __builtin_tanhf(lane);
  return packet::pload<Packet>(lanes);
}

template <class Accuracy, size_t Packets>
[[gnu::always_inline]] inline void activate(Activation activation, Packet (&x)[Packets]) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::gelu:
      return gelu<Accuracy>(x);
    case Activation::relu:
      for (Packet& packet : x)
        packet = packet::pmax(packet, broadcast(0.0f));
      return;
    case Activation::tanh:
      for (Packet& packet : x)
        packet = tanh(packet);
  }
}

// The first `count` lanes from memory, zeros in the others.
[[maybe_unused]] Packet load_first(const float* from, size_t count) {
  if (count >= kLanes) return packet::ploadu<Packet>(from);
  alignas(64) float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i)
    lanes[i] = from[i];
  return packet::pload<Packet>(lanes);
}

[[maybe_unused]] void store_first(float* to, Packet x, size_t count) {
  if (count >= kLanes) return packet::pstoreu(to, x);
  alignas(64) float lanes[kLanes];
  packet::pstore(lanes, x);
  for (size_t i = 0; i < count; ++i)
    to[i] = lanes[i];
}

}  // namespace
}  // namespace klue::kernels
