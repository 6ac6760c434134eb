#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/error.hpp>
#include <klue/core/utf8.hpp>
#include <klue/text/detail/added_tokens.hpp>
#include <klue/text/detail/char_table.hpp>
#include <klue/text/detail/char_traits.hpp>
#include <klue/text/detail/normalizer.hpp>
#include <klue/text/detail/tokenizer_files.hpp>
#include <klue/text/detail/word_splitter.hpp>
#include <klue/text/detail/wordpiece.hpp>
#include <klue/text/tokenizer.hpp>

namespace klue::detail {

/// Which tokens of a text go into one window.
struct TokenRange {
  std::size_t begin = 0, end = 0;
};

}  // namespace klue::detail

namespace klue {
namespace {

using detail::AddedToken;
using detail::TemplatePiece;
using detail::TokenizerConfig;

/// All ids with their names: the model's pieces and the added tokens beside them.
Vocabulary with_added_tokens(const Vocabulary& model, const std::vector<AddedToken>& added,
                             const std::string& source) {
  std::vector<std::string> pieces = model.pieces();
  for (const AddedToken& token : added) {
    const auto id = static_cast<std::size_t>(token.id);
    if (id >= pieces.size()) pieces.resize(id + 1);
    if (!pieces[id].empty() && pieces[id] != token.content)
      throw FormatError("an added token has the id of another piece",
                        {.file = source,
                         .field = "added token \"" + token.content + "\"",
                         .actual = "id " + std::to_string(id) + ", \"" + pieces[id] + "\""});
    pieces[id] = token.content;
  }
  return Vocabulary(std::move(pieces), source);
}

std::int32_t required(const Vocabulary& vocabulary, const std::string& token, const char* role,
                      const std::string& source) {
  const auto id = vocabulary.find(token);
  if (!id)
    throw FormatError("the special token \"" + token + "\" is not in the vocabulary",
                      {.file = source, .field = role});
  return *id;
}

SpecialIds special_ids_of(const Vocabulary& vocabulary, const TokenizerConfig& config,
                          const std::string& source) {
  return {.unk = required(vocabulary, config.unk_token, "unk_token", source),
          .cls = required(vocabulary, config.cls_token, "cls_token", source),
          .sep = required(vocabulary, config.sep_token, "sep_token", source),
          .pad = required(vocabulary, config.pad_token, "pad_token", source),
          .mask = vocabulary.find(config.mask_token)};
}

/// A special token of a template that has no row in the embeddings would read past their end.
void check_template_ids(const std::vector<TemplatePiece>& pieces, const Vocabulary& vocabulary,
                        const std::string& source) {
  for (const TemplatePiece& piece : pieces)
    for (const std::int32_t id : piece.ids)
      if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.size())
        throw FormatError("a special token's id is outside the vocabulary",
                          {.file = source,
                           .field = "post_processor",
                           .expected = "below " + std::to_string(vocabulary.size()),
                           .actual = std::to_string(id)});
}

/// A limit that leaves no room for a single text would make every call fail.
void check_limit(const TokenizerConfig& config, std::size_t special, const std::string& source) {
  if (config.model_max_length && *config.model_max_length < std::max<std::size_t>(special, 1))
    throw FormatError("no room for the special tokens",
                      {.file = source,
                       .field = "the tokenizer's maximum length",
                       .expected = "at least " + std::to_string(std::max<std::size_t>(special, 1)),
                       .actual = std::to_string(*config.model_max_length)});
}

std::size_t special_count(const std::vector<TemplatePiece>& pieces) {
  std::size_t count = 0;
  for (const TemplatePiece& piece : pieces)
    if (piece.kind == TemplatePiece::Kind::special) count += piece.ids.size();
  return count;
}

/// Which text a template puts first.
TemplatePiece::Kind leading_text(const std::vector<TemplatePiece>& pieces) {
  const auto text = std::ranges::find_if(pieces, [](const TemplatePiece& piece) {
    return piece.kind != TemplatePiece::Kind::special;
  });
  return text == pieces.end() ? TemplatePiece::Kind::first_text : text->kind;
}

using Window = detail::TokenRange;

/// What is kept of a text of which only `kept` tokens fit.
Window kept_window(std::size_t size, std::size_t kept, TruncationSide cut) {
  return cut == TruncationSide::right ? Window{0, kept} : Window{size - kept, size};
}

/// The windows of such a text: the first is what is kept, the others go on from it towards the end
/// that is cut, each with `stride` tokens in common with the one before.
std::vector<Window> windows_of(std::size_t size, std::size_t kept, std::size_t stride,
                               TruncationSide cut) {
  if (kept >= size) return {{0, size}};
  if (kept == 0) return {{0, 0}, {0, size}};  // as the reference does: the rest is one window
  if (stride >= kept)
    throw UsageError("the stride must be smaller than what is kept of the text",
                     {.field = "stride",
                      .expected = "below " + std::to_string(kept),
                      .actual = std::to_string(stride)});
  std::vector<Window> windows;
  for (std::size_t done = 0;; done += kept - stride) {
    const std::size_t length = std::min(kept, size - done);
    if (cut == TruncationSide::right)
      windows.push_back({done, done + length});
    else
      windows.push_back({size - done - length, size - done});
    if (done + length == size) return windows;
  }
}

/// What added tokens of the window have matched goes with them; `at` is where the window begins.
void append(std::vector<MatchedText>& to, const std::vector<MatchedText>& from, Window window,
            std::size_t at) {
  auto next = std::ranges::lower_bound(from, window.begin, {}, &MatchedText::token);
  for (; next != from.end() && next->token < window.end; ++next)
    to.push_back({next->token - window.begin + at, next->text});
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from, Window window) {
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(window.begin),
            from.begin() + static_cast<std::ptrdiff_t>(window.end));
}

