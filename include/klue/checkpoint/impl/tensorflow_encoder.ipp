#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/tensorflow_encoder.hpp>
#include <klue/core/error.hpp>
#include <klue/core/tensor.hpp>

namespace klue::detail {
namespace {

using Renaming = std::pair<std::string_view, std::string_view>;

constexpr std::array<Renaming, 5> kModules{{
    {"word_embeddings", "embeddings.word_embeddings"},
    {"position_embedding", "embeddings.position_embeddings"},
    {"type_embeddings", "embeddings.token_type_embeddings"},
    {"embeddings/layer_norm", "embeddings.LayerNorm"},
    {"pooler_transform", "pooler.dense"},
}};
constexpr std::array<Renaming, 8> kLayerModules{{
    {"self_attention/query", "attention.self.query"},
    {"self_attention/key", "attention.self.key"},
    {"self_attention/value", "attention.self.value"},
    {"self_attention/attention_output", "attention.output.dense"},
    {"self_attention_layer_norm", "attention.output.LayerNorm"},
    {"intermediate", "intermediate.dense"},
    {"output", "output.dense"},
    {"output_layer_norm", "output.LayerNorm"},
}};
constexpr std::array<Renaming, 5> kParameters{{
    {"embeddings", "weight"},
    {"kernel", "weight"},
    {"gamma", "weight"},
    {"bias", "bias"},
    {"beta", "bias"},
}};

constexpr std::string_view kLayerPrefix = "transformer/layer_";
constexpr std::string_view kValueSuffix = "/.ATTRIBUTES/VARIABLE_VALUE";
constexpr std::string_view kWordEmbeddings = "embeddings.word_embeddings.weight";

std::optional<std::string_view> renamed(std::span<const Renaming> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Renaming::first);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

/// The name that a key holds itself. A model that was loaded from TF-Hub, trained and saved again
/// has "layer_with_weights-0/transformer.Slayer_0…:0": in one part of a path, TensorFlow writes "/"
/// as ".S" and "." as "..".
std::string name_in_key(std::string_view key) {
  key = without_suffix(key, kValueSuffix);
  const std::string_view part = key.substr(key.rfind('/') + 1);  // npos + 1 is 0
  std::string name;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '.' && i + 1 < part.size();
    if (escape && (part[i + 1] == 'S' || part[i + 1] == '.'))
      name += part[++i] == 'S' ? '/' : '.';
    else
      name += part[i];
  }
  return name;
}

std::optional<std::string> name_of(const TensorBundle& bundle, std::string_view key) {
  if (const auto full = bundle.full_names.find(key); full != bundle.full_names.end())
    if (auto name = hugging_face_name(full->second)) return name;
  return hugging_face_name(name_in_key(key));
}

class Converter {
 public:
  Converter(const std::filesystem::path& file, const TensorBundle& bundle)
      : file_(file), bundle_(bundle) {}

  TensorflowEncoder convert() {
    std::vector<std::string_view> others;
    for (const auto& [key, view] : bundle_.tensors)
      if (const auto name = name_of(bundle_, key))
        add(*name, key, view);
      else
        others.push_back(key);
    result_.shape = shape();
    add_classifier();
    for (const std::string_view key : others)
      result_.tensors.emplace(without_suffix(key, kValueSuffix), bundle_.tensors.find(key)->second);
    return std::move(result_);
  }

 private:
  void add(const std::string& name, std::string_view key, const TensorView& view) {
    const bool projects_heads = name.find("attention.self.") != std::string::npos;
    const bool is_kernel = name.ends_with("weight") && !name.starts_with("embeddings.") &&
                           name.find("LayerNorm") == std::string::npos;
    TensorView converted = view;
    if (is_kernel)
      converted = transposed(key, view, projects_heads);
    else if (!name.starts_with("embeddings.") || name.ends_with("bias"))
      converted.shape = {view.element_count()};  // merges the heads of a bias
    if (name.ends_with("self.query.weight")) {
      ++queries_;
      if (view.shape.size() == 3) heads_ = view.shape[1];
    }
    if (!result_.tensors.emplace(name, std::move(converted)).second)
      fail("two variables are the same part of the encoder", key, name);
  }

  /// [in, out], [in, heads, size] or [heads, size, out] as [out, in].
  TensorView transposed(std::string_view key, const TensorView& view, bool heads_are_out) const {
    std::vector<std::size_t> shape = view.shape;
    if (shape.size() == 3) {
      const std::size_t merged = heads_are_out ? 1 : 0;
      shape[merged] *= shape[merged + 1];
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(merged) + 1);
    }
    if (shape.size() != 2) fail("a kernel must be a matrix", key, shape_string(view.shape));
    return {view.dtype, {shape[1], shape[0]}, view.bytes, {1, shape[1]}};
  }

