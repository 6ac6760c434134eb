#include "embedder.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include <klue/core/error.hpp>
#include <klue/core/thread_pool.hpp>

#include "text_feed.hpp"

namespace embed {
namespace {

klue::TextOptions text_options(const Options& options) {
  return {.max_length = options.max_length,
          .seq_length = options.seq_length,
          .truncation =
              options.long_texts == Long::refuse ? klue::Truncation::error : options.truncation};
}

}  // namespace

klue::EmbedOptions embedding_options(const Options& options) {
  klue::EmbedOptions result{.pooling = options.pooling,
                            .max_length = options.max_length,
                            .truncation = options.truncation};
  if (options.long_texts == Long::windows) result.long_texts = klue::LongTexts::windows;
  if (options.long_texts == Long::refuse) result.truncation = klue::Truncation::error;
  if (options.output == Output::pooled) result.pooling = klue::Pooling::pooler;
  if (options.normalize) result.normalize = true;
  // Padding does not change an embedding; what remains of a sequence length is its limit.
  if (options.seq_length)
    result.max_length =
        std::min(result.max_length.value_or(*options.seq_length), *options.seq_length);
  return result;
}

Embedder::Embedder(const klue::Model& model, const Options& options)
    : model_(model), options_(options), embedding_(embedding_options(options)) {
  // A search divides by the lengths itself, so that saved vectors have the same scores.
  if (options.similarity) embedding_.normalize = true;
  width_ = (*this)({}).shape()[1];
}

klue::Tensor Embedder::operator()(const std::vector<tools::Record>& records) const {
  return embed(records, {}, nullptr);
}

klue::Tensor Embedder::embed(const std::vector<tools::Record>& records, const std::stop_token& stop,
                             std::vector<klue::TextReport>* reports) const {
  if (options_.output == Output::logits) {
    klue::TextOptions texts = text_options(options_);
    texts.stop = stop;
    return model_.classify(records, texts);
  }
  klue::EmbedOptions embedding = embedding_;
  embedding.stop = stop;
  embedding.reports = reports;
  return model_.embed(records, embedding);
}

void Embedder::compute(Chunk& chunk, const std::stop_token& stop) const {
  std::vector<klue::TextReport> reports;
  try {
    chunk.vectors = embed(chunk.records, stop, options_.summary ? &reports : nullptr);
  } catch (const klue::UsageError&) {
    refuse_long(chunk);
    throw;
  }
  // No line, no vector: whatever is made of it is none, no hit and near nothing.
  for (std::size_t i = 0; i < chunk.records.size(); ++i)
    if (chunk.records[i].is_null)
      std::ranges::fill(chunk.vectors.at(i), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    chunk.counts.tokens += reports[i].kept;
    chunk.counts.cut += reports[i].cut() ? 1 : 0;
    chunk.counts.unknown += reports[i].unknown != 0 ? 1 : 0;
  }
  for (const tools::Record& record : chunk.records)
    chunk.counts.empty += record.text.empty() && !record.text_pair && !record.is_null ? 1 : 0;
}

// Which of the texts it was that could not be cut.
void Embedder::refuse_long(const Chunk& chunk) const {
  for (std::size_t i = 0; i < chunk.records.size(); ++i) {
    try {
      (*this)({chunk.records[i]});
    } catch (const klue::UsageError& error) {
      const std::string place = place_of(options_, chunk.records[i], chunk.first + i);
      throw klue::UsageError(error.what(), {.file = place});
    }
  }
}

bool is_bulk(const Options& options) {
  constexpr std::uintmax_t kMuch = 64 << 10;
  std::uintmax_t bytes = 0;
  for (const std::string& file : options.input.files) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return false;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (!error) bytes += size;
  }
  return bytes >= kMuch;
}

std::size_t thread_count(const Options& options) {
  return options.load.threads != 0 ? options.load.threads : klue::ThreadPool().threads();
}

}  // namespace embed
