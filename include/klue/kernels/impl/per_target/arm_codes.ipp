// How rows become signed codes: Arm's instructions for four products want a sign on both sides.

constexpr float kLeastCode = -128.0f;

[[gnu::always_inline]] inline void store_codes(std::uint8_t* to, Vector x) {
  const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(reinterpret_cast<float32x4_t>(x)));
  const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
  vst1_lane_s32(reinterpret_cast<std::int32_t*>(to), vreinterpret_s32_s8(bytes), 0);
}

[[gnu::always_inline]] inline void store_rounded(std::int32_t* to, Vector x) {
  vst1q_s32(to, vcvtnq_s32_f32(reinterpret_cast<float32x4_t>(x)));
}
