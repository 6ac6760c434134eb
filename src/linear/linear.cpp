#include <span>
#include <string>

#include <klue/core/error.hpp>
#include <klue/kernels/kernels.hpp>
#include <klue/linear/linear.hpp>

#include "linear/onednn_linear.hpp"
#include "linear/packed_linear.hpp"

namespace klue {
namespace {

std::string possible_precisions() {
  std::string names;
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
    if (kernels::product(precision) != nullptr)
      names.append(names.empty() ? "" : ", ").append(precision_name(precision));
  return names;
}

}  // namespace

std::span<const Engine> available_engines() noexcept {
  static constexpr Engine kEngines[] = {Engine::eigen, Engine::onednn};
  return std::span(kEngines).first(has_onednn() ? 2 : 1);
}

std::unique_ptr<const Linear> make_linear(Engine engine, Precision precision,
                                          const LinearSource& source, const ThreadPool& pool) {
  const kernels::Product* product = kernels::product(precision);
  if (product == nullptr)
    throw UnsupportedError("this processor cannot multiply in that precision",
                           {.field = "precision",
                            .expected = "one of " + possible_precisions(),
                            .actual = std::string(precision_name(precision))});
  return engine == Engine::onednn ? make_onednn_linear(*product, source, pool)
                                  : make_packed_linear(*product, source, pool);
}

std::string describe_engine(Engine engine, Precision precision) {
  return std::string(engine == Engine::onednn ? "oneDNN, " : "Eigen, ") + kernels::active().name +
         ", " + std::string(precision_name(precision));
}

}  // namespace klue
