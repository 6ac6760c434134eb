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

// Coefficients from the highest power down.
template <size_t Count>
[[gnu::always_inline]] inline Packet polynomial(Packet x, const float (&coefficients)[Count]) {
  Packet sum = broadcast(coefficients[0]);
#pragma GCC unroll 16
  for (size_t i = 1; i < Count; ++i)
    sum = packet::pmadd(sum, x, broadcast(coefficients[i]));
  return sum;
}

// 2^x for x in [−126, 127], to one unit in the last place. Adding 1.5 · 2^23 leaves the nearest
// whole number in the low bits, from where it goes to the exponent; the rest, at most ½, is a
// polynomial, minimax in relative error.
[[gnu::always_inline]] inline Packet exp2(Packet x) {
  using Integers = packet::unpacket_traits<Packet>::integer_packet;
  static constexpr float kPowers[] = {0.00015345810970757157f,
                                      0.0013399930903688073f,
                                      0.009618489071726799f,
                                      0.05550328642129898f,
                                      0.24022646248340607f,
                                      0.6931471824645996f,
                                      1.0f};
  const Packet shifter = broadcast(12582912.0f);
  const Packet shifted = packet::padd(x, shifter);
  const Packet rest = packet::psub(x, packet::psub(shifted, shifter));
  const Integers exponent =
      packet::plogical_shift_left<23>(packet::preinterpret<Integers>(shifted));
  const Integers mantissa = packet::preinterpret<Integers>(polynomial(rest, kPowers));
  return packet::preinterpret<Packet>(packet::padd(mantissa, exponent));
}

// ---------------------------------------------------------------------------------- activations

// x·Φ(x), where 2Φ(x) is erfc(t) for negative x and 2 − erfc(t) for positive x, t = |x|/√2: the
// negative tail does not cancel. log₂ erfc(t) is smooth enough for one polynomial on [0, 6],
// minimax in the error of erfc (2e-8); beyond, erfc is nothing.
[[gnu::always_inline]] inline Packet gelu(Packet x) {
  static constexpr float kLogErfc[] = {
      5.1494058794787634e-08f, -1.6547421637369553e-06f, 2.295514423167333e-05f,
      -0.0001788012741599232f, 0.0008358762133866549f,   -0.0021162726916372776f,
      -0.0002106480678776279f, 0.02797939069569111f,     -0.1484178751707077f,
      -0.9184209108352661f,    -1.6279088258743286f,     1.9418607166699076e-08f};
  constexpr float kSqrtHalf = 0.70710678118654752440f;
  const Packet magnitude = packet::pabs(packet::pmul(x, broadcast(kSqrtHalf)));
  const Packet t = packet::pmin(magnitude, broadcast(6.0f));
  const Packet erfc = exp2(polynomial(t, kLogErfc));
  const Packet negative = packet::pcmp_lt(x, broadcast(0.0f));
  const Packet twice_phi = packet::pselect(negative, erfc, packet::psub(broadcast(2.0f), erfc));
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
