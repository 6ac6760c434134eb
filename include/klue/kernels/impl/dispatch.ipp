// Chooses among the targets. Included after them.

#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include <klue/core/error.hpp>
#include <klue/kernels/detail/kernels.hpp>

namespace klue::kernels {
namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports does not know it in Clang 14. It uses AVX's registers, for which the
// operating system has been asked where AVX2 was chosen.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}
#endif

std::vector<Table> find_tables() {
  std::vector<Table> tables{baseline::kTable};
#if defined(__x86_64__)
  __builtin_cpu_init();
  // These ask the operating system too: it has to save the wider registers.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return tables;
  tables.push_back(avx2::kTable);
  if (has_avx_vnni()) {
    Table& table = tables.emplace_back(avx2::kTable);
    table.isa = Isa::avx_vnni;
    table.name = "AVX2 with AVX_VNNI";
    table.int8 = &avx_vnni::kInt8;
    table.low_attention = &avx_vnni::kWordAttention;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    Table& table = tables.emplace_back(avx512::kTable);
    if (__builtin_cpu_supports("avx512bf16")) {
      table.bf16 = &avx512_bf16::kBf16;
      table.automatic = Precision::bf16;
    }
    if (__builtin_cpu_supports("avx512vnni")) {
      table.int8 = &avx512_vnni::kInt8;
      table.low_attention = &avx512_vnni::kWordAttention;
      table.automatic = Precision::int8;
    }
  }
#elif defined(__aarch64__) && defined(__linux__)
  // Bits of Linux' interface to user space, which older headers of it do not name.
  constexpr unsigned long kDotprod = 1ul << 20;                  // of AT_HWCAP
  constexpr unsigned long kI8mm = 1ul << 13, kBf16 = 1ul << 14;  // of AT_HWCAP2
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  if ((first & kDotprod) == 0) return tables;
  Table table = baseline::kTable;
  table.isa = Isa::dotprod;
  table.name = "Advanced SIMD with DotProd";
  table.int8 = &dotprod::kInt8;
  table.automatic = Precision::int8;
  tables.push_back(table);
  if ((second & kI8mm) == 0) return tables;
  table.isa = Isa::i8mm;
  table.name = "Advanced SIMD with I8MM";
  table.int8 = &i8mm::kInt8;
  if ((second & kBf16) != 0) table.bf16 = &arm_bf16::kBf16;
  tables.push_back(table);
#endif
  return tables;
}

const Table& choose_table() {
  const char* wanted = std::getenv("KLUE_ISA");
  if (wanted == nullptr || *wanted == '\0') return *available().back();
  std::string names;
  for (const Table* table : available()) {
    const std::string_view name = isa_name(table->isa);
    if (name == wanted) return *table;
    names.append(names.empty() ? "" : ", ").append(name);
  }
  throw UnsupportedError("this processor or build has no such instruction set",
                         {.field = "KLUE_ISA", .expected = "one of " + names, .actual = wanted});
}

}  // namespace

std::span<const Table* const> available() {
  static const std::vector<Table> tables = find_tables();
  static const std::vector<const Table*> pointers = [] {
    std::vector<const Table*> all;
    for (const Table& table : tables)
      all.push_back(&table);
    return all;
  }();
  return pointers;
}

const Table& active() {
  static const Table& table = choose_table();
  return table;
}

const Product& product(Precision precision) {
  return product_of(active(), precision);
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::baseline:
      return "baseline";
    case Isa::avx2:
      return "avx2";
    case Isa::avx_vnni:
      return "avx_vnni";
    case Isa::avx512:
      return "avx512";
    case Isa::dotprod:
      return "dotprod";
    case Isa::i8mm:
      return "i8mm";
  }
  return "";
}

std::string describe(const Table& table, Precision precision) {
  std::string text = std::string(table.name) + ", " + std::string(precision_name(precision));
  if (precision != Precision::f32) text.append(" by ").append(product_of(table, precision).form);
  return text;
}

}  // namespace klue::kernels
