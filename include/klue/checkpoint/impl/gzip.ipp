#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include <klue/checkpoint/detail/gzip.hpp>
#include <klue/core/detail/anonymous_file.hpp>
#include <klue/core/detail/budget.hpp>
#include <klue/core/error.hpp>

#if KLUE_WITH_ZLIB
#include <zlib.h>
#endif

namespace klue::detail {

#if KLUE_WITH_ZLIB

namespace {

class Inflation {
 public:
  Inflation(const std::filesystem::path& file, std::span<const std::byte> compressed)
      : file_(file),
        rest_(compressed),
        allowed_(budget::kUnpackedPlus + compressed.size() * budget::kUnpackedTimes) {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;
  ~Inflation() { inflateEnd(&stream_); }

  MappedFile run() {
    do {
      inflate_member();
      // Members may follow one another; what pads a file to whole blocks is no member.
    } while (std::ranges::any_of(rest_, [](std::byte byte) { return byte != std::byte{0}; }));
    return plain_.map();
  }

 private:
  void inflate_member() {
    if (inflateReset(&stream_) != Z_OK) throw std::bad_alloc();
    for (int status = Z_OK; status != Z_STREAM_END;) {
      const std::size_t given = std::min<std::size_t>(rest_.size(), 1 << 30);
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      status = inflate(&stream_, Z_NO_FLUSH);
      rest_ = rest_.subspan(given - stream_.avail_in);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      keep(buffer_.size() - stream_.avail_out);
      if (status == Z_BUF_ERROR || (status == Z_OK && rest_.empty() && stream_.avail_out != 0))
        fail("the file is cut short", {});
      if (status != Z_OK && status != Z_STREAM_END)
        fail("the file is damaged", stream_.msg != nullptr ? stream_.msg : "");
    }
  }

  void keep(std::size_t size) {
    if (size > allowed_)
      fail("unpacks to more than weights do",
           std::to_string(budget::kUnpackedTimes) + " times its size");
    allowed_ -= size;
    plain_.append(std::span(buffer_).first(size));
  }

  [[noreturn]] void fail(const char* message, std::string actual) const {
    throw FormatError(message, {.file = file_.string(), .actual = std::move(actual)});
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> rest_;
  std::size_t allowed_;
  AnonymousFile plain_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(1 << 18);
  z_stream stream_{};
};

}  // namespace

MappedFile gunzip(const std::filesystem::path& file, std::span<const std::byte> compressed) {
  return Inflation(file, compressed).run();
}

#else

MappedFile gunzip(const std::filesystem::path& file, std::span<const std::byte>) {
  throw UnsupportedError("the file is compressed with gzip, and this build is without zlib",
                         {.file = file.string(), .expected = "a .tar, or the unpacked directory"});
}

#endif

}  // namespace klue::detail
