#include "common/line_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <klue/core/error.hpp>

namespace tools {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{1} << 18;
constexpr std::size_t kLongestLine = std::size_t{1} << 30;
constexpr std::size_t kHead = 4096;

struct Magic {
  std::string_view bytes;
  const char *what, *instead;
};
constexpr Magic kNoTexts[] = {
    {{"\x93NUMPY", 6}, "a NumPy array", "--vectors FILE searches in saved vectors"},
    {{"PK\x03\x04", 4}, "a zip archive", "unzip it first; spreadsheets: save as CSV"},
    {{"\x28\xB5\x2F\xFD", 4}, "packed with zstd", "zstd -dc FILE | … --input -"},
    {{"\xFD"
      "7zXZ\0",
      6},
     "packed with xz",
     "xz -dc FILE | … --input -"},
    {{"BZh", 3}, "packed with bzip2", "bzip2 -dc FILE | … --input -"},
    {{"PAR1", 4}, "a Parquet file", "save it as CSV or JSON lines"},
    {{"ARROW1", 6}, "an Arrow file", "save it as CSV or JSON lines"},
    {{"SQLite format 3\0", 16}, "an SQLite database", "save a table as CSV"},
    {{"%PDF-", 5}, "a PDF", "pdftotext FILE -"},
    {{"\x89PNG", 4}, "an image", "texts"},
    {{"\xFF\xD8\xFF", 3}, "an image", "texts"},
    {{"\x7F"
      "ELF",
      4},
     "a program",
     "texts"},
    {{"\xD0\xCF\x11\xE0", 4}, "an older Office document", "save it as CSV"},
};

[[noreturn]] void refuse(const std::string& name, const std::string& message,
                         std::string expected) {
  throw klue::FormatError(message, {.file = name, .expected = std::move(expected)});
}

[[noreturn]] void refuse_encoding(const std::string& name, const std::string& encoding) {
  if (encoding.empty())
    refuse(name, "is not UTF-8", "UTF-8, or --encoding NAME; --encoding UTF-8 takes it as it is");
  refuse(name, "is not UTF-8 but looks like " + encoding,
         "--encoding " + encoding + "; --encoding UTF-8 takes it as it is");
}

// What the first bytes say about a file that is to be text.
void check_head(std::string_view head, const std::string& name, bool guarded) {
  for (const Magic& magic : kNoTexts)
    if (head.starts_with(magic.bytes))
      refuse(name, std::string("is no text but ") + magic.what, magic.instead);
  if (!guarded) return;
  for (const std::string_view mark : {std::string_view("\xFE\xFF"), std::string_view("\xFF\xFE"),
                                      std::string_view("\0\0\xFE\xFF", 4)})
    if (head.starts_with(mark)) return;
  const auto nuls = static_cast<std::size_t>(std::ranges::count(head, '\0'));
  if (nuls == 0) return;
  if (const auto other = other_encoding(head)) refuse_encoding(name, *other);
  if (nuls * 50 > head.size() && head.size() >= 64)  // programs and arrays are full of them
    refuse(name, "is no text: it is full of NUL bytes",
           "texts; --encoding UTF-8 takes it as it is");
}

}  // namespace

void check_text(std::string_view content, const std::string& name) {
  const auto refuse_as = [&](const std::string& what) {
    refuse(name, "is no text in UTF-8 but " + what, "UTF-8, as iconv makes it");
  };
  for (const Magic& magic : kNoTexts)
    if (content.starts_with(magic.bytes))
      refuse(name, std::string("is no text but ") + magic.what, "a file of texts");
  if (content.starts_with("\x1F\x8B")) refuse(name, "is packed by gzip", "it unpacked");
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF")) refuse_as("UTF-16");
  const std::string_view head = content.substr(0, kHead);
  if (head.find('\0') != head.npos)
    if (const auto other = other_encoding(head)) refuse_as("looks like " + *other);
  EncodingGuard guard;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    if (const auto other = guard.look(content.substr(0, end)))
      refuse_as(other->empty() ? "something else" : "looks like " + *other);
    content.remove_prefix(std::min(end + 1, content.size()));
  }
}

LineReader::LineReader(const std::string& file, const std::string& encoding, std::stop_token stop)
    : name_(display_name(file)), guarded_(encoding.empty()) {
  auto head = std::make_unique<HeadSource>(open_file(file, std::move(stop)));
  if (head->head(2) == "\x1F\x8B")
    head = std::make_unique<HeadSource>(unpack_gzip(std::move(head), name_));
  check_head(head->head(kHead), name_, guarded_);
  source_ = decode_text(std::move(head), encoding);
}

bool LineReader::find_line() {
  if (found_) return true;
  for (;;) {
    const std::size_t end = buffer_.find('\n', std::max(searched_, begin_));
    if (end != buffer_.npos || (ended_ && begin_ < buffer_.size())) {
      line_end_ = std::min(end, buffer_.size());
      return found_ = true;
    }
    if (ended_) return false;
    searched_ = buffer_.size() - begin_;
    buffer_.erase(0, std::exchange(begin_, 0));
    if (buffer_.size() > kLongestLine)
      refuse(name_, "line " + std::to_string(line_ + 1) + " is longer than 1 GiB", "lines");
    // What a line of many megabytes needs grows with it, not with its square.
    const std::size_t before = buffer_.size();
    buffer_.resize(before + std::max(kReadAtOnce, before / 2));
    const std::size_t count = source_->read(std::span(buffer_).subspan(before));
    buffer_.resize(before + count);
    ended_ = count == 0;
  }
}

bool LineReader::peek(std::string_view& line) {
  if (!find_line()) return false;
  line = std::string_view(buffer_).substr(begin_, line_end_ - begin_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

bool LineReader::next(std::string_view& line) {
  if (!peek(line)) return false;
  found_ = false;
  begin_ = std::min(line_end_ + 1, buffer_.size());
  searched_ = begin_;
  ++line_;
  if (guarded_)
    if (const auto other = guard_.look(line)) refuse_encoding(name_, *other);
  return true;
}

bool LineReader::ready() {
  if (found_ || ended_) return true;
  const std::size_t end = buffer_.find('\n', std::max(searched_, begin_));
  if (end != buffer_.npos) return true;
  searched_ = buffer_.size();
  return source_->ready();
}

}  // namespace tools
