// Attention of one head in 16-bit whole numbers, for long texts in the precisions below float32.
// Queries and keys are rounded to 12 bits and a sign, each row by its own largest number, values to
// 10, each feature of 128 keys by its own, and weights to 14: finer than bfloat16. Needs
// attention.ipp. The files beside this folder that include it define
//   add_pairs(sums, x, w)        sums + the products of two 16-bit numbers x with pairs of them w
//
// Two numbers lie together in a 32-bit group. Those are i and i + kLanes of a chunk of 2 × kLanes,
// so that two vectors make one of groups without any shuffle; any order serves as long as both
// sides have the same.

// Shorter texts do too little with what is rounded to gain by it. It is a text's own length that
// decides, so that its bits do not depend on others.
constexpr size_t kFewestWordKeys = 256;

struct Words : StoredGroups {
  static constexpr Precision kPrecision = Precision::int8;
  using Sums = Integers;
  [[gnu::always_inline]] static Sums zero() { return Sums{}; }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector weights, Sums sums) {
    int group;
    __builtin_memcpy(&group, x, sizeof(group));
    return add_pairs(sums, group, reinterpret_cast<Integers>(weights));
  }
};

// Weights of 14 bits times values of 10 leave room in 32 bits for the sum of 128 products. Then
// sums become float32.
constexpr float kMostWeight = 16383.0f, kMostValue = 1023.0f;
constexpr size_t kKeysTogether = 128;
static_assert(16383ll * 1023 * kKeysTogether <= INT32_MAX && kKeysTogether % kPanel == 0);

// The largest of queries and keys: as much as the sum of so many products has room for.
inline float most_word(size_t products) {
  const int most = static_cast<int>(__builtin_sqrtf(2147483000.0f / static_cast<float>(products)));
  return static_cast<float>(most);
}

// Added to a number below 2^15, it leaves the nearest whole one in the low bits: 1.5 · 2^23.
constexpr float kShifter = 12582912.0f;

// Two vectors of such sums as one of groups.
[[gnu::always_inline]] inline Vector join_shifted(Vector low, Vector high) {
  return reinterpret_cast<Vector>((reinterpret_cast<Bits>(low) & 0xffffu) |
                                  reinterpret_cast<Bits>(high) << 16);
}

[[gnu::always_inline]] inline Vector join_words(Vector low, Vector high) {
  return join_shifted(low + broadcast(kShifter), high + broadcast(kShifter));
}

// Zeros past the end.
[[gnu::always_inline]] inline Vector load_present(const float* row, size_t first, size_t count) {
  return first < count ? load_first(row + first, count - first) : Vector{};
}

// What the largest number is divided by to be `most`; what is far too small is nothing.
inline float word_scale(float largest, float most) {
  return largest > 1e-30f ? largest / most : 1.0f;
}

// `groups` groups of a row of `count` numbers; returns what 1 stands for.
inline float to_words(const float* row, size_t count, float most, size_t groups, float* to) {
  Vector largest{};
  for (size_t i = 0; i < count; i += kLanes)
    largest = maximum(largest, absolute(load_first(row + i, count - i)));
  const float scale = word_scale(reduce<Most>(largest), most);
  const Vector inverse = broadcast(1.0f / scale);
  for (size_t g = 0; g < groups; g += kLanes)
    store(to + g, join_words(load_present(row, 2 * g, count) * inverse,
                             load_present(row, 2 * g + kLanes, count) * inverse));
  return scale;
}

// How a head lies in its scratch, in 32-bit numbers.
struct WordsOfHead {
  size_t groups, padded_keys, padded_features, score_stride, floats;
  float *keys, *key_scales, *values, *value_scales, *queries, *scores;

  WordsOfHead(size_t key_count, size_t head_size, float* scratch)
      : groups(round_up(head_size, kPanel) / 2),
        padded_keys(round_up(key_count, kPanel)),
        padded_features(round_up(head_size, kPanel)),
        // Rows a multiple of 2 KiB apart would share a few sets of the nearest cache.
        score_stride(padded_keys + kLineNumbers),
        floats(0) {
    keys = take(scratch, padded_keys * groups);
    key_scales = take(scratch, padded_keys);
    values = take(scratch, padded_keys / 2 * padded_features);
    value_scales =
        take(scratch, round_up(key_count, kKeysTogether) / kKeysTogether * padded_features);
    queries = take(scratch, kMaxRows * groups);
    // Also the place of a panel's keys before they are interleaved.
    const size_t rows = kMaxRows * score_stride, panel = kPanel * groups;
    scores = take(scratch, rows > panel ? rows : panel);
  }

