#pragma once

#include <memory>
#include <string>

#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/linear.hpp>

namespace klue::detail {

/// A layer whose products Eigen sums up; `product`, of f32, finishes the sums.
std::unique_ptr<const Linear> make_eigen_linear(const kernels::Product& product,
                                                const LinearSource& source, const ThreadPool& pool);

/// "Eigen 3.4.0"; "Eigen 3.4.0 on BLAS".
std::string eigen_version();

}  // namespace klue::detail
