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

std::span<const Engine> available_engines() noexcept {
  static constexpr Engine kNamed[] = {Engine::packed, Engine::eigen, Engine::onednn};
  return std::span(kNamed).first(detail::has_onednn() ? 3 : 2);
}

}  // namespace klue

namespace klue::detail {

Precision chosen_precision(Engine engine, Precision precision) {
  if (precision != Precision::automatic) return precision;
  const Precision fastest = kernels::active().automatic;
  const bool possible =
      engine == Engine::onednn ? kernels::product(fastest).plain_groups : engine != Engine::eigen;
  return possible ? fastest : Precision::f32;
}

std::unique_ptr<const Linear> make_linear(Engine engine, Precision wanted,
                                          const LinearSource& source, const ThreadPool& pool) {
  const Precision precision = chosen_precision(engine, wanted);
  if (engine == Engine::eigen && precision != Precision::f32)
    throw UnsupportedError("the engine eigen multiplies in float32 alone",
                           {.field = "precision",
                            .expected = "f32, or the engine packed",
                            .actual = std::string(precision_name(precision))});
  const kernels::Product& product = kernels::product(precision);
  if (engine == Engine::onednn && !product.plain_groups)
    throw UnsupportedError("the engine onednn has no such product on this processor",
                           {.field = "precision",
                            .expected = "f32, or the engine packed",
                            .actual = std::string(precision_name(precision))});
  switch (engine) {
    case Engine::eigen:
      return make_eigen_linear(product, source, pool);
    case Engine::onednn:
      return make_onednn_linear(product, source, pool);
    case Engine::automatic:
    case Engine::packed:
      break;
  }
  return make_packed_linear(product, source, pool);
}

std::string describe_engine(Engine engine, Precision wanted) {
  const Precision precision = chosen_precision(engine, wanted);
  switch (engine) {
    case Engine::eigen:
      return eigen_version() + ", " + std::string(precision_name(precision));
    case Engine::onednn:
      return std::string("oneDNN, ") + kernels::active().name + ", " +
             std::string(precision_name(precision));
    case Engine::automatic:
    case Engine::packed:
      break;
  }
  return "packed, " + kernels::describe(kernels::active(), precision);
}

}  // namespace klue::detail
