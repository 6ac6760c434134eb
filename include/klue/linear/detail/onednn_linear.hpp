#pragma once

#include <memory>

#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// Whether this build has oneDNN.
bool has_onednn() noexcept;

/// A layer whose products oneDNN sums up; `product` prepares the rows and finishes the sums. Throws
/// UnsupportedError in a build without oneDNN.
std::unique_ptr<const Linear> make_onednn_linear(const kernels::Product& product,
                                                 const LinearSource& source,
                                                 const ThreadPool& pool);

}  // namespace klue::detail