/// One row: the template filled with a window of each text.
Encoding fill(const std::vector<TemplatePiece>& pieces, const Tokens* const (&texts)[2],
              const Window (&windows)[2], bool add_special_tokens) {
  Encoding row;
  const std::size_t size = (windows[0].end - windows[0].begin) +
                           (windows[1].end - windows[1].begin) + special_count(pieces);
  row.ids.reserve(size);
  row.type_ids.reserve(size);
  row.offsets.reserve(size);
  row.special_tokens_mask.reserve(size);
  row.word_ids.reserve(size);
  row.sequence_ids.reserve(size);
  for (const TemplatePiece& piece : pieces) {
    if (piece.kind == TemplatePiece::Kind::special) {
      if (!add_special_tokens) continue;
      row.ids.insert(row.ids.end(), piece.ids.begin(), piece.ids.end());
      row.offsets.resize(row.ids.size());
      row.special_tokens_mask.resize(row.ids.size(), 1);
      row.word_ids.resize(row.ids.size(), -1);
      row.sequence_ids.resize(row.ids.size(), -1);
    } else {
      const int which = piece.kind == TemplatePiece::Kind::first_text ? 0 : 1;
      append(row.matched_texts, texts[which]->matched_texts, windows[which], row.ids.size());
      append(row.ids, texts[which]->ids, windows[which]);
      append(row.offsets, texts[which]->offsets, windows[which]);
      append(row.word_ids, texts[which]->word_ids, windows[which]);
      row.special_tokens_mask.resize(row.ids.size(), 0);
      row.sequence_ids.resize(row.ids.size(), which);
    }
    row.type_ids.resize(row.ids.size(), piece.type_id);
  }
  row.attention_mask.resize(row.ids.size(), 1);
  return row;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::size_t at = text.find(from), done = 0;
  if (at == text.npos) return;
  std::string result;
  for (; at != text.npos; at = text.find(from, done)) {
    result.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  text = result.append(text, done);
}

/// The artefacts of English tokenization that the WordPiece decoder mends, one token at a time.
void mend_token(std::string& token) {
  constexpr std::pair<std::string_view, std::string_view> kMends[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kMends)
    replace_all(token, from, to);
}

}  // namespace

struct Tokenizer::Impl {
  Impl(detail::TokenizerFiles files, Dialect dialect_)
      : dialect(dialect_),
        config(std::move(files.config)),
        vocabulary(with_added_tokens(files.vocabulary, config.added_tokens, files.source)),
        special_ids(special_ids_of(vocabulary, config, files.source)),
        words(files.vocabulary, config, dialect, special_ids.unk) {
    check_template_ids(config.single, vocabulary, files.source);
    check_template_ids(config.pair, vocabulary, files.source);
    check_limit(config, special_count(config.single), files.source);
    for (const AddedToken& token : config.added_tokens)
      if (token.special) special_tokens.push_back(token.id);
    std::sort(special_tokens.begin(), special_tokens.end());
  }

