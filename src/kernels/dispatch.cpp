#include <cstdlib>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <klue/core/error.hpp>
#include <klue/kernels/kernels.hpp>

namespace klue::kernels {

extern const Table table_baseline;
#if defined(__x86_64__)
extern const Table table_avx2;
extern const Table table_avx512;
extern const Product product_avx512_bf16;
extern const Product product_avx_vnni;
extern const Product product_avx512_vnni;
#endif

namespace {

constexpr std::string_view kSpelling[] = {"baseline", "avx2", "avx512"};

std::vector<const Table*> find_available() {
  std::vector<const Table*> tables{&table_baseline};
#if defined(__x86_64__)
  __builtin_cpu_init();
  // These ask the operating system too: it has to save the wider registers.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&table_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      tables.push_back(&table_avx512);
  }
#endif
  return tables;
}

const Table& choose() {
  const char* wanted = std::getenv("KLUE_ISA");
  if (wanted == nullptr || *wanted == '\0') return *available().back();
  std::string names;
  for (const Table* table : available()) {
    const std::string_view name = kSpelling[static_cast<std::size_t>(table->isa)];
    if (name == wanted) return *table;
    names.append(names.empty() ? "" : ", ").append(name);
  }
  throw UnsupportedError("this processor or build has no such instruction set",
                         {.field = "KLUE_ISA", .expected = "one of " + names, .actual = wanted});
}

#if defined(__x86_64__)
// __builtin_cpu_supports does not know it in Clang 14. It uses AVX's registers, for which the
// operating system has been asked where AVX2 was chosen.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}
#endif

}  // namespace

std::span<const Table* const> available() {
  static const std::vector<const Table*> tables = find_available();
  return tables;
}

const Table& active() {
  static const Table& table = choose();
  return table;
}

const Product* product(Precision precision) {
  if (precision == Precision::f32) return active().f32;
#if defined(__x86_64__)
  if (active().isa == Isa::avx512) {
    if (precision == Precision::bf16 && __builtin_cpu_supports("avx512bf16"))
      return &product_avx512_bf16;
    if (precision == Precision::int8 && __builtin_cpu_supports("avx512vnni"))
      return &product_avx512_vnni;
  }
  if (active().isa == Isa::avx2 && precision == Precision::int8 && has_avx_vnni())
    return &product_avx_vnni;
#endif
  return nullptr;
}

}  // namespace klue::kernels
