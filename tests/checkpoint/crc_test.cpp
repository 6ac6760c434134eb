#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <klue/checkpoint/detail/crc.hpp>

namespace klue {
using namespace detail;
namespace {

/// Both CRCs bit by bit, as the definition says.
std::uint32_t by_definition(std::uint32_t polynomial, std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
  }
  return ~crc;
}

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes)
    byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(Crc, GivesTheCheckValuesOfTheCatalogue) {
  const auto digits = std::as_bytes(std::span(std::string_view("123456789")));
  EXPECT_EQ(crc32(digits), 0xcbf43926u);
  EXPECT_EQ(crc32c(digits), 0xe3069283u);
  EXPECT_EQ(crc32c_portable(digits), 0xe3069283u);
  EXPECT_EQ(crc32({}), 0u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  const std::vector<std::byte> bytes = random_bytes(200);
  for (std::size_t begin = 0; begin < 17; ++begin)
    for (std::size_t size = 0; size + begin <= bytes.size(); ++size) {
      const auto part = std::span(bytes).subspan(begin, size);
      ASSERT_EQ(crc32(part), by_definition(0xEDB88320u, part));
      ASSERT_EQ(crc32c(part), by_definition(0x82F63B78u, part));
      ASSERT_EQ(crc32c_portable(part), by_definition(0x82F63B78u, part));
    }
}

TEST(Crc, AgreesWithTheDefinitionOnLongMessages) {
  const std::vector<std::byte> bytes = random_bytes(5 * 3 * 4096 + 77);  // several rounds of lanes
  for (const std::size_t size : {12287u, 12288u, 12289u, 24581u, 61517u}) {
    const auto part = std::span(bytes).first(size);
    EXPECT_EQ(crc32c(part), by_definition(0x82F63B78u, part));
    EXPECT_EQ(crc32c_portable(part), by_definition(0x82F63B78u, part));
    EXPECT_EQ(crc32(part), by_definition(0xEDB88320u, part));
  }
}

TEST(Crc, ContinuesWhereItStopped) {
  const std::vector<std::byte> bytes = random_bytes(40'000);
  for (const std::size_t cut : {0u, 1u, 15u, 13000u, 39999u}) {
    const auto first = std::span(bytes).first(cut), second = std::span(bytes).subspan(cut);
    EXPECT_EQ(crc32(second, crc32(first)), crc32(bytes));
    EXPECT_EQ(crc32c(second, crc32c(first)), crc32c(bytes));
    EXPECT_EQ(crc32c_portable(second, crc32c_portable(first)), crc32c(bytes));
  }
}

}  // namespace
}  // namespace klue
