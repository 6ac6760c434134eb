// Attention of one head.

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

inline size_t attention_scratch(size_t keys, size_t head_size) {
  const AttentionScratch s(keys, head_size);
  // Each part starts on a cache line.
  return round_up(s.key_floats(head_size), 16) + round_up(s.value_floats(keys), 16) +
         s.score_floats();
}

// exp((score − max) × scale) in place; returns 1 / their sum.
[[gnu::always_inline]] inline float softmax_numerators(float* scores, size_t count, float scale) {
  Vector largest = load(scores);
  for (size_t i = kLanes; i < count; i += kLanes)
    largest = maximum(largest, load(scores + i));
  constexpr float kLog2E = 1.44269504088896340736f;
  const Vector shift = broadcast(reduce<Most>(largest)), factor = broadcast(scale * kLog2E);
  Vector sum{};
  for (size_t i = 0; i < count; i += kPanel) {
    Vector e[2];
    for (size_t half = 0; half < 2; ++half) {
      const Vector score = load(scores + i + half * kLanes);
      e[half] = maximum((score - shift) * factor, broadcast(-126.0f));
    }
    exp2<Exact>(e);
    for (size_t half = 0; half < 2; ++half)
      store(scores + i + half * kLanes, e[half]);
    sum = sum + (e[0] + e[1]);
  }
  return 1.0f / reduce<Sum>(sum);
}

// Added to scores of the keys first, first + 1 …: 0 where there is such a key, and where there are
// only `count`, what leaves nothing of their weight.
[[gnu::always_inline]] inline Vector key_mask(size_t count, size_t first) {
  const Vector key = lane_numbers(AllLanes{}) + broadcast(static_cast<float>(first));
  const auto missing = broadcast(static_cast<float>(count)) <= key;
  return reinterpret_cast<Vector>(reinterpret_cast<Bits>(missing) &
                                  reinterpret_cast<Bits>(broadcast(-__FLT_MAX__)));
}

template <size_t Rows>
[[gnu::noinline]] void attention_block(const AttentionHead& h, size_t first_query,
                                       const float* keys, const float* values, float* scores) {
  const AttentionScratch size(h.keys, h.head_size);
  Vector sums[Rows][2];
  for (size_t k = 0; k < size.padded_keys; k += kPanel) {
    multiply_panels<F32, Rows, 1>(h.query + first_query * h.query_stride, h.query_stride,
                                  keys + k * h.head_size, h.head_size, Ahead{keys, keys, 0}, sums);
    for (size_t half = 0; half < 2; ++half) {
      const Vector mask = key_mask(h.keys - k, half * kLanes);
      for (size_t r = 0; r < Rows; ++r)
        store(scores + r * size.padded_keys + k + half * kLanes, sums[r][half] + mask);
    }
  }
  float inverse_sum[Rows];
  for (size_t r = 0; r < Rows; ++r)
    inverse_sum[r] = softmax_numerators(scores + r * size.padded_keys, size.padded_keys, h.scale);
  for (size_t f = 0; f < h.head_size; f += kPanel) {
    multiply_panels<F32, Rows, 1>(scores, size.padded_keys, values + f * h.keys, h.keys,
                                  Ahead{values, values, 0}, sums);
    for (size_t r = 0; r < Rows; ++r) {
      float* out = h.out + (first_query + r) * h.out_stride + f;
      const Vector factor = broadcast(inverse_sum[r]);
      const size_t left = h.head_size - f;
      store_first(out, sums[r][0] * factor, left);
      if (left > kLanes) store_first(out + kLanes, sums[r][1] * factor, left - kLanes);
    }
  }
}

struct ChosenKeys {
  const AttentionHead& h;
  size_t first;
  const float* operator()(size_t r) const {
    return h.key + h.key_rows[first + r] * h.key_value_stride;
  }
};

struct QueryBlocks {
  const AttentionHead& h;
  const float* keys;
  const float* values;
  float* scores;

  template <size_t Rows>
  [[gnu::always_inline]] void run(size_t first) {
    attention_block<Rows>(h, first, keys, values, scores);
  }
};

inline void attention_head(const AttentionHead& h) {
  const AttentionScratch size(h.keys, h.head_size);
  float* const keys = h.scratch;
  float* const values = keys + round_up(size.key_floats(h.head_size), 16);
  float* const scores = values + round_up(size.value_floats(h.keys), 16);
  for (size_t first = 0; first < h.keys; first += kPanel) {
    const size_t count = h.keys - first < kPanel ? h.keys - first : kPanel;
    interleave(count, h.head_size, ChosenKeys{h, first}, keys + first * h.head_size);
  }
  for (size_t f = 0; f < h.head_size; f += kLanes)
    for (size_t k = 0; k < h.keys; ++k) {
      const float* from = h.value + h.key_rows[k] * h.key_value_stride + f;
      float* to = values + f / kPanel * kPanel * h.keys + k * kPanel + f % kPanel;
      store(to, load_first(from, h.head_size - f));
    }
  // The last panel may lack its second half altogether.
  if (size.padded_features - h.head_size >= kLanes)
    for (size_t k = 0; k < h.keys; ++k)
      store(values + (size.padded_features - kPanel) * h.keys + k * kPanel + kLanes, Vector{});
  QueryBlocks task{h, keys, values, scores};
  for_row_blocks(h.queries, task);
}

constexpr Attention kAttention{.scratch = attention_scratch, .head = attention_head};
