#pragma once

namespace evaluate {

/// The tasks of KLUE that are scored here. DP and WoS have heads that only KLUE-baseline knows.
enum class Benchmark { ynat, nli, sts, ner, re, mrc };

}  // namespace evaluate
