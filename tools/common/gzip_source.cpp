#include <utility>
#include <vector>

#include <klue/core/error.hpp>

#include "common/byte_source.hpp"

#if KLUE_WITH_ZLIB
#include <zlib.h>
#endif

namespace tools {

#if KLUE_WITH_ZLIB
namespace {

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> source, std::string name)
      : source_(std::move(source)), name_(std::move(name)), packed_(kBufferSize) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipSource() override { ::inflateEnd(&stream_); }

  std::size_t read(std::span<char> bytes) override {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_out = static_cast<uInt>(std::min(bytes.size(), kBufferSize));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0 && !refill()) {
        if (inside_) throw klue::FormatError("the gzip file is cut off", {.file = name_});
        return 0;
      }
      inside_ = true;
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result == Z_STREAM_END) {  // another member may follow
        inside_ = false;
        ::inflateReset(&stream_);
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        throw klue::FormatError("the gzip file is damaged",
                                {.file = name_, .actual = stream_.msg ? stream_.msg : ""});
      }
    }
    return room - stream_.avail_out;
  }

  bool ready() override { return stream_.avail_in != 0 || source_->ready(); }
  std::uint64_t position() const override { return source_->position(); }

 private:
  static constexpr std::size_t kBufferSize = std::size_t{1} << 18;

  bool refill() {
    const std::size_t count = source_->read(packed_);
    stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_in = static_cast<uInt>(count);
    return count != 0;
  }

  std::unique_ptr<ByteSource> source_;
  std::string name_;
  std::vector<char> packed_;
  z_stream stream_{};
  bool inside_ = false;  // a member has begun and not ended
};

}  // namespace

std::unique_ptr<ByteSource> unpack_gzip(std::unique_ptr<ByteSource> source,
                                        const std::string& name) {
  return std::make_unique<GzipSource>(std::move(source), name);
}

#else

std::unique_ptr<ByteSource> unpack_gzip(std::unique_ptr<ByteSource>, const std::string& name) {
  throw klue::UnsupportedError("is packed with gzip, and this build has no zlib: gzip -dc FILE | …",
                               {.file = name});
}

#endif

}  // namespace tools
