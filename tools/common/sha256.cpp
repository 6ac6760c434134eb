#include "common/sha256.hpp"

#include <array>
#include <new>
#include <utility>
#include <vector>

#include <openssl/evp.h>

#include "common/byte_source.hpp"

namespace tools {

struct Sha256::State {
  EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  State() {
    if (context == nullptr) throw std::bad_alloc();
  }
  ~State() { ::EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  ::EVP_DigestInit_ex(state_->context, ::EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  ::EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha256::hex() const {
  const State copy;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ::EVP_MD_CTX_copy_ex(copy.context, state_->context);
  ::EVP_DigestFinal_ex(copy.context, digest.data(), &size);
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text.push_back(kDigits[digest[i] >> 4]);
    text.push_back(kDigits[digest[i] & 15]);
  }
  return text;
}

std::string sha256_of_file(const std::filesystem::path& file) {
  const auto source = open_file(file.string(), {});
  std::vector<char> part(std::size_t{1} << 20);
  Sha256 hash;
  while (const std::size_t count = source->read(part))
    hash.add({part.data(), count});
  return hash.hex();
}

}  // namespace tools
