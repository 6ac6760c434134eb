#include "peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <klue/kernels/detail/kernels.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace klue::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Chains that hide the latency of two multiply-adds a cycle, and that the registers of every level
// hold beside what they multiply: 16 would spill where there are 16 registers.
constexpr int kChains = 12;
constexpr std::size_t kRounds = 2'000'000;

template <class Run>
double best_rate(double operations_per_instruction, const Run& run) {
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto begin = Clock::now();
    run();
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    best = std::max(best, operations_per_instruction * kChains * static_cast<double>(kRounds) /
                              seconds.count() * 1e-9);
  }
  return best;
}

#if defined(__x86_64__)
// The empty asm statements keep the sums alive and in registers.
[[gnu::target("avx512f")]] void run_avx512() {
  __m512 sums[kChains] = {};
  const __m512 x = _mm512_set1_ps(1e-3f);
  for (std::size_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      sums[j] = _mm512_fmadd_ps(x, x, sums[j]);
      asm volatile("" : "+v"(sums[j]));
    }
}

[[gnu::target("avx2,fma")]] void run_avx2() {
  __m256 sums[kChains] = {};
  const __m256 x = _mm256_set1_ps(1e-3f);
  for (std::size_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      sums[j] = _mm256_fmadd_ps(x, x, sums[j]);
      asm volatile("" : "+x"(sums[j]));
    }
}

[[gnu::target("avx512f,avx512bf16")]] void run_bf16() {
  __m512 sums[kChains] = {};
  const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), _mm512_set1_ps(1e-3f));
  for (std::size_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      sums[j] = _mm512_dpbf16_ps(sums[j], x, x);
      asm volatile("" : "+v"(sums[j]));
    }
}

// A step of ours: 64 products by two maddubs, their sum, its halves' and that one's into 32 bits.
[[gnu::target("avx2")]] void run_maddubs() {
  constexpr int kSums = 6;  // what there are registers for
  __m256i sums[kSums] = {};
  __m256i x = _mm256_set1_epi8(1), ones = _mm256_set1_epi16(1);
  asm volatile("" : "+x"(x), "+x"(ones));
  for (std::size_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      __m256i first = _mm256_maddubs_epi16(x, ones), second = _mm256_maddubs_epi16(ones, x);
      asm volatile("" : "+x"(first), "+x"(second));
      sums[j % kSums] = _mm256_add_epi32(sums[j % kSums],
                                         _mm256_madd_epi16(_mm256_add_epi16(first, second), ones));
      asm volatile("" : "+x"(sums[j % kSums]));
    }
}

[[gnu::target("avx512f,avx512vnni")]] void run_int8() {
  __m512i sums[kChains] = {};
  const __m512i x = _mm512_set1_epi32(0x01010101);
  for (std::size_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      sums[j] = _mm512_dpbusd_epi32(sums[j], x, x);
      asm volatile("" : "+v"(sums[j]));
    }
}
#endif

}  // namespace

double peak_f32() {
#if defined(__x86_64__)
  switch (kernels::active().isa) {
    case kernels::Isa::avx512:
      return best_rate(2 * 16, run_avx512);
    case kernels::Isa::avx2:
    case kernels::Isa::avx_vnni:
      return best_rate(2 * 8, run_avx2);
    default:
      break;  // has no multiply-add to measure
  }
#endif
  return 0;
}

double peak_bf16() {
#if defined(__x86_64__)
  if (kernels::product(Precision::bf16).plain_groups) return best_rate(2 * 32, run_bf16);
#endif
  return 0;
}

double peak_int8() {
#if defined(__x86_64__)
  switch (kernels::active().isa) {
    case kernels::Isa::avx512:
      return __builtin_cpu_supports("avx512vnni") ? best_rate(2 * 64, run_int8) : 0;
    case kernels::Isa::avx2:
      return best_rate(2 * 64, run_maddubs);
    default:
      break;
  }
#endif
  return 0;
}

}  // namespace klue::bench
