#include <array>
#include <memory>
#include <span>
#include <string_view>

#include <openssl/evp.h>

#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/hub/detail/digest.hpp>

namespace klue::hub::detail {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

void require(int done) {
  // FIPS builds of OpenSSL may lack SHA-1.
  if (done != 1) throw UnsupportedError("this OpenSSL cannot compute the hash of a file");
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes)
    text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

std::string digest(const EVP_MD* algorithm, std::string_view header,
                   std::span<const std::byte> content) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned size = 0;
  require(EVP_DigestInit_ex(context.get(), algorithm, nullptr));
  require(EVP_DigestUpdate(context.get(), header.data(), header.size()));
  require(EVP_DigestUpdate(context.get(), content.data(), content.size()));
  require(EVP_DigestFinal_ex(context.get(), value.data(), &size));
  return hexadecimal({value.data(), size});
}

}  // namespace

std::string sha256_of(const std::filesystem::path& file) {
  const klue::detail::MappedFile content(file);
  return digest(EVP_sha256(), "", content.bytes());
}

std::string git_hash_of(const std::filesystem::path& file) {
  const klue::detail::MappedFile content(file);
  const std::string header = "blob " + std::to_string(content.bytes().size()) + '\0';
  return digest(EVP_sha1(), header, content.bytes());
}

}  // namespace klue::hub::detail