  // WordPiece's decoder.
  std::string join(const std::vector<std::string_view>& tokens,
                   std::optional<bool> clean_up) const {
    const bool clean = clean_up.value_or(config.decoder_cleanup);
    const auto& prefix = config.decoder_prefix;
    std::string text, part;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool joins = i > 0 && prefix && tokens[i].starts_with(*prefix);
      part.clear();
      if (i > 0 && !joins) part.push_back(' ');
      part.append(tokens[i], joins ? prefix->size() : 0);
      if (clean) mend_token(part);
      text += part;
    }
    return text;
  }

  Dialect dialect;
  TokenizerConfig config;
  Vocabulary vocabulary;
  SpecialIds special_ids;
  detail::WordSplitter words;
  std::vector<std::int32_t> special_tokens;  // what decode may skip, sorted
};

Tokenizer Tokenizer::load(const std::filesystem::path& directory, Dialect dialect) {
  return Tokenizer(detail::read_tokenizer_files(directory), dialect);
}
Tokenizer::Tokenizer(detail::TokenizerFiles files, Dialect dialect)
    : impl_(std::make_unique<const Impl>(std::move(files), dialect)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::size_t Tokenizer::memory_bytes() const noexcept {
  return sizeof(Impl) + impl_->vocabulary.memory_bytes() + impl_->words.memory_bytes() +
         detail::added_token_bytes(impl_->config.added_tokens) +
         detail::heap_bytes(impl_->special_tokens);
}

const Vocabulary& Tokenizer::vocabulary() const noexcept {
  return impl_->vocabulary;
}
const detail::TokenizerConfig& Tokenizer::config() const noexcept {
  return impl_->config;
}
const SpecialIds& Tokenizer::special_ids() const noexcept {
  return impl_->special_ids;
}
Dialect Tokenizer::dialect() const noexcept {
  return impl_->dialect;
}

void Tokenizer::tokenize(std::string_view text, Tokens& tokens) const {
  tokens.ids.clear();
  tokens.offsets.clear();
  tokens.word_ids.clear();
  tokens.matched_texts.clear();
  impl_->words.split(text, tokens);
}

Tokens Tokenizer::tokenize(std::string_view text) const {
  Tokens tokens;
  impl_->words.split(text, tokens);
  return tokens;
}

namespace {

/// How many tokens of each text are kept. Throws UsageError where they cannot be cut as asked.
std::array<std::size_t, 2> kept_lengths(const Tokens& first, const Tokens& second, bool is_pair,
                                        const EncodeOptions& options, std::size_t special) {
  std::vector<std::size_t> kept{first.size()};
  if (is_pair) kept.push_back(second.size());
  if (options.max_length) {
    if (*options.max_length < special)
      throw UsageError("no room for the special tokens",
                       {.field = "max_length",
                        .expected = "at least " + std::to_string(special),
                        .actual = std::to_string(*options.max_length)});
    kept = truncated_lengths(kept, *options.max_length - special, options.truncation);
  }
  kept.resize(2);
  return {kept[0], kept[1]};
}

}  // namespace

struct EncodingWindows::Impl {
  Tokens first, second;
  const std::vector<TemplatePiece>* pieces;
  std::vector<detail::TokenRange> first_windows, second_windows;
  bool add_special_tokens;
};

EncodingWindows::EncodingWindows(std::shared_ptr<const Impl> impl) noexcept
    : impl_(std::move(impl)) {}
EncodingWindows::EncodingWindows(EncodingWindows&&) noexcept = default;
EncodingWindows& EncodingWindows::operator=(EncodingWindows&&) noexcept = default;
EncodingWindows::~EncodingWindows() = default;

std::size_t EncodingWindows::size() const noexcept {
  return impl_->first_windows.size() * impl_->second_windows.size();
}

// The order of the reference: the first windows of both, every further window of the text that
// stands first with all of the other, then its first window with the further ones of the other.
Encoding EncodingWindows::operator[](std::size_t i) const {
  const bool first_leads = leading_text(*impl_->pieces) == TemplatePiece::Kind::first_text;
  const auto& leading = first_leads ? impl_->first_windows : impl_->second_windows;
  const auto& following = first_leads ? impl_->second_windows : impl_->first_windows;
  const std::size_t columns = following.size(), others = (leading.size() - 1) * columns;
  const bool of_first = i == 0 || i > others;
  const Window one = leading[of_first ? 0 : 1 + (i - 1) / columns];
  const Window other = following[i == 0 ? 0 : of_first ? i - others : (i - 1) % columns];
  const Tokens* const texts[2] = {&impl_->first, &impl_->second};
  const Window windows[2] = {first_leads ? one : other, first_leads ? other : one};
  return fill(*impl_->pieces, texts, windows, impl_->add_special_tokens);
}

EncodingWindows Tokenizer::windows(std::string_view text, std::optional<std::string_view> pair,
                                   const EncodeOptions& options) const {
  const auto& pieces = pair ? impl_->config.pair : impl_->config.single;
  const std::size_t special = options.add_special_tokens ? special_count(pieces) : 0;
  const TruncationSide cut = options.truncation_side.value_or(impl_->config.truncation_side);
  auto result = std::make_unique<EncodingWindows::Impl>();
  result->first = tokenize(text);
  if (pair) result->second = tokenize(*pair);
  const auto kept = kept_lengths(result->first, result->second, pair.has_value(), options, special);
  const auto cut_up = [&](const Tokens& tokens, std::size_t most) {
    return options.return_overflowing ? windows_of(tokens.size(), most, options.stride, cut)
                                      : std::vector<Window>{kept_window(tokens.size(), most, cut)};
  };
  result->first_windows = cut_up(result->first, kept[0]);
  result->second_windows = cut_up(result->second, kept[1]);
  result->pieces = &pieces;
  result->add_special_tokens = options.add_special_tokens;
  return EncodingWindows(std::move(result));
}

// What windows() gives as its only one, without what several need.
Encoding Tokenizer::encode_one(std::string_view text, std::optional<std::string_view> pair,
                               const EncodeOptions& options) const {
  const auto& pieces = pair ? impl_->config.pair : impl_->config.single;
  const std::size_t special = options.add_special_tokens ? special_count(pieces) : 0;
  const TruncationSide cut = options.truncation_side.value_or(impl_->config.truncation_side);
  const Tokens first = tokenize(text), second = pair ? tokenize(*pair) : Tokens{};
  const auto kept = kept_lengths(first, second, pair.has_value(), options, special);
  const Tokens* const texts[2] = {&first, &second};
  const Window windows[2] = {kept_window(first.size(), kept[0], cut),
                             kept_window(second.size(), kept[1], cut)};
  return fill(pieces, texts, windows, options.add_special_tokens);
}

Encoding Tokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
  if (!options.return_overflowing) return encode_one(text, pair, options);
  const EncodingWindows all = windows(text, pair, options);
  Encoding encoding = all[0];
  for (std::size_t i = 1; i < all.size(); ++i)
    encoding.overflowing.push_back(all[i]);
  return encoding;
}

std::vector<std::string> Tokenizer::texts(const std::vector<std::int32_t>& ids,
                                          const std::vector<MatchedText>& matched) const {
  std::vector<std::string> result;
  result.reserve(ids.size());
  for (const std::int32_t id : ids)
    result.push_back(token(id));
  for (const MatchedText& text : matched)
    result.at(text.token) = text.text;
  return result;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids,
                              const DecodeOptions& options) const {
  std::vector<std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const std::int32_t id : ids) {
    const std::string& token = this->token(id);
    const bool skipped =
        options.skip_special_tokens && std::ranges::binary_search(impl_->special_tokens, id);
    if (!skipped && !token.empty()) tokens.push_back(token);  // empty: an id that no piece has
  }
  return impl_->join(tokens, options.clean_up);
}

std::string Tokenizer::join(std::span<const std::string> tokens,
                            std::optional<bool> clean_up) const {
  return impl_->join({tokens.begin(), tokens.end()}, clean_up);
}

}  // namespace klue
