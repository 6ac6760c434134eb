#include "text_feed.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include <klue/core/error.hpp>

namespace embed {
namespace {

// Texts that go through the pipeline together: enough to order by length and to fill batches, few
// enough that little is lost when a run is interrupted, and that they begin soon.
constexpr std::size_t kTextsAtOnce = 512;
constexpr std::size_t kBytesAtOnce = std::size_t{256} << 10;

}  // namespace

void notice(const Options& options, const std::string& text) {
  if (!options.quiet) std::cerr << KLUE_PROGRAM ": " + text + "\n";
}

TextFeed::TextFeed(const Options& options, std::stop_token stop, bool hashed)
    : options_(options), hashed_(hashed) {
  if (options.input.files.empty()) return;
  reader_.emplace(
      options.input, [&options](const std::string& text) { notice(options, text); },
      std::move(stop));
}

bool TextFeed::next(tools::Record& record) {
  if (left_ && *left_ == 0) return false;
  if (reader_) {
    if (!reader_->next(record)) return false;
  } else {
    if (next_ == options_.texts.size()) return false;
    record = {options_.texts[next_], std::nullopt};
  }
  ++next_;
  if (left_) --*left_;
  return true;
}

bool TextFeed::ready() {
  return !reader_ || reader_->ready();
}

bool TextFeed::read(Chunk& chunk) {
  chunk.first = next_;
  std::size_t bytes = 0;
  for (tools::Record record; next(record); record = {}) {
    bytes += record.text.size() + (record.text_pair ? record.text_pair->size() : 0);
    if (hashed_) add_to_hash(record);
    chunk.records.push_back(std::move(record));
    if (chunk.records.size() == kTextsAtOnce || bytes >= kBytesAtOnce || !ready()) break;
  }
  if (hashed_) chunk.input_sha256 = hash_.hex();
  chunk.bytes_read = reader_ ? reader_->bytes_read() : 0;
  return !chunk.records.empty();
}

// Lengths first, so that no two lists of texts look alike.
void TextFeed::add_to_hash(const tools::Record& record) {
  const auto add = [&](std::string_view text) {
    hash_.add(std::to_string(text.size()) + ":");
    hash_.add(text);
  };
  hash_.add(record.is_null ? "N" : record.text_pair ? "P" : "T");
  add(record.text);
  if (record.text_pair) add(*record.text_pair);
  if (record.id) add(*record.id);
}

void TextFeed::skip(std::size_t count, bool hashed) {
  tools::Record record;
  for (; count > 0; --count) {
    if (!next(record))
      throw klue::UsageError("the input is shorter than when the interrupted run read it");
    if (hashed) add_to_hash(record);
  }
}

std::string place_of(const Options& options, const tools::Record& record, std::size_t index) {
  if (options.input.files.empty()) return "text " + std::to_string(index + 1);
  return tools::display_name(options.input.files[record.file]) + ": line " +
         std::to_string(record.line);
}

std::size_t count_texts(const Options& options, std::stop_token stop) {
  if (options.input.files.empty()) return options.texts.size();
  // The notices come when the texts are read in earnest.
  tools::RecordReader reader(
      options.input, [](const std::string&) {}, std::move(stop));
  std::size_t count = 0;
  for (tools::Record record; reader.next(record); ++count) {
  }
  return count;
}

bool is_rereadable(const Options& options) {
  return std::ranges::all_of(options.input.files, [](const std::string& file) {
    std::error_code error;
    return std::filesystem::is_regular_file(file, error);
  });
}

}  // namespace embed
