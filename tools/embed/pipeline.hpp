#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <klue/core/tensor.hpp>

#include "common/record_parser.hpp"

namespace embed {

/// What is counted of texts, for the summary.
struct Counts {
  std::size_t tokens = 0, cut = 0, empty = 0, unknown = 0;
};

/// Texts that go through the pipeline together.
struct Chunk {
  std::size_t first = 0;  ///< index of the first record
  std::vector<tools::Record> records{};
  std::string input_sha256{};    ///< of all texts up to here, where that is wanted
  std::uint64_t bytes_read = 0;  ///< of the input, up to here
  klue::Tensor vectors{};        ///< [records, width], once they are computed
  Counts counts{};
};

/// The three things that happen to a chunk.
struct Stages {
  std::function<bool(Chunk&)> read;          ///< on a thread of its own; false: there are no more
  std::function<void(Chunk&)> compute;       ///< on `workers` threads at once
  std::function<void(const Chunk&)> finish;  ///< on the caller's thread, in the order of the input
};

/// Reads, computes and writes at the same time: with enough input, the workers wait for neither.
/// Holds a few chunks for each worker, so memory is bounded.
///
/// Rethrows what a stage threw, on the caller's thread: an error of `read` after all that was read
/// before it has been finished, other errors at once. Throws klue::StoppedError where `stop` asks
/// for it. On any of them it stops `stop` itself, which is what wakes a reader that waits for
/// input.
void run_pipeline(const Stages& stages, std::size_t workers, std::stop_source stop);

}  // namespace embed
