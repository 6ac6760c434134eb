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

/// A string; for another value its kind, which nobody will take for a known name; empty for none.
std::string name_of(const JsonNode& object, const char* key) {
  const auto found = object.find(key);
  if (!found || found->is_null()) return {};
  return found->is_string() ? found->string() : "no string";
}

HeadConfig head_config_of(const JsonNode& config, const std::filesystem::path& file) {
  HeadConfig result;
  result.file = file;
  if (const auto found = config.find("architectures"))
    if (found->is_array() && found->size() != 0 && (*found->elements().begin()).is_string())
      result.architecture = (*found->elements().begin()).string();
  if (const auto found = config.find("id2label"); found && !found->is_null()) {
    result.has_labels = true;
    result.label_names = read_label_names(*found);
  }
  result.problem_type = name_of(config, "problem_type");
  // sentence-transformers 4 keeps it in an object of its own.
  result.activation_function = name_of(config, "sbert_ce_default_activation_function");
  if (const auto found = config.find("sentence_transformers"))
    if (found->is_object() && result.activation_function.empty())
      result.activation_function = name_of(*found, "activation_fn");
  if (const auto found = config.find("tie_word_embeddings"))
    result.tie_word_embeddings = !found->is_boolean() || found->boolean();
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
        std::ranges::none_of(kEncoderPrefixes, is_prefix) &&
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
  Head two_layers(const HeadConfig& config) const {
    Head head = described(config, "classifier.out_proj.weight", Pooling::cls);
    add(head, {"classifier.dense.weight", "classifier.dense.bias"}, hidden_, inner_);
    add(head, {"classifier.out_proj.weight", "classifier.out_proj.bias"}, head.info.labels);
    return head;
  }

  /// BertForSequenceClassification, and a Dense layer on a TF-Hub module: one layer on the pooler.
  Head one_layer(const HeadConfig& config) const {
    Head head = described(config, "classifier.weight", Pooling::pooler);
    add(head, {"classifier.weight", "classifier.bias"}, head.info.labels);
    return head;
  }

 private:
  Head described(const HeadConfig& config, std::string_view last_weight, Pooling pooling) const {
    const TensorView& weight = *tensors_.checkpoint().find(last_weight);
    if (weight.shape.size() != 2 || weight.shape[0] == 0)
      tensors_.fail("wrong shape", last_weight, "[labels, " + std::to_string(hidden_) + "]",
                    shape_string(weight.shape));
    Head head;
    head.info.labels = weight.shape[0];
    if (config.label_names.size() == head.info.labels) head.info.label_names = config.label_names;
    head.info.description = std::string("classifier on ") +
                            (pooling == Pooling::cls ? "the first token" : "the pooler's output");
    head.info.tasks = {Task::classify};
    if (head.info.labels == 1) head.info.tasks.push_back(Task::rank);
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

bool has_pooler(const Checkpoint& checkpoint) {
  return TensorLookup::of_encoder(checkpoint).has("pooler.dense.weight");
}

/// Whether any tensor's name begins so.
bool has_part(const Checkpoint& checkpoint, std::string_view prefix) {
  const auto found = checkpoint.tensors().lower_bound(prefix);
  return found != checkpoint.tensors().end() && found->first.starts_with(prefix);
}

/// The classifier of texts; nothing where there is none.
std::optional<Head> read_text_classifier(const HeadConfig& head, const EncoderConfig& config,
                                         const Checkpoint& checkpoint,
                                         const PipelineEngine& engine) {
  const HeadReader reader(config, checkpoint, engine);
  if (checkpoint.find("classifier.dense.weight") != nullptr &&
      checkpoint.find("classifier.out_proj.weight") != nullptr)
    return reader.two_layers(head);
  // A classifier of tokens has the same names; a SavedModel of which only the tensors are known is
  // taken for what the TF-Hub page shows.
  const bool of_texts =
      checkpoint.is_tensorflow() || head.architecture.ends_with("ForSequenceClassification");
  if (checkpoint.find("classifier.weight") != nullptr && of_texts && has_pooler(checkpoint))
    return reader.one_layer(head);
  return std::nullopt;
}

/// A head that says something of every token.
struct TokenHeadKind {
  Task task;
  const char* description;
  bool there;
};

/// The classifier of tokens has the name that a classifier of texts can have. Who says nothing of
/// the architecture and has no pooler for it to stand on means tokens.
std::array<TokenHeadKind, 3> token_heads(const HeadConfig& head, const Checkpoint& checkpoint) {
  const bool of_tokens = head.architecture.ends_with("ForTokenClassification") ||
                         (head.architecture.empty() && !has_pooler(checkpoint) &&
                          checkpoint.find("classifier.weight") != nullptr);
  return {{{Task::tag, "classifier of tokens",
            of_tokens && has_part(checkpoint, "classifier.") && !checkpoint.is_tensorflow()},
           {Task::answer, "beginnings and ends of answers", has_part(checkpoint, "qa_outputs.")},
           {Task::fill_mask, "masked language model",
            has_part(checkpoint, "lm_head.") || has_part(checkpoint, "cls.predictions.") ||
                has_part(checkpoint, "generator_predictions.")}}};
}

}  // namespace

HeadConfig read_head_config(const Place& file) {
  if (file.path().empty()) return {};
  return head_config_of(read_json_object(file), file.path());
}

HeadConfig parse_head_config(std::string_view text, const std::filesystem::path& file) {
  return head_config_of(parse_json(text, file.string()), file);
}

std::optional<Head> read_head(const HeadConfig& head_config, const EncoderConfig& config,
                              const Checkpoint& checkpoint, const PipelineEngine& engine) {
  std::optional<Head> head = read_text_classifier(head_config, config, checkpoint, engine);
  for (const TokenHeadKind& kind : token_heads(head_config, checkpoint)) {
    if (!kind.there) continue;
    if (!head) head.emplace();
    HeadInfo& info = head->info;
    info.description.append(info.description.empty() ? "" : ", ").append(kind.description);
    info.tasks.push_back(kind.task);
    if (kind.task == Task::tag) info.label_names = head_config.label_names;
  }
  if (head) return head;

  const auto parts = foreign_parts(checkpoint);
  if (parts.empty()) return std::nullopt;
  Head unknown;
  for (const std::string& part : parts)
    unknown.info.description.append(unknown.info.description.empty() ? "not run: " : ", ")
        .append(part);
  return unknown;
}

}  // namespace klue::detail
