#pragma once

#include <cstddef>
#include <stop_token>
#include <vector>

#include <klue/klue.hpp>

#include "options.hpp"
#include "pipeline.hpp"

namespace embed {

/// What the library is asked for, for one vector per text.
klue::EmbedOptions embedding_options(const Options& options);

/// Makes one vector per text as the command line wants it: embeddings, pooled outputs or logits.
/// Any number of threads may use one.
class Embedder {
 public:
  /// Throws where the model cannot give that output.
  Embedder(const klue::Model& model, const Options& options);

  std::size_t width() const noexcept { return width_; }

  /// [texts, width].
  klue::Tensor operator()(const std::vector<tools::Record>& records) const;

  /// Fills in the vectors of a chunk and counts its texts. Errors of a text say where it stands.
  void compute(Chunk& chunk, const std::stop_token& stop) const;

  const klue::Model& model() const noexcept { return model_; }

 private:
  klue::Tensor embed(const std::vector<tools::Record>& records, const std::stop_token& stop,
                     std::vector<klue::TextReport>* reports) const;
  void refuse_long(const Chunk& chunk) const;

  const klue::Model& model_;
  const Options& options_;
  klue::EmbedOptions embedding_;
  std::size_t width_ = 0;
};

/// Whether there is so much input that each thread had better take texts of its own.
bool is_bulk(const Options& options);

/// Threads that --threads asks for.
std::size_t thread_count(const Options& options);

}  // namespace embed