 private:
  // Each part starts on a cache line. Without any scratch they are only counted.
  float* take(float* scratch, size_t count) {
    float* const part = scratch == nullptr ? nullptr : scratch + floats;
    floats += round_up(count, kLineNumbers);
    return part;
  }
};

// Weights exp((score − most) × factor) of a row, as groups in the place of its scores; returns
// 1 / their sum.
[[gnu::always_inline]] inline float weigh_words(float* scores, size_t count, Vector most,
                                                float factor) {
  constexpr float kLog2E = 1.44269504088896340736f;
  constexpr float kWeightBits = 13.99991195f;  // log₂ kMostWeight
  const Vector by = broadcast(factor * kLog2E);
  const Vector shift = broadcast(reduce<Most>(most)), shifter = broadcast(kShifter);
  Vector sum{};
  for (size_t i = 0; i < count; i += kPanel) {
    Vector e[2];
    for (size_t half = 0; half < 2; ++half)
      e[half] = maximum((load(scores + i + half * kLanes) - shift) * by, broadcast(-100.0f)) +
                broadcast(kWeightBits);
    exp2<Close>(e);
    e[0] = e[0] + shifter;
    e[1] = e[1] + shifter;
    store(scores + i / 2, join_shifted(e[0], e[1]));
    sum = sum + ((e[0] - shifter) + (e[1] - shifter));
  }
  return 1.0f / reduce<Sum>(sum);
}

// The rows of a head are too far apart for a processor to foresee.
[[gnu::always_inline]] inline void fetch_row(const AttentionHead& h, const float* row) {
  for (size_t f = 0; f < h.head_size; f += kLineNumbers)
    __builtin_prefetch(row + f, 0, 3);
}

template <size_t Rows>
[[gnu::noinline]] void word_block(const AttentionHead& h, const WordsOfHead& w, float most,
                                  size_t first_query) {
  for (size_t r = first_query + Rows; r < first_query + 2 * Rows && r < h.queries; ++r)
    fetch_row(h, h.query + r * h.query_stride);
  float row_scale[Rows];
  for (size_t r = 0; r < Rows; ++r)
    row_scale[r] = to_words(h.query + (first_query + r) * h.query_stride, h.head_size, most,
                            w.groups, w.queries + r * w.groups);
  Integers sums[Rows][2];
  Vector largest[Rows];
  for (size_t r = 0; r < Rows; ++r)
    largest[r] = broadcast(-__FLT_MAX__);
  for (size_t k = 0; k < w.padded_keys; k += kPanel) {
    const float* const panel = w.keys + k * w.groups;
    multiply_panels<Words, Rows, 1>(w.queries, w.groups, panel, w.groups, Ahead{panel, panel, 0},
                                    sums);
    for (size_t half = 0; half < 2; ++half) {
      const Vector mask = key_mask(h.keys - k, half * kLanes);
      const Vector scale = load(w.key_scales + k + half * kLanes);
      for (size_t r = 0; r < Rows; ++r) {
        const Vector score =
            multiply_add(__builtin_convertvector(sums[r][half], Vector), scale, mask);
        store(w.scores + r * w.score_stride + k + half * kLanes, score);
        largest[r] = maximum(largest[r], score);
      }
    }
  }
  float inverse_sum[Rows];
  for (size_t r = 0; r < Rows; ++r)
    inverse_sum[r] = weigh_words(w.scores + r * w.score_stride, w.padded_keys, largest[r],
                                 h.scale * row_scale[r]);
  const size_t key_groups = w.padded_keys / 2, together = kKeysTogether / 2;
  for (size_t f = 0; f < h.head_size; f += kPanel) {
    Vector out[Rows][2];
    for (size_t r = 0; r < Rows; ++r)
      out[r][0] = out[r][1] = Vector{};
    const float* scales = w.value_scales + f;
    for (size_t g = 0; g < key_groups; g += together, scales += w.padded_features) {
      const float* const panel = w.values + f * key_groups + g * kPanel;
      const size_t count = key_groups - g < together ? key_groups - g : together;
      multiply_panels<Words, Rows, 1>(w.scores + g, w.score_stride, panel, count,
                                      Ahead{panel, panel, 0}, sums);
      for (size_t r = 0; r < Rows; ++r)
        for (size_t half = 0; half < 2; ++half)
          out[r][half] = multiply_add(__builtin_convertvector(sums[r][half], Vector),
                                      load(scales + half * kLanes), out[r][half]);
    }
    for (size_t r = 0; r < Rows; ++r) {
      float* to = h.out + (first_query + r) * h.out_stride + f;
      const Vector factor = broadcast(inverse_sum[r]);
      const size_t left = h.head_size - f;
      store_first(to, out[r][0] * factor, left);
      if (left > kLanes) store_first(to + kLanes, out[r][1] * factor, left - kLanes);
    }
  }
}

