#include <klue/core/error.hpp>
#include <klue/linear/detail/onednn_linear.hpp>

namespace klue::detail {

bool has_onednn() noexcept {
  return false;
}

std::unique_ptr<const Linear> make_onednn_linear(const kernels::Product&, const LinearSource&,
                                                 const ThreadPool&) {
  throw UnsupportedError(
      "this library was built without oneDNN",
      {.field = "engine", .expected = "auto, packed or eigen", .actual = "onednn"});
}

}  // namespace klue::detail
