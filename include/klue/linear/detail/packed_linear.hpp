#pragma once

#include <memory>

#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// A layer on this library's own kernels: the engine that is always there.
std::unique_ptr<const Linear> make_packed_linear(const kernels::Product& product,
                                                 const LinearSource& source,
                                                 const ThreadPool& pool);

}  // namespace klue::detail
