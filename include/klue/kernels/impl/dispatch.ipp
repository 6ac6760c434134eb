// Chooses among the targets. Included after them.

#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <klue/core/error.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::kernels {
namespace {

constexpr std::string_view kIsaSpelling[] = {"baseline", "avx2", "avx512"};

std::vector<const Table*> find_tables() {
  std::vector<const Table*> tables{&baseline::kTable};
#if defined(__x86_64__)
  __builtin_cpu_init();
  // These ask the operating system too: it has to save the wider registers.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&avx2::kTable);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      tables.push_back(&avx512::kTable);
  }
#endif
  return tables;
}

const Table& choose_table() {
  const char* wanted = std::getenv("KLUE_ISA");
  if (wanted == nullptr || *wanted == '\0') return *available().back();
  std::string names;
  for (const Table* table : available()) {
    const std::string_view name = kIsaSpelling[static_cast<std::size_t>(table->isa)];
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
  static const std::vector<const Table*> tables = find_tables();
  return tables;
}

const Table& active() {
  static const Table& table = choose_table();
  return table;
}

const Product* product(Precision precision) {
  if (precision == Precision::f32) return active().f32;
#if defined(__x86_64__)
  if (active().isa == Isa::avx512) {
    if (precision == Precision::bf16 && __builtin_cpu_supports("avx512bf16"))
      return &avx512_bf16::kBf16;
    if (precision == Precision::int8 && __builtin_cpu_supports("avx512vnni"))
      return &avx512_vnni::kInt8;
  }
  if (active().isa == Isa::avx2 && precision == Precision::int8 && has_avx_vnni())
    return &avx_vnni::kInt8;
#endif
  return nullptr;
}

}  // namespace klue::kernels
