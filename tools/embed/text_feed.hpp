#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "common/record_reader.hpp"
#include "common/sha256.hpp"
#include "options.hpp"
#include "pipeline.hpp"

namespace embed {

/// Prints a notice to standard error unless it is to be quiet: "embed: …".
void notice(const Options& options, const std::string& text);

/// The texts of a run, from the command line or its files, in chunks.
class TextFeed {
 public:
  /// Throws as tools::RecordReader does. `hashed`: chunks carry the hash of the texts so far.
  TextFeed(const Options& options, std::stop_token stop, bool hashed = false);

  bool next(tools::Record& record);

  /// Fills a chunk with texts: as many as are worked on well together, fewer where the next is not
  /// there yet, none at the end (false).
  bool read(Chunk& chunk);

  /// Leaves out texts; they are part of the hash only where `hashed`. Throws klue::Error where
  /// there are fewer.
  void skip(std::size_t count, bool hashed);

  /// From here on only so many.
  void limit(std::size_t count) { left_ = count; }

  std::string input_sha256() const { return hash_.hex(); }
  std::uint64_t bytes_total() const { return reader_ ? reader_->bytes_total() : 0; }
  std::size_t left_out() const { return reader_ ? reader_->left_out() : 0; }

 private:
  bool ready();
  void add_to_hash(const tools::Record& record);

  const Options& options_;
  std::optional<tools::RecordReader> reader_;
  bool hashed_;
  tools::Sha256 hash_;
  std::size_t next_ = 0;  // index of the next text
  std::optional<std::size_t> left_;
};

/// "texts.tsv: line 7", "text 3": where a record stood.
std::string place_of(const Options& options, const tools::Record& record, std::size_t index);

/// How many texts the input has. Reads all of it.
std::size_t count_texts(const Options& options, std::stop_token stop);

/// Whether the input can be read more than once.
bool is_rereadable(const Options& options);

}  // namespace embed