[[gnu::always_inline]] inline void fetch_key_row(const AttentionHead& h, const float* rows,
                                                 size_t k) {
  if (k < h.keys) fetch_row(h, rows + h.key_rows[k] * h.key_value_stride);
}

inline void pack_words_of_keys(const AttentionHead& h, const WordsOfHead& w, float most) {
  // Where scores will be.
  float* const rows = w.scores;
  for (size_t first = 0; first < h.keys; first += kPanel) {
    const size_t count = h.keys - first < kPanel ? h.keys - first : kPanel;
    const ChosenKeys chosen{h, first};
    for (size_t k = first + kPanel; k < first + 2 * kPanel; ++k)
      fetch_key_row(h, h.key, k);
    for (size_t r = 0; r < count; ++r)
      w.key_scales[first + r] =
          to_words(chosen(r), h.head_size, most, w.groups, rows + r * w.groups);
    for (size_t r = count; r < kPanel; ++r)
      w.key_scales[first + r] = 0.0f;
    interleave(count, w.groups, EvenRows{rows, w.groups}, w.keys + first * w.groups);
  }
}

// One vector of features of the value of key k.
[[gnu::always_inline]] inline Vector load_value(const AttentionHead& h, size_t k, size_t feature) {
  if (k >= h.keys || feature >= h.head_size) return Vector{};
  return load_first(h.value + h.key_rows[k] * h.key_value_stride + feature, h.head_size - feature);
}

inline void pack_words_of_block(const AttentionHead& h, const WordsOfHead& w, size_t block,
                                size_t end, float* scales) {
  for (size_t f = 0; f < w.padded_features; f += kLanes)
    store(scales + f, Vector{});
  // Key by key, because their rows are far apart.
  for (size_t k = block; k < end; ++k) {
    fetch_key_row(h, h.value, k + kPanel);
    for (size_t f = 0; f < h.head_size; f += kLanes)
      store(scales + f, maximum(load(scales + f), absolute(load_value(h, k, f))));
  }
  for (size_t f = 0; f < w.padded_features; ++f)
    scales[f] = word_scale(scales[f], kMostValue);
  for (size_t k = block; k < end; k += kPanel)
    for (size_t i = 0; i < kLanes; ++i)
      for (size_t f = 0; f < w.padded_features; f += kLanes) {
        const Vector inverse = broadcast(1.0f) / load(scales + f);
        float* const to = w.values + f / kPanel * kPanel * (w.padded_keys / 2) +
                          (k / 2 + i) * kPanel + f % kPanel;
        store(to, join_words(load_value(h, k + i, f) * inverse,
                             load_value(h, k + kLanes + i, f) * inverse));
      }
}

// Block by block, so that the second look at a value finds it near.
inline void pack_words_of_values(const AttentionHead& h, const WordsOfHead& w) {
  float* scales = w.value_scales;
  for (size_t block = 0; block < w.padded_keys; block += kKeysTogether) {
    const size_t left = w.padded_keys - block;
    const size_t end = block + (left < kKeysTogether ? left : kKeysTogether);
    pack_words_of_block(h, w, block, end, scales);
    scales += w.padded_features;
  }
}

struct WordBlocks {
  const AttentionHead& h;
  const WordsOfHead& w;
  float most;

  template <size_t Rows>
  [[gnu::always_inline]] void run(size_t first) {
    word_block<Rows>(h, w, most, first);
  }
};

inline void word_attention(const AttentionHead& h) {
  if (h.keys < kFewestWordKeys) return attention_head(h);
  const WordsOfHead w(h.keys, h.head_size, h.scratch);
  const float most = most_word(2 * w.groups);
  pack_words_of_keys(h, w, most);
  pack_words_of_values(h, w);
  WordBlocks task{h, w, most};
  for_row_blocks(h.queries, task);
}

inline size_t word_attention_scratch(size_t keys, size_t head_size) {
  const size_t shorter = keys < kFewestWordKeys ? keys : kFewestWordKeys - 1;
  const size_t least = attention_scratch(shorter, head_size);
  if (keys < kFewestWordKeys) return least;
  const size_t floats = WordsOfHead(keys, head_size, nullptr).floats;
  return floats > least ? floats : least;
}

constexpr Attention kWordAttention{.scratch = word_attention_scratch, .head = word_attention};
