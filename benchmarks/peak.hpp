#pragma once

namespace klue::bench {

/// What this processor can do at best, on one core, measured now: billions of operations per second
/// (a multiplication and an addition are two), from multiply-adds that wait for nothing. The widest
/// instructions that the active kernels use; 0 where there are none of that precision.
double peak_f32();
double peak_bf16();
double peak_int8();

}  // namespace klue::bench
