#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/readers.hpp>
#include <klue/core/detail/json.hpp>
#include <klue/core/detail/model_layout.hpp>
#include <klue/core/detail/place.hpp>
#include <klue/core/error.hpp>
#include <klue/model/detail/sentence_transformers.hpp>

namespace klue::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostFeatures = std::uint64_t{1} << 24;

/// modules.json names folders of its own directory; one that leads elsewhere is no model's.
std::vector<ModuleEntry> read_own_modules(const Place& directory) {
  std::vector<ModuleEntry> modules = read_module_entries(directory);
  for (const ModuleEntry& module : modules) {
    const fs::path path = module.path;
    if (path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end())
      throw FormatError(
          "a module outside of the model directory",
          {.file = (directory / "modules.json").string(), .field = "path", .actual = module.path});
  }
  return modules;
}

// ------------------------------------------------------------------------------------- pooling

/// In the order in which sentence_transformers/models/Pooling.py puts them side by side.
struct PoolingMode {
  std::string_view key;
  Pooling pooling;
};
constexpr std::array<PoolingMode, 4> kModes{{
    {"pooling_mode_cls_token", Pooling::cls},
    {"pooling_mode_max_tokens", Pooling::max},
    {"pooling_mode_mean_tokens", Pooling::mean},
    {"pooling_mode_mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
}};
constexpr const char* kKnownModes = "cls, max, mean and mean_sqrt_len, alone or side by side";

/// `pooling_mode`, which overrides the switches: "mean", or a list of such names.
std::vector<Pooling> named_poolings(const JsonNode& mode) {
  constexpr std::array<std::pair<std::string_view, Pooling>, 4> kNames{{
      {"cls", Pooling::cls},
      {"max", Pooling::max},
      {"mean", Pooling::mean},
      {"mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
  }};
  std::array<bool, kNames.size()> chosen{};
  const auto choose = [&](const JsonNode& value) {
    const std::string name = value.is_string() ? value.string() : "no string";
    const auto known =
        std::ranges::find(kNames, name, &std::pair<std::string_view, Pooling>::first);
    if (known == kNames.end())
      throw UnsupportedError(
          "this pooling is not supported",
          {.file = mode.file(), .field = mode.path(), .expected = kKnownModes, .actual = name});
    chosen[static_cast<std::size_t>(known - kNames.begin())] = true;
  };
  if (mode.is_array())
    for (const JsonNode& value : mode.elements())
      choose(value);
  else
    choose(mode);
  std::vector<Pooling> poolings;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (chosen[i]) poolings.push_back(kNames[i].second);
  return poolings;
}

/// The pooling_mode_… switches. Only mean is on where nothing is said.
std::vector<Pooling> switched_poolings(const JsonNode& config) {
  for (const auto& [key, value] : config.members()) {
    if (!key.starts_with("pooling_mode_") || !value.boolean()) continue;
    if (std::ranges::find(kModes, key, &PoolingMode::key) == kModes.end())
      throw UnsupportedError(
          "this pooling is not supported",
          {.file = config.file(), .field = std::string(key), .expected = kKnownModes});
  }
  std::vector<Pooling> poolings;
  for (const PoolingMode& mode : kModes)
    if (config.boolean_or(mode.key, mode.pooling == Pooling::mean))
      poolings.push_back(mode.pooling);
  return poolings;
}

/// What config.json of a Pooling module says.
struct PoolingModule {
  std::vector<Pooling> poolings;
  bool include_prompt = true;
};

PoolingModule read_pooling(const Place& file, std::size_t hidden_size) {
  const JsonNode config = read_json_object(file);
  if (const auto width = config.find("word_embedding_dimension");
      width && width->integer(1, kMostFeatures) != hidden_size)
    width->wrong(std::to_string(hidden_size), "the pooling is of another encoder");
  PoolingModule result;
  const auto mode = config.find("pooling_mode");
  result.poolings = mode ? named_poolings(*mode) : switched_poolings(config);
  if (result.poolings.empty())
    throw FormatError("no pooling mode is chosen", {.file = file.string()});
  result.include_prompt = config.boolean_or("include_prompt", true);
  return result;
}

// --------------------------------------------------------------------------------------- Dense

Activation read_dense_activation(const JsonNode& config) {
  constexpr std::array<std::pair<const char*, Activation>, 4> kActivations{{
      {"torch.nn.modules.activation.Tanh", Activation::tanh},
      {"torch.nn.modules.linear.Identity", Activation::none},
      {"torch.nn.modules.activation.GELU", Activation::gelu},
      {"torch.nn.modules.activation.ReLU", Activation::relu},
  }};
  const auto node = config.find("activation_function");
  if (!node) return Activation::tanh;  // Dense.py's default
  const std::string name = node->string();
  std::string expected;
  for (const auto& [known, activation] : kActivations) {
    if (name == known) return activation;
    expected.append(expected.empty() ? "" : ", ").append(known);
  }
  throw UnsupportedError("this activation is not supported", {.file = node->file(),
                                                              .field = node->path(),
                                                              .expected = std::move(expected),
                                                              .actual = name});
}

/// A Dense module in `folder` that takes vectors of `width`.
Dense read_dense_module(const Place& folder, std::size_t width, const PipelineEngine& engine) {
  const JsonNode config = read_json_object(folder / "config.json");
  const auto features = [&](const char* key) {
    return static_cast<std::size_t>(config.at(key).integer(1, kMostFeatures));
  };
  const std::size_t in = features("in_features"), out = features("out_features");
  if (in != width)
    config.at("in_features")
        .wrong(std::to_string(width), "the layer does not take the vectors that come before it");
  // Newer versions can connect a layer to other things than the sentence's vector.
  for (const char* key : {"module_input_name", "module_output_name"})
    if (const auto name = config.find(key); name && name->string() != "sentence_embedding")
      throw UnsupportedError("this connection is not supported", {.file = name->file(),
                                                                  .field = key,
                                                                  .expected = "sentence_embedding",
                                                                  .actual = name->string()});
  const bool bias = config.boolean_or("bias", true);
  const Activation activation = read_dense_activation(config);
  const Checkpoint checkpoint = open_place(folder);
  return make_dense(TensorLookup(checkpoint), {"linear.weight", bias ? "linear.bias" : ""}, in, out,
                    activation, engine);
}

// ---------------------------------------------------------------------------- the other files

/// max_seq_length and do_lower_case, beside the encoder.
void read_sentence_limits(const Place& directory, SentenceTransformer& result) {
  // The second name is that of versions before 1.0.
  for (const char* name : {"sentence_bert_config.json", "sentence_roberta_config.json"}) {
    const Place file = directory / name;
    if (!file_exists(file)) continue;
    const JsonNode config = read_json_object(file);
    if (const auto length = config.find("max_seq_length"))
      result.max_seq_length =
          static_cast<std::size_t>(length->integer(1, std::numeric_limits<std::int32_t>::max()));
    result.lower_case = config.boolean_or("do_lower_case", false);
    return;
  }
}

/// The prompt that encode() puts before every text unless it is told otherwise.
std::string read_prompt(const Place& file) {
  if (!file_exists(file)) return {};
  const JsonNode config = read_json_object(file);
  const auto name = config.find("default_prompt_name");
  if (!name) return {};
  const auto prompts = config.find("prompts");
  const auto prompt = prompts && prompts->is_object() ? prompts->find(name->string()) : prompts;
  if (!prompt || !prompt->is_string())
    throw FormatError(
        "the default prompt is not among the prompts",
        {.file = file.string(), .field = "prompts", .expected = "a text " + name->string()});
  return prompt->string();
}

/// Takes the modules in turn, each with the width of the vectors that reach it.
class Assembly {
 public:
  Assembly(const Place& directory, std::size_t hidden_size, const PipelineEngine& engine)
      : directory_(directory), hidden_size_(hidden_size), engine_(engine) {}

  void add(const ModuleEntry& module) {
    const std::string_view kind = module.kind();
    const bool known = kind == "Transformer" || kind == "Pooling" || kind == "Dense" ||
                       kind == "Normalize" || kind == "Dropout";
    // Only what is known can be in the wrong place.
    if (known && (kind == "Transformer") != (next_ == 0)) misplaced(module);
    if (known && next_ > 0 && (kind == "Pooling") != (next_ == 1)) misplaced(module);
    ++next_;
    if (kind == "Pooling")
      pool(read_pooling(directory_ / module.folder / "config.json", hidden_size_));
    else if (kind == "Dense" && !dense_folders_.insert(module.folder).second)
      // One small folder, listed often, could fill any memory.
      throw FormatError("two Dense modules in one folder",
                        {.file = file().string(), .field = module.folder});
    else if (kind == "Dense")
      pipeline().modules.emplace_back(
          read_dense_module(directory_ / module.folder, pipeline().width(hidden_size_), engine_));
    else if (kind == "Normalize")
      pipeline().modules.emplace_back(Normalize{});
    else if (!known)
      throw UnsupportedError("this module is not supported",
                             {.file = file().string(),
                              .field = module.folder.empty() ? "type" : module.folder,
                              .expected = "a Transformer, then Pooling, then any of Dense, "
                                          "Normalize and Dropout",
                              .actual = module.type});
    // Dropout does nothing outside of training.
  }

  SentenceTransformer finish(const Place& transformer) {
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
  Place file() const { return directory_ / "modules.json"; }

  void pool(PoolingModule module) {
    pipeline().poolings = std::move(module.poolings);
    include_prompt_ = module.include_prompt;
  }

  [[noreturn]] void misplaced(const ModuleEntry& module) const {
    throw FormatError("the modules are in an order that gives no sentence vector",
                      {.file = file().string(),
                       .field = module.folder.empty() ? "type" : module.folder,
                       .expected = "a Transformer, then a Pooling, then the others",
                       .actual = module.type});
  }

  const Place& directory_;
  std::size_t hidden_size_;
  const PipelineEngine& engine_;
  std::size_t next_ = 0;  // modules taken
  bool include_prompt_ = true;
  std::set<std::string> dense_folders_;
  SentenceTransformer result_;
};

}  // namespace

Place transformer_directory(const Place& directory) {
  const std::string folder = transformer_folder(read_own_modules(directory));
  return folder.empty() ? directory : directory / folder;
}

std::optional<SentenceTransformer> read_sentence_transformer(const Place& directory,
                                                             std::size_t hidden_size,
                                                             const PipelineEngine& engine) {
  if (!file_exists(directory / "modules.json")) return std::nullopt;
  Assembly assembly(directory, hidden_size, engine);
  for (const ModuleEntry& module : read_own_modules(directory))
    assembly.add(module);
  return assembly.finish(transformer_directory(directory));
}

}  // namespace klue::detail
