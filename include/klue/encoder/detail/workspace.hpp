#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/fork.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/encoder/config.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// The intermediate matrices of one call, kept between calls so that a steady state allocates
/// nothing. Grows to the largest batch it has served.
struct Workspace {
  AlignedBuffer<float> hidden;           // [tokens, hidden]
  AlignedBuffer<float> embedded;         // [tokens, embedding_size], where that is projected
  AlignedBuffer<float> selected;         // [queries, hidden], where only some rows are wanted
  AlignedBuffer<float> query;            // [queries, hidden]
  AlignedBuffer<float> key_value;        // [tokens, 2 × hidden]
  AlignedBuffer<float> context;          // [queries, hidden]
  AlignedBuffer<float> inner;            // [queries, spread_stride(intermediate)]
  AlignedBuffer<float> attention;        // [lanes, attention scratch of the longest sentence]
  AlignedBuffer<float> pooled;           // [poolings × hidden], of one sentence
  std::vector<std::size_t> first_query;  // [queries + 1], which of them are whose
  Scratch activations;  // converted to the precision of a linear layer, by the layer

  std::size_t memory_bytes() const noexcept {
    std::size_t bytes = heap_bytes(first_query) + heap_bytes(activations);
    for (const auto* matrix :
         {&hidden, &embedded, &selected, &query, &key_value, &context, &inner, &attention, &pooled})
      bytes += heap_bytes(*matrix);
    return bytes;
  }

  void reserve(const EncoderConfig& config, std::size_t tokens, std::size_t attention_floats) {
    hidden.reserve_discard(tokens * config.hidden_size);
    if (config.projects_embeddings()) embedded.reserve_discard(tokens * config.embedding_size);
    selected.reserve_discard(tokens * config.hidden_size);
    query.reserve_discard(tokens * config.hidden_size);
    key_value.reserve_discard(tokens * 2 * config.hidden_size);
    context.reserve_discard(tokens * config.hidden_size);
    inner.reserve_discard(tokens * spread_stride(config.intermediate_size));
    attention.reserve_discard(attention_floats);
  }
};

/// Workspaces that are not in use; as many as there ever were calls at the same time.
class WorkspacePool {
 public:
  /// Gives the workspace back at the end of its life.
  class Lease {
   public:
    Lease(WorkspacePool& pool, std::unique_ptr<Workspace> workspace)
        : pool_(&pool), workspace_(std::move(workspace)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (workspace_ != nullptr) pool_->give_back(std::move(workspace_));
    }
    Workspace& operator*() const noexcept { return *workspace_; }

   private:
    WorkspacePool* pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  Lease take() {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(free_.back());
      free_.pop_back();
      return Lease(*this, std::move(workspace));
    }
    free_.reserve(existing_ + 1);  // room for its way back, so that giving back cannot fail
    ++existing_;
    return Lease(*this, std::make_unique<Workspace>());
  }

  /// Of those that are not in use.
  std::size_t memory_bytes() {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = heap_bytes(free_) + free_.size() * sizeof(Workspace);
    for (const auto& workspace : free_)
      bytes += workspace->memory_bytes();
    return bytes;
  }

 private:
  void give_back(std::unique_ptr<Workspace> workspace) noexcept {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

  ForkSafeMutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
  std::size_t existing_ = 0;  // in use or free
};

}  // namespace klue::detail
