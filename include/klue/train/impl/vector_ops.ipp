#include <cstddef>
#include <cstdint>

#include <klue/kernels/detail/kernels.hpp>
#include <klue/train/detail/vector_ops.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// One binary, every instruction set: each has a namespace and a target region of its own, in which
// the same loops are compiled. No compiler flag is needed.
#if defined(__clang__)
#define KLUE_TRAIN_PRAGMA(text) _Pragma(#text)
#define KLUE_TRAIN_TARGET(features) \
  KLUE_TRAIN_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define KLUE_TRAIN_END_TARGET _Pragma("clang attribute pop")
#else
#define KLUE_TRAIN_PRAGMA(text) _Pragma(#text)
#define KLUE_TRAIN_TARGET(features) \
  _Pragma("GCC push_options") KLUE_TRAIN_PRAGMA(GCC target(features))
#define KLUE_TRAIN_END_TARGET _Pragma("GCC pop_options")
#endif

namespace klue::detail {

#define KLUE_TRAIN_VECTOR_BYTES 16
#if defined(__x86_64__)
#define KLUE_TRAIN_SQUARE_ROOT(x) _mm_sqrt_ps(x)
#else
#define KLUE_TRAIN_SQUARE_ROOT(x)                                              \
  (Floats{__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), \
          __builtin_sqrtf(x[3])})
#endif
namespace train_baseline {
namespace {
#include <klue/train/impl/vector_loops.inc>
}  // namespace
}  // namespace train_baseline
#undef KLUE_TRAIN_VECTOR_BYTES
#undef KLUE_TRAIN_SQUARE_ROOT

#if defined(__x86_64__)
KLUE_TRAIN_TARGET("avx2,fma")
#define KLUE_TRAIN_VECTOR_BYTES 32
#define KLUE_TRAIN_SQUARE_ROOT(x) _mm256_sqrt_ps(x)
namespace train_avx2 {
namespace {
#include <klue/train/impl/vector_loops.inc>
}  // namespace
}  // namespace train_avx2
#undef KLUE_TRAIN_VECTOR_BYTES
#undef KLUE_TRAIN_SQUARE_ROOT
KLUE_TRAIN_END_TARGET

KLUE_TRAIN_TARGET("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")
#define KLUE_TRAIN_VECTOR_BYTES 64
#define KLUE_TRAIN_SQUARE_ROOT(x) _mm512_maskz_sqrt_ps(0xffff, x)
namespace train_avx512 {
namespace {
#include <klue/train/impl/vector_loops.inc>
}  // namespace
}  // namespace train_avx512
#undef KLUE_TRAIN_VECTOR_BYTES
#undef KLUE_TRAIN_SQUARE_ROOT
KLUE_TRAIN_END_TARGET
#endif

const VectorOps& vector_ops() {
#if defined(__x86_64__)
  switch (kernels::active().isa) {
    case kernels::Isa::avx512:
      return train_avx512::kVectorOps;
    case kernels::Isa::avx2:
    case kernels::Isa::avx_vnni:
      return train_avx2::kVectorOps;
    default:
      break;
  }
#endif
  return train_baseline::kVectorOps;
}

}  // namespace klue::detail

#undef KLUE_TRAIN_PRAGMA
#undef KLUE_TRAIN_TARGET
#undef KLUE_TRAIN_END_TARGET