  /// A user's own Dense layer on top of the encoder, where there is exactly one.
  void add_classifier() {
    auto kernel = bundle_.tensors.end();
    std::string_view layer;
    for (auto tensor = bundle_.tensors.begin(); tensor != bundle_.tensors.end(); ++tensor) {
      const std::string_view path = without_suffix(tensor->first, kValueSuffix);
      const std::string_view parent = without_suffix(path, "/kernel");
      if (parent.size() == path.size() || !parent.starts_with("layer_with_weights-") ||
          parent.find('/') != std::string_view::npos)
        continue;
      if (kernel != bundle_.tensors.end()) return;
      kernel = tensor;
      layer = parent;
    }
    if (kernel == bundle_.tensors.end()) return;
    // Older versions of TensorFlow end a variable's key with its name.
    auto bias = bundle_.tensors.find(std::string(layer).append("/bias").append(kValueSuffix));
    if (bias == bundle_.tensors.end())
      bias = bundle_.tensors.find(std::string(layer).append("/bias"));
    const std::vector<std::size_t>& shape = kernel->second.shape;
    if (shape.size() != 2 || shape[0] != result_.shape.hidden || bias == bundle_.tensors.end() ||
        bias->second.shape != std::vector{shape[1]})
      return;
    result_.tensors.emplace("classifier.weight", transposed(kernel->first, kernel->second, false));
    result_.tensors.emplace("classifier.bias", bias->second);
  }

  EncoderShape shape() const {
    if (!result_.tensors.contains(kWordEmbeddings))
      throw UnsupportedError(
          "the TensorFlow checkpoint holds no BERT or RoBERTa encoder",
          {.file = file_.string(), .expected = "a variable word_embeddings/embeddings"});
    const auto& words = matrix(kWordEmbeddings);
    EncoderShape shape{.hidden = words[1], .vocabulary = words[0]};
    while (result_.tensors.contains(layer_name(shape.layers, "attention.self.query.weight")))
      ++shape.layers;
    if (shape.layers != queries_ || shape.layers == 0)
      fail("the encoder lacks a layer", layer_name(shape.layers, "attention.self.query.weight"),
           "");
    if (heads_ == 0)
      fail("the number of attention heads cannot be told from the kernels' shapes",
           layer_name(0, "attention.self.query.weight"), "");
    shape.heads = heads_;
    shape.intermediate = matrix(layer_name(0, "intermediate.dense.weight"))[0];
    shape.positions = matrix("embeddings.position_embeddings.weight")[0];
    shape.token_types = matrix("embeddings.token_type_embeddings.weight")[0];
    return shape;
  }

  const std::vector<std::size_t>& matrix(std::string_view name) const {
    const auto found = result_.tensors.find(name);
    if (found == result_.tensors.end()) fail("the encoder lacks a variable", name, "");
    const std::vector<std::size_t>& shape = found->second.shape;
    if (shape.size() != 2) fail("the variable must be a matrix", name, shape_string(shape));
    return shape;
  }

  static std::string layer_name(std::size_t layer, std::string_view part) {
    return ("encoder.layer." + std::to_string(layer) + ".").append(part);
  }

  [[noreturn]] void fail(const char* message, std::string_view field, std::string actual) const {
    throw FormatError(
        message,
        {.file = file_.string(), .field = std::string(field), .actual = std::move(actual)});
  }

  const std::filesystem::path& file_;
  const TensorBundle& bundle_;
  TensorflowEncoder result_;
  std::size_t queries_ = 0, heads_ = 0;
};

}  // namespace

std::optional<std::string> hugging_face_name(std::string_view variable) {
  variable = without_suffix(variable, ":0");
  const std::size_t slash = variable.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto parameter = renamed(kParameters, variable.substr(slash + 1));
  if (!parameter) return std::nullopt;
  std::string_view module = variable.substr(0, slash);
  std::string prefix;
  std::optional<std::string_view> name;
  if (module.starts_with(kLayerPrefix)) {
    module.remove_prefix(kLayerPrefix.size());
    const std::size_t digits = std::min(module.find_first_not_of("0123456789"), module.size());
    // Without leading zeros, so that no two names mean one layer.
    if (digits == 0 || (digits > 1 && module[0] == '0') || !module.substr(digits).starts_with('/'))
      return std::nullopt;
    prefix = "encoder.layer." + std::string(module.substr(0, digits)) + ".";
    name = renamed(kLayerModules, module.substr(digits + 1));
  } else {
    name = renamed(kModules, module);
  }
  if (!name) return std::nullopt;
  return prefix.append(*name).append(".").append(*parameter);
}

TensorflowEncoder to_hugging_face(const std::filesystem::path& file, const TensorBundle& bundle) {
  return Converter(file, bundle).convert();
}

}  // namespace klue::detail
