#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/core/detail/json_file.hpp>
#include <klue/core/error.hpp>
#include <klue/model/detail/sentence_transformers.hpp>

namespace klue::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostFeatures = std::uint64_t{1} << 24;

/// One entry of modules.json.
struct Module {
  std::string type;  ///< the Python class, "sentence_transformers.models.Pooling"
  std::string path;  ///< the module's folder; empty: the model directory itself

  /// "Pooling": the packages above it have moved between versions.
  std::string_view kind() const {
    if (!type.starts_with("sentence_transformers.")) return type;
    return std::string_view(type).substr(type.rfind('.') + 1);
  }
};

// modules.json names folders of its own directory; one that leads elsewhere is no model's.
bool leads_outside(const fs::path& path) {
  return path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end();
}

std::vector<Module> read_modules(const fs::path& file) {
  std::vector<Module> modules;
  for (const nlohmann::json& entry : json::read_array(file)) {
    const auto text = [&](const char* key) {
      if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string())
        throw FormatError(
            "wrong value",
            {.file = file.string(), .field = key, .expected = "a string in every module"});
      return entry[key].get<std::string>();
    };
    const Module& module = modules.emplace_back(Module{text("type"), text("path")});
    if (leads_outside(module.path))
      throw FormatError("a module outside of the model directory",
                        {.file = file.string(), .field = "path", .actual = module.path});
  }
  return modules;
}

// ------------------------------------------------------------------------------------- pooling

