#include <klue/core/error.hpp>

#include "linear/onednn_linear.hpp"

namespace klue {

bool has_onednn() noexcept {
  return false;
}

std::unique_ptr<const Linear> make_onednn_linear(const kernels::Product&, const LinearSource&,
                                                 const ThreadPool&) {
  throw UnsupportedError("this library was built without oneDNN",
                         {.field = "engine", .expected = "auto or eigen", .actual = "onednn"});
}

}  // namespace klue
