#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klue/core/error.hpp>
#include <klue/hub/detail/cache.hpp>
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

/// A file that is read once from its beginning to its end.
class HashedFile {
 public:
  explicit HashedFile(const std::filesystem::path& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw_system_error("cannot open the file", path);
  }
  HashedFile(const HashedFile&) = delete;
  HashedFile& operator=(const HashedFile&) = delete;
  ~HashedFile() { ::close(descriptor_); }

  std::uint64_t size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) throw_system_error("cannot read the size", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  /// Empty at the end.
  std::span<const unsigned char> next() {
    while (true) {
      const ssize_t size = ::read(descriptor_, part_.data(), part_.size());
      if (size >= 0) return {part_.data(), static_cast<std::size_t>(size)};
      if (errno != EINTR) throw_system_error("cannot read the file", path_);
    }
  }

 private:
  const std::filesystem::path& path_;
  int descriptor_;
  std::array<unsigned char, std::size_t{1} << 16> part_;
};

std::string digest(const EVP_MD* algorithm, std::string_view header, HashedFile& file) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned size = 0;
  require(EVP_DigestInit_ex(context.get(), algorithm, nullptr));
  require(EVP_DigestUpdate(context.get(), header.data(), header.size()));
  for (auto part = file.next(); !part.empty(); part = file.next())
    require(EVP_DigestUpdate(context.get(), part.data(), part.size()));
  require(EVP_DigestFinal_ex(context.get(), value.data(), &size));
  return hexadecimal({value.data(), size});
}

}  // namespace

std::string sha256_of(const std::filesystem::path& file) {
  HashedFile content(file);
  return digest(EVP_sha256(), "", content);
}

std::string git_hash_of(const std::filesystem::path& file) {
  HashedFile content(file);
  const std::string header = "blob " + std::to_string(content.size()) + '\0';
  return digest(EVP_sha1(), header, content);
}

}  // namespace klue::hub::detail
