#pragma once

/// The definitions of the room `kernels`, to be compiled exactly once in a program.

// The targets, and then what chooses among them.
// clang-format off
#include <klue/kernels/impl/baseline.ipp>
#if defined(__x86_64__)
#include <klue/kernels/impl/avx2_maddubs.ipp>
#include <klue/kernels/impl/avx2.ipp>
#include <klue/kernels/impl/avx512.ipp>
#include <klue/kernels/impl/avx512_bf16.ipp>
#include <klue/kernels/impl/avx512_vnni.ipp>
#include <klue/kernels/impl/avx_vnni.ipp>
#elif defined(__aarch64__)
#include <klue/kernels/impl/arm_bf16.ipp>
#include <klue/kernels/impl/arm_dotprod.ipp>
#include <klue/kernels/impl/arm_i8mm.ipp>
#endif
#include <klue/kernels/impl/dispatch.ipp>
// clang-format on
