// The vectors of one instruction set, and what can be done with them everywhere: arithmetic is that
// of the compilers' vector extensions.
//
// The files of this folder are compiled once per instruction set: each file beside the folder opens
// a namespace of its own and a region in which the compiler may use that instruction set, defines
//   Vector                    floats
//   kVectors                  how many of them the processor has registers for
//   multiply_add(a, b, c)     a × b + c, rounded once where the processor can
//   minimum(a, b), maximum(a, b)  a where one is not a number
//   hold(x)                   keeps x in a register
// and includes them. Everything has internal linkage or that namespace, and nothing is called that
// the compiler could emit out of line and elsewhere: no lambda (Clang would leave it outside of the
// region) and no function of the standard library. tools/check_isa_symbols holds us to it.

constexpr size_t kLanes = sizeof(Vector) / sizeof(float);
constexpr size_t kPanel = 2 * kLanes;  // output features computed side by side

typedef float LooseVector __attribute__((vector_size(sizeof(Vector)), aligned(4), may_alias));
typedef std::uint32_t Bits __attribute__((vector_size(sizeof(Vector)), may_alias));
typedef std::int32_t Integers __attribute__((vector_size(sizeof(Vector)), may_alias));

[[gnu::always_inline]] inline Vector load(const float* from) {
  return *reinterpret_cast<const Vector*>(from);
}

[[gnu::always_inline]] inline Vector load_loose(const float* from) {
  return *reinterpret_cast<const LooseVector*>(from);
}

[[gnu::always_inline]] inline void store(float* to, Vector x) {
  *reinterpret_cast<Vector*>(to) = x;
}

[[gnu::always_inline]] inline void store_loose(float* to, Vector x) {
  *reinterpret_cast<LooseVector*>(to) = x;
}

// x − 0 is x for every x, −0 among them, and compilers know.
[[gnu::always_inline]] inline Vector broadcast(float x) {
  return x - Vector{};
}

// The first `count` lanes from memory, zeros in the others.
[[gnu::always_inline]] inline Vector load_first(const float* from, size_t count) {
  if (count >= kLanes) return load_loose(from);
  alignas(64) float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i)
    lanes[i] = from[i];
  return load(lanes);
}

[[gnu::always_inline]] inline void store_first(float* to, Vector x, size_t count) {
  if (count >= kLanes) return store_loose(to, x);
  alignas(64) float lanes[kLanes];
  store(lanes, x);
  for (size_t i = 0; i < count; ++i)
    to[i] = lanes[i];
}

// ----------------------------------------------------------------------------------- lane by lane

template <size_t... Lane>
struct LaneList {};
template <size_t Count, size_t... Lane>
struct FirstLanes : FirstLanes<Count - 1, Count - 1, Lane...> {};
template <size_t... Lane>
struct FirstLanes<0, Lane...> {
  using List = LaneList<Lane...>;
};
using AllLanes = FirstLanes<kLanes>::List;

// 0, 1, 2 …
template <size_t... Lane>
[[gnu::always_inline]] inline Vector lane_numbers(LaneList<Lane...>) {
  return Vector{static_cast<float>(Lane)...};
}

template <size_t Stride, size_t... Lane>
[[gnu::always_inline]] inline Vector swap_lanes(Vector x, LaneList<Lane...>) {
  return __builtin_shufflevector(x, x, static_cast<int>(Lane ^ Stride)...);
}

// All lanes as one number, which Combine makes of two.
template <class Combine, size_t Stride = kLanes / 2>
[[gnu::always_inline]] inline float reduce(Vector x) {
  if constexpr (Stride == 0)
    return x[0];
  else
    return reduce<Combine, Stride / 2>(Combine::of(x, swap_lanes<Stride>(x, AllLanes{})));
}

struct Sum {
  [[gnu::always_inline]] static Vector of(Vector a, Vector b) { return a + b; }
};
struct Least {
  [[gnu::always_inline]] static Vector of(Vector a, Vector b) { return minimum(a, b); }
};
struct Most {
  [[gnu::always_inline]] static Vector of(Vector a, Vector b) { return maximum(a, b); }
};

// In blocks of 2 × 2 squares of `Stride` lanes, swaps the two off the diagonal.
template <size_t Stride, size_t... Lane>
[[gnu::always_inline]] inline void swap_squares(Vector& low, Vector& high, LaneList<Lane...>) {
  const Vector a = low, b = high;
  low = __builtin_shufflevector(
      a, b, static_cast<int>((Lane & Stride) != 0 ? kLanes + Lane - Stride : Lane)...);
  high = __builtin_shufflevector(
      a, b, static_cast<int>((Lane & Stride) != 0 ? kLanes + Lane : Lane + Stride)...);
}

// Rows become columns.
template <size_t Stride = kLanes / 2>
[[gnu::always_inline]] inline void transpose(Vector (&rows)[kLanes]) {
#pragma GCC unroll 16
  for (size_t r = 0; r < kLanes; ++r)
    if ((r & Stride) == 0) swap_squares<Stride>(rows[r], rows[r + Stride], AllLanes{});
  if constexpr (Stride > 1) transpose<Stride / 2>(rows);
}

constexpr size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
