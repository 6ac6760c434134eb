#include <memory>
#include <span>
#include <string>

#include <klue/core/error.hpp>
#include <klue/core/precision.hpp>
#include <klue/core/thread_pool.hpp>
#include <klue/kernels/detail/kernels.hpp>
#include <klue/linear/detail/eigen_linear.hpp>
#include <klue/linear/detail/linear.hpp>
#include <klue/linear/detail/onednn_linear.hpp>
#include <klue/linear/detail/packed_linear.hpp>
#include <klue/linear/engine.hpp>

namespace klue {
namespace {

std::string possible_precisions() {
  std::string names;
  for (const Precision precision : kPrecisions)
    if (kernels::product(precision) != nullptr)
      names.append(names.empty() ? "" : ", ").append(precision_name(precision));
  return names;
}

}  // namespace

std::span<const Engine> available_engines() noexcept {
  static constexpr Engine kNamed[] = {Engine::packed, Engine::eigen, Engine::onednn};
  return std::span(kNamed).first(detail::has_onednn() ? 3 : 2);
}

}  // namespace klue

namespace klue::detail {

std::unique_ptr<const Linear> make_linear(Engine engine, Precision precision,
                                          const LinearSource& source, const ThreadPool& pool) {
  if (engine == Engine::eigen && precision != Precision::f32)
    throw UnsupportedError("the engine eigen multiplies in float32 alone",
                           {.field = "precision",
                            .expected = "f32, or the engine packed",
                            .actual = std::string(precision_name(precision))});
  const kernels::Product* product = kernels::product(precision);
  if (product == nullptr)
    throw UnsupportedError("this processor cannot multiply in that precision",
                           {.field = "precision",
                            .expected = "one of " + possible_precisions(),
                            .actual = std::string(precision_name(precision))});
  switch (engine) {
    case Engine::eigen:
      return make_eigen_linear(*product, source, pool);
    case Engine::onednn:
      return make_onednn_linear(*product, source, pool);
    case Engine::automatic:
    case Engine::packed:
      break;
  }
  return make_packed_linear(*product, source, pool);
}

std::string describe_engine(Engine engine, Precision precision) {
  const std::string end = ", " + std::string(precision_name(precision));
  switch (engine) {
    case Engine::eigen:
      return eigen_version() + end;
    case Engine::onednn:
      return std::string("oneDNN, ") + kernels::active().name + end;
    case Engine::automatic:
    case Engine::packed:
      break;
  }
  return std::string("packed, ") + kernels::active().name + end;
}

}  // namespace klue::detail