/// In the order in which sentence_transformers/models/Pooling.py puts them side by side.
constexpr std::array<std::pair<const char*, Pooling>, 4> kModes{{
    {"pooling_mode_cls_token", Pooling::cls},
    {"pooling_mode_max_tokens", Pooling::max},
    {"pooling_mode_mean_tokens", Pooling::mean},
    {"pooling_mode_mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
}};
constexpr const char* kKnownModes = "cls, max, mean and mean_sqrt_len, alone or side by side";

/// `pooling_mode`, which overrides the switches: "mean", or a list of such names.
std::vector<Pooling> named_poolings(const json::Object& config) {
  constexpr std::array<std::pair<std::string_view, Pooling>, 4> kNames{{
      {"cls", Pooling::cls},
      {"max", Pooling::max},
      {"mean", Pooling::mean},
      {"mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
  }};
  std::array<bool, kNames.size()> chosen{};
  const auto choose = [&](const nlohmann::json& value) {
    const std::string name = value.is_string() ? value.get<std::string>() : "no string";
    const auto known =
        std::ranges::find(kNames, name, &std::pair<std::string_view, Pooling>::first);
    if (known == kNames.end())
      throw UnsupportedError("this pooling is not supported", {.file = config.file().string(),
                                                               .field = "pooling_mode",
                                                               .expected = kKnownModes,
                                                               .actual = name});
    chosen[static_cast<std::size_t>(known - kNames.begin())] = true;
  };
  const nlohmann::json& value = config.value()["pooling_mode"];
  if (value.is_array())
    std::ranges::for_each(value, choose);
  else
    choose(value);
  std::vector<Pooling> poolings;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (chosen[i]) poolings.push_back(kNames[i].second);
  return poolings;
}

/// The pooling_mode_… switches. Only mean is on where nothing is said.
std::vector<Pooling> switched_poolings(const json::Object& config) {
  for (const auto& item : config.value().items()) {
    const std::string& key = item.key();
    if (!key.starts_with("pooling_mode_") || !config.boolean(key.c_str())) continue;
    if (std::ranges::none_of(kModes, [&](const auto& mode) { return key == mode.first; }))
      throw UnsupportedError(
          "this pooling is not supported",
          {.file = config.file().string(), .field = key, .expected = kKnownModes});
  }
  std::vector<Pooling> poolings;
  for (const auto& [key, pooling] : kModes)
    if (config.has(key) ? config.boolean(key) : pooling == Pooling::mean)
      poolings.push_back(pooling);
  return poolings;
}

/// What config.json of a Pooling module says.
struct PoolingModule {
  std::vector<Pooling> poolings;
  bool include_prompt = true;
};

PoolingModule read_pooling(const fs::path& file, std::size_t hidden_size) {
  const json::Object config = json::Object::read(file);
  if (config.has("word_embedding_dimension") &&
      config.integer("word_embedding_dimension", 1, kMostFeatures) != hidden_size)
    throw FormatError("the pooling is of another encoder",
                      {.file = file.string(),
                       .field = "word_embedding_dimension",
                       .expected = std::to_string(hidden_size),
                       .actual = config.value()["word_embedding_dimension"].dump()});
  PoolingModule result;
  const bool named = config.has("pooling_mode") && !config.value()["pooling_mode"].is_null();
  result.poolings = named ? named_poolings(config) : switched_poolings(config);
  if (result.poolings.empty())
    throw FormatError("no pooling mode is chosen", {.file = file.string()});
  if (config.has("include_prompt")) result.include_prompt = config.boolean("include_prompt");
  return result;
}

// --------------------------------------------------------------------------------------- Dense

Activation read_dense_activation(const json::Object& config) {
  constexpr std::array<std::pair<const char*, Activation>, 4> kActivations{{
      {"torch.nn.modules.activation.Tanh", Activation::tanh},
      {"torch.nn.modules.linear.Identity", Activation::none},
      {"torch.nn.modules.activation.GELU", Activation::gelu},
      {"torch.nn.modules.activation.ReLU", Activation::relu},
  }};
  constexpr const char* kKey = "activation_function";
  if (!config.has(kKey)) return Activation::tanh;  // Dense.py's default
  const std::string name = config.string(kKey);
  std::string expected;
  for (const auto& [known, activation] : kActivations) {
    if (name == known) return activation;
    expected.append(expected.empty() ? "" : ", ").append(known);
  }
  throw UnsupportedError("this activation is not supported", {.file = config.file().string(),
                                                              .field = kKey,
                                                              .expected = std::move(expected),
                                                              .actual = name});
}

/// A Dense module in `folder` that takes vectors of `width`.
Dense read_dense_module(const fs::path& folder, std::size_t width, const PipelineEngine& engine) {
  const json::Object config = json::Object::read(folder / "config.json");
  const auto features = [&](const char* key) {
    return static_cast<std::size_t>(config.integer(key, 1, kMostFeatures));
  };
  const std::size_t in = features("in_features"), out = features("out_features");
  if (in != width)
    throw FormatError("the layer does not take the vectors that come before it",
                      {.file = config.file().string(),
                       .field = "in_features",
                       .expected = std::to_string(width),
                       .actual = std::to_string(in)});
  // Newer versions can connect a layer to other things than the sentence's vector.
  for (const char* key : {"module_input_name", "module_output_name"})
    if (config.has(key) && !config.value()[key].is_null() &&
        config.string(key) != "sentence_embedding")
      throw UnsupportedError("this connection is not supported", {.file = config.file().string(),
                                                                  .field = key,
                                                                  .expected = "sentence_embedding",
                                                                  .actual = config.string(key)});
  const bool bias = !config.has("bias") || config.boolean("bias");
  const Activation activation = read_dense_activation(config);
  return make_dense(open_checkpoint(folder), {"linear.weight", bias ? "linear.bias" : ""}, in, out,
                    activation, engine);
}

// ---------------------------------------------------------------------------- the other files

/// max_seq_length and do_lower_case, beside the encoder.
void read_sentence_limits(const fs::path& directory, SentenceTransformer& result) {
  // The second name is that of versions before 1.0.
  for (const char* name : {"sentence_bert_config.json", "sentence_roberta_config.json"}) {
    const fs::path file = directory / name;
    if (!fs::exists(file)) continue;
    const json::Object config = json::Object::read(file);
    if (config.has("max_seq_length") && !config.value()["max_seq_length"].is_null())
      result.max_seq_length = static_cast<std::size_t>(
          config.integer("max_seq_length", 1, std::numeric_limits<std::int32_t>::max()));
    result.lower_case = config.has("do_lower_case") && config.boolean("do_lower_case");
    return;
  }
}

/// The prompt that encode() puts before every text unless it is told otherwise.
std::string read_prompt(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const json::Object config = json::Object::read(file);
  constexpr const char* kKey = "default_prompt_name";
  if (!config.has(kKey) || config.value()[kKey].is_null()) return {};
  const std::string name = config.string(kKey);
  const nlohmann::json& root = config.value();
  const auto prompts = root.find("prompts");
  if (prompts == root.end() || !prompts->is_object() || !prompts->contains(name) ||
      !(*prompts)[name].is_string())
    throw FormatError("the default prompt is not among the prompts",
                      {.file = file.string(), .field = "prompts", .expected = "a text " + name});
  return (*prompts)[name].get<std::string>();
}

/// Takes the modules in turn, each with the width of the vectors that reach it.
class Assembly {
 public:
  Assembly(const fs::path& directory, std::size_t hidden_size, const PipelineEngine& engine)
      : directory_(directory), hidden_size_(hidden_size), engine_(engine) {}

  void add(const Module& module) {
    const std::string_view kind = module.kind();
    const bool known = kind == "Transformer" || kind == "Pooling" || kind == "Dense" ||
                       kind == "Normalize" || kind == "Dropout";
    // Only what is known can be in the wrong place.
    if (known && (kind == "Transformer") != (next_ == 0)) misplaced(module);
    if (known && next_ > 0 && (kind == "Pooling") != (next_ == 1)) misplaced(module);
    ++next_;
    if (kind == "Pooling")
      pool(read_pooling(directory_ / module.path / "config.json", hidden_size_));
    else if (kind == "Dense")
      pipeline().modules.emplace_back(
          read_dense_module(directory_ / module.path, pipeline().width(hidden_size_), engine_));
    else if (kind == "Normalize")
      pipeline().modules.emplace_back(Normalize{});
    else if (!known)
      throw UnsupportedError("this module is not supported",
                             {.file = file().string(),
                              .field = module.path.empty() ? "type" : module.path,
                              .expected = "a Transformer, then Pooling, then any of Dense, "
                                          "Normalize and Dropout",
                              .actual = module.type});
    // Dropout does nothing outside of training.
  }

  SentenceTransformer finish(const fs::path& transformer) {
    if (next_ < 2)
      throw FormatError("the modules give no sentence vector",
                        {.file = file().string(), .expected = "a Transformer, then a Pooling"});
    read_sentence_limits(transformer, result_);
    result_.prompt = read_prompt(directory_ / "config_sentence_transformers.json");
    if (!result_.prompt.empty() && !include_prompt_)
      throw UnsupportedError("a default prompt that is left out of the pooling is not supported",
                             {.file = file().string(), .field = "include_prompt"});
    std::vector<VectorModule>& modules = pipeline().modules;
    while (!modules.empty() && std::holds_alternative<Normalize>(modules.back())) {
      result_.normalize = true;
      modules.pop_back();
    }
    return std::move(result_);
  }

 private:
  VectorPipeline& pipeline() { return result_.pipeline; }
  fs::path file() const { return directory_ / "modules.json"; }

  void pool(PoolingModule module) {
    pipeline().poolings = std::move(module.poolings);
    include_prompt_ = module.include_prompt;
  }

  [[noreturn]] void misplaced(const Module& module) const {
    throw FormatError("the modules are in an order that gives no sentence vector",
                      {.file = file().string(),
                       .field = module.path.empty() ? "type" : module.path,
                       .expected = "a Transformer, then a Pooling, then the others",
                       .actual = module.type});
  }

  const fs::path& directory_;
  std::size_t hidden_size_;
  const PipelineEngine& engine_;
  std::size_t next_ = 0;  // modules taken
  bool include_prompt_ = true;
  SentenceTransformer result_;
};

}  // namespace

fs::path transformer_directory(const fs::path& directory) {
  const fs::path file = directory / "modules.json";
  if (!fs::exists(file)) return directory;
  for (const Module& module : read_modules(file))
    if (module.kind() == "Transformer" && !module.path.empty()) return directory / module.path;
  return directory;
}

std::optional<SentenceTransformer> read_sentence_transformer(const fs::path& directory,
                                                             std::size_t hidden_size,
                                                             const PipelineEngine& engine) {
  const fs::path file = directory / "modules.json";
  if (!fs::exists(file)) return std::nullopt;
  Assembly assembly(directory, hidden_size, engine);
  for (const Module& module : read_modules(file))
    assembly.add(module);
  return assembly.finish(transformer_directory(directory));
}

}  // namespace klue::detail
