#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace tools {

/// Bytes one after another, from a file, standard input, or another source.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Fills the beginning of `bytes` and returns how many; 0 at the end. Waits until there is at
  /// least one. Throws klue::IoError for what cannot be read, klue::FormatError for damaged
  /// compression and klue::StoppedError where it was stopped while waiting.
  virtual std::size_t read(std::span<char> bytes) = 0;

  /// Whether read would return at once.
  virtual bool ready() = 0;

  /// Bytes of the file that have been read, as they lie there.
  virtual std::uint64_t position() const = 0;
};

/// How messages call a file of the command line: "standard input" for "-".
std::string display_name(const std::string& file);

/// Opens a file, or standard input for "-". Throws klue::IoError; for a directory, too.
std::unique_ptr<ByteSource> open_file(const std::string& file, std::stop_token stop);

/// A source whose first bytes can be looked at before they are read.
class HeadSource final : public ByteSource {
 public:
  explicit HeadSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// The first bytes: `most`, or what there is. Where a line end is among fewer, it does not wait
  /// for more: whoever writes line by line may be waiting for an answer.
  std::string_view head(std::size_t most);

  /// Leaves out bytes of the head.
  void skip(std::size_t count);

  std::size_t read(std::span<char> bytes) override;
  bool ready() override { return begin_ < head_.size() || source_->ready(); }
  std::uint64_t position() const override { return source_->position(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::string head_;
  std::size_t begin_ = 0;
};

/// What gzip packed, one member after another, unpacked. `name` is for errors. Throws
/// klue::UnsupportedError in a build without zlib.
std::unique_ptr<ByteSource> unpack_gzip(std::unique_ptr<ByteSource> source,
                                        const std::string& name);

}  // namespace tools
