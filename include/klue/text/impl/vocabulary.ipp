#include <limits>
#include <unordered_map>
#include <utility>

#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/detail/mapped_file.hpp>
#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/vocabulary.hpp>

namespace klue {
namespace {

std::string line_name(std::size_t id) {
  return "line " + std::to_string(id + 1);
}

/// Long pieces are cut in messages, at a code point.
std::string shown_piece(std::string_view piece) {
  std::size_t end = piece.size();
  if (end > 40) {
    end = 40;
    while ((static_cast<unsigned char>(piece[end]) & 0xC0) == 0x80)
      --end;
  }
  return "\"" + std::string(piece.substr(0, end)) + (end < piece.size() ? "…\"" : "\"");
}

/// The next line without its end; `text` moves on behind it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

struct Vocabulary::Ids {
  std::unordered_map<std::string_view, std::int32_t> of;  // views into the pieces
};

Vocabulary::Vocabulary() noexcept = default;
Vocabulary::Vocabulary(Vocabulary&&) noexcept = default;
Vocabulary& Vocabulary::operator=(Vocabulary&&) noexcept = default;
Vocabulary::~Vocabulary() = default;

Vocabulary::Vocabulary(std::vector<std::string> pieces, std::string source)
    : pieces_(std::move(pieces)) {
  if (pieces_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw FormatError("too many pieces", {.file = source});
  auto ids = std::make_shared<Ids>();
  ids->of.reserve(pieces_.size());
  for (std::size_t id = 0; id < pieces_.size(); ++id) {
    const std::string& piece = pieces_[id];
    if (piece.empty()) continue;
    if (!is_valid_utf8(piece))
      throw FormatError("a piece is not valid UTF-8", {.file = source, .field = line_name(id)});
    const auto [first, added] = ids->of.emplace(piece, static_cast<std::int32_t>(id));
    if (!added)
      throw FormatError(
          "the piece " + shown_piece(piece) + " occurs twice",
          {.file = source,
           .field = line_name(id),
           .actual = "first on " + line_name(static_cast<std::size_t>(first->second))});
  }
  if (ids->of.empty()) throw FormatError("no pieces in the vocabulary", {.file = source});
  ids_ = std::move(ids);
}

Vocabulary Vocabulary::parse(std::string_view text, std::string source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());

  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.find('\0') != line.npos)
      throw FormatError("a NUL byte; vocab.txt is UTF-8 text, one piece a line",
                        {.file = std::move(source), .field = line_name(pieces.size())});
    pieces.emplace_back(line);
  }
  while (!pieces.empty() && pieces.back().empty())
    pieces.pop_back();
  return Vocabulary(std::move(pieces), std::move(source));
}

std::size_t Vocabulary::memory_bytes() const noexcept {
  return detail::heap_bytes(pieces_) + (ids_ ? sizeof(Ids) + detail::heap_bytes(ids_->of) : 0);
}

Vocabulary Vocabulary::read(const std::filesystem::path& path) {
  const detail::MappedFile file(path);
  const auto bytes = file.bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

const std::string& Vocabulary::piece(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= pieces_.size())
    throw UsageError("id outside the vocabulary",
                     {.field = "id",
                      .expected = "0…" + std::to_string(pieces_.size()) + " exclusive",
                      .actual = std::to_string(id)});
  return pieces_[static_cast<std::size_t>(id)];
}

std::optional<std::int32_t> Vocabulary::find(std::string_view piece) const {
  if (!ids_) return std::nullopt;
  const auto found = ids_->of.find(piece);
  if (found == ids_->of.end()) return std::nullopt;
  return found->second;
}

}  // namespace klue
