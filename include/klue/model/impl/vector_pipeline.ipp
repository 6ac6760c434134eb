#include <utility>

#include <klue/core/error.hpp>
#include <klue/model/detail/vector_pipeline.hpp>

namespace klue::detail {
namespace {

std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::gelu:
      return ", gelu";
    case Activation::tanh:
      return ", tanh";
    case Activation::relu:
      return ", relu";
  }
  return "";
}

Tensor run(const Dense& dense, const Tensor& vectors, const ThreadPool& pool) {
  const std::size_t count = vectors.shape()[0];
  Tensor result{count, dense.linear->out_features()};
  if (count == 0) return result;
  Scratch scratch;
  dense.linear->apply({vectors.data(), count, dense.linear->in_features()},
                      {result.data(), count, dense.linear->out_features()},
                      {.activation = dense.activation}, scratch, pool);
  return result;
}

}  // namespace

std::size_t VectorPipeline::width(std::size_t hidden) const {
  std::size_t width = poolings.size() * hidden;
  for (const VectorModule& module : modules)
    if (const Dense* dense = std::get_if<Dense>(&module)) width = dense->linear->out_features();
  return width;
}

std::size_t VectorPipeline::memory_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const VectorModule& module : modules)
    if (const Dense* dense = std::get_if<Dense>(&module)) bytes += dense->linear->memory_bytes();
  return bytes;
}

std::vector<std::string> VectorPipeline::module_names() const {
  std::vector<std::string> names;
  for (const VectorModule& module : modules) {
    const Dense* dense = std::get_if<Dense>(&module);
    if (dense == nullptr)
      names.emplace_back("Normalize");
    else
      names.push_back(std::string("Dense ")
                          .append(std::to_string(dense->linear->in_features()))
                          .append(" → ")
                          .append(std::to_string(dense->linear->out_features()))
                          .append(activation_name(dense->activation)));
  }
  return names;
}

Dense make_dense(const TensorLookup& tensors, const DenseNames& names, std::size_t in_features,
                 std::size_t out_features, Activation activation, const PipelineEngine& engine) {
  const TensorView& weight = tensors.at(names.weight, {out_features, in_features});
  LinearSource source{.in_features = in_features, .out_features = out_features};
  source.read_rows = [&](std::size_t first, std::span<float> rows) {
    tensors.read(names.weight, weight, first * in_features, rows);
  };
  if (!names.bias.empty()) {
    const TensorView& bias = tensors.at(names.bias, {out_features});
    source.read_bias = [&](std::span<float> values) { tensors.read(names.bias, bias, 0, values); };
  }
  return {make_linear(engine.engine, Precision::f32, source, engine.pool), activation};
}

Tensor run_modules(const VectorPipeline& pipeline, Tensor vectors, const ThreadPool& pool) {
  for (const VectorModule& module : pipeline.modules) {
    if (const Dense* dense = std::get_if<Dense>(&module))
      vectors = run(*dense, vectors, pool);
    else
      for (std::size_t i = 0; i < vectors.shape()[0]; ++i)
        normalize(vectors.at(i));
  }
  return vectors;
}

}  // namespace klue::detail
