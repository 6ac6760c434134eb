#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/tensor_lookup.hpp>
#include <klue/core/detail/json.hpp>
#include <klue/core/error.hpp>
#include <klue/model/detail/head.hpp>

namespace klue::detail {
namespace {

/// What config.json says about a head.
struct HeadConfig {
  std::string architecture;  ///< "RobertaForSequenceClassification"
  std::vector<std::string> label_names;
};

/// The names of the labels in their order; none where the file does not name exactly 0, 1, 2, …
std::vector<std::string> read_label_names(const JsonNode& id2label) {
  std::vector<std::string> names;
  if (!id2label.is_object()) return names;
  for (std::size_t i = 0; i < id2label.size(); ++i) {
    const auto name = id2label.find(std::to_string(i));
    if (!name || !name->is_string()) return {};
    names.push_back(name->string());
  }
  return names;
}

HeadConfig read_head_config(const std::filesystem::path& file) {
  HeadConfig result;
  if (file.empty()) return result;
  const JsonNode config = read_json_object(file);
  if (const auto found = config.find("architectures"))
    if (found->is_array() && found->size() != 0 && (*found->elements().begin()).is_string())
      result.architecture = (*found->elements().begin()).string();
  if (const auto found = config.find("id2label")) result.label_names = read_label_names(*found);
  return result;
}

/// The first part of every tensor name that is neither of the encoder nor of what no forward pass
/// needs: "lm_head", "qa_outputs".
std::set<std::string, std::less<>> foreign_parts(const Checkpoint& checkpoint) {
  constexpr std::array<std::string_view, 5> kEncoder{"embeddings", "embeddings_project", "encoder",
                                                     "pooler", "save_counter"};
  constexpr std::array<std::string_view, 4> kTraining{"keras_api", "optimizer", "_CHECKPOINTABLE",
                                                      "layer-"};
  std::set<std::string, std::less<>> parts;
  for (const auto& [name, view] : checkpoint.tensors()) {
    const std::string_view part = std::string_view(name).substr(0, name.find_first_of("./"));
    const auto begins = [&](std::string_view prefix) { return part.starts_with(prefix); };
    const auto is_prefix = [&](std::string_view prefix) {  // "roberta."
      return prefix.size() == part.size() + 1 && prefix.starts_with(part);
    };
    if (std::ranges::find(kEncoder, part) == kEncoder.end() &&
        std::ranges::none_of(encoder_prefixes, is_prefix) &&
        std::ranges::none_of(kTraining, begins) && part != "layer_with_weights-0" &&
        !(part == "classifier" && checkpoint.is_tensorflow()))  // "layer_with_weights-1" as well
      parts.emplace(part);
  }
  return parts;
}

class HeadReader {
 public:
  HeadReader(const EncoderConfig& config, const Checkpoint& checkpoint,
             const PipelineEngine& engine)
      : hidden_(config.hidden_size),
        inner_(config.model_type == "electra" ? Activation::gelu : Activation::tanh),
        tensors_(checkpoint),
        engine_(engine) {}

  /// RobertaClassificationHead: tanh(dense(first token)), then out_proj; Electra's has GELU.
  Head two_layers(HeadConfig config) const {
    Head head = described(std::move(config), "classifier.out_proj.weight", Pooling::cls);
    add(head, {"classifier.dense.weight", "classifier.dense.bias"}, hidden_, inner_);
    add(head, {"classifier.out_proj.weight", "classifier.out_proj.bias"}, head.info.labels);
    return head;
  }

  /// BertForSequenceClassification, and a Dense layer on a TF-Hub module: one layer on the pooler.
  Head one_layer(HeadConfig config) const {
    Head head = described(std::move(config), "classifier.weight", Pooling::pooler);
    add(head, {"classifier.weight", "classifier.bias"}, head.info.labels);
    return head;
  }

 private:
  Head described(HeadConfig config, std::string_view last_weight, Pooling pooling) const {
    const TensorView& weight = *tensors_.checkpoint().find(last_weight);
    if (weight.shape.size() != 2 || weight.shape[0] == 0)
      tensors_.fail("wrong shape", last_weight, "[labels, " + std::to_string(hidden_) + "]",
                    shape_string(weight.shape));
    Head head;
    head.info.labels = weight.shape[0];
    if (config.label_names.size() == head.info.labels)
      head.info.label_names = std::move(config.label_names);
    head.info.description = std::string("classifier on ") +
                            (pooling == Pooling::cls ? "the first token" : "the pooler's output");
    head.pipeline.poolings = {pooling};
    return head;
  }

  void add(Head& head, const DenseNames& names, std::size_t out,
           Activation activation = Activation::none) const {
    head.pipeline.modules.emplace_back(
        make_dense(tensors_, names, hidden_, out, activation, engine_));
  }

  std::size_t hidden_;
  Activation inner_;
  TensorLookup tensors_;
  const PipelineEngine& engine_;
};

}  // namespace

std::optional<Head> read_head(const std::filesystem::path& config_json, const EncoderConfig& config,
                              const Checkpoint& checkpoint, const PipelineEngine& engine) {
  HeadConfig head = read_head_config(config_json);
  const HeadReader reader(config, checkpoint, engine);
  if (checkpoint.find("classifier.dense.weight") != nullptr &&
      checkpoint.find("classifier.out_proj.weight") != nullptr)
    return reader.two_layers(std::move(head));
  // A classifier of tokens has the same names; a SavedModel of which only the tensors are known is
  // taken for what the TF-Hub page shows.
  const bool of_texts =
      checkpoint.is_tensorflow() || head.architecture.ends_with("ForSequenceClassification");
  if (checkpoint.find("classifier.weight") != nullptr && of_texts &&
      TensorLookup::of_encoder(checkpoint).has("pooler.dense.weight"))
    return reader.one_layer(std::move(head));

  const auto parts = foreign_parts(checkpoint);
  if (parts.empty()) return std::nullopt;
  Head unknown;
  for (const std::string& part : parts)
    unknown.info.description.append(unknown.info.description.empty() ? "not run: " : ", ")
        .append(part);
  return unknown;
}

}  // namespace klue::detail
