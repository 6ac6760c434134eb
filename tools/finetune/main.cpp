// The command `finetune`: trains what embed and predict run.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/klue.hpp>
#include <klue/train.hpp>

#include "common/command.hpp"
#include "common/demo_model.hpp"
#include "common/model_path.hpp"
#include "common/output_file.hpp"
#include "dataset.hpp"
#include "options.hpp"
#include "record.hpp"
#include "training.hpp"

namespace finetune {
namespace {

using nlohmann::json;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw klue::IoError("cannot read", {.file = file.string()});
  return {std::istreambuf_iterator<char>(stream), {}};
}

json config_of(const std::filesystem::path& model) {
  const std::filesystem::path file = model / "config.json";
  if (!std::filesystem::exists(file))
    throw klue::UnsupportedError("only Hugging Face directories can be fine-tuned",
                                 {.file = file.string(), .expected = "config.json"});
  const json config = json::parse(content_of(file), nullptr, false);
  if (!config.is_object()) throw klue::FormatError("no JSON object", {.file = file.string()});
  return config;
}

std::vector<std::string> label_names(const json& config) {
  std::vector<std::string> names;
  const auto found = config.find("id2label");
  if (found == config.end() || !found->is_object()) return names;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto name = found->find(std::to_string(i));
    if (name == found->end() || !name->is_string()) return {};
    names.push_back(name->get<std::string>());
  }
  return names;
}

std::vector<std::vector<std::size_t>> read_order(const std::string& file, std::size_t examples) {
  const json order = json::parse(content_of(file), nullptr, false);
  if (!order.is_array() || !std::ranges::all_of(order, &json::is_array))
    throw klue::FormatError("no list of batches", {.file = file});
  std::vector<std::vector<std::size_t>> batches;
  for (const json& batch : order) {
    batches.emplace_back();
    for (const json& example : batch) {
      if (!example.is_number_unsigned() || example.get<std::size_t>() >= examples)
        throw klue::FormatError(
            "a line that the training data has not",
            {.file = file,
             .expected = "whole numbers below " + std::to_string(examples),
             .actual = example.dump(-1, ' ', false, json::error_handler_t::replace)});
      batches.back().push_back(example.get<std::size_t>());
    }
  }
  if (batches.empty() || std::ranges::any_of(batches, [](const auto& b) { return b.empty(); }))
    throw klue::FormatError("a batch without examples", {.file = file});
  return batches;
}

// FNV-1a: enough to see that a file is another one.
std::string digest(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : content)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return std::to_string(hash);
}

// All that decides the result, so that --resume does not mix two trainings.
std::string fingerprint(const Options& o, const Plan& plan, const std::filesystem::path& model) {
  const TrainingOptions& t = o.training;
  json parts = {static_cast<int>(plan.task),
                static_cast<int>(plan.objective),
                plan.labels,
                plan.score_max,
                plan.max_length,
                plan.new_head,
                t.epochs,
                t.batch,
                t.steps.value_or(0),
                t.warmup_steps.value_or(0),
                t.warmup_steps.has_value(),
                t.warmup,
                t.learning_rate,
                t.weight_decay,
                t.clip,
                t.layer_decay,
                t.rates,
                t.spread,
                static_cast<int>(t.schedule),
                t.hidden_dropout,
                t.attention_dropout,
                t.head_dropout,
                t.seed,
                t.accumulate,
                t.freeze_layers,
                t.freeze_embeddings,
                t.patience,
                static_cast<int>(o.precision),
                digest(content_of(o.train)),
                digest(content_of(model / "config.json"))};
  for (const auto& file : {o.dev, o.order})
    parts.push_back(file ? digest(content_of(*file)) : "");
  return digest(parts.dump());
}

// The checkpoint without the head that it has: a new one is drawn then.
klue::Checkpoint without_head(const klue::Checkpoint& checkpoint) {
  klue::Checkpoint::Tensors tensors;
  for (const auto& [name, view] : checkpoint.tensors())
    if (!name.starts_with("classifier.") && !name.starts_with("qa_outputs.") &&
        !name.starts_with("lm_head.") && !name.starts_with("cls."))
      tensors.emplace(name, view);
  return {checkpoint.file(), std::move(tensors), {}, checkpoint.format()};
}

void set_dropout(TrainingOptions& t, const json& config, const std::optional<double>& all) {
  const auto rate = [&](const char* key, double fallback) {
    if (all) return *all;
    const auto found = config.find(key);
    return found != config.end() && found->is_number() ? found->get<double>() : fallback;
  };
  t.hidden_dropout = rate("hidden_dropout_prob", 0.1);
  t.attention_dropout = rate("attention_probs_dropout_prob", 0.1);
  t.head_dropout = rate("classifier_dropout", t.hidden_dropout);
}

bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto relative = std::filesystem::weakly_canonical(inner).lexically_relative(
      std::filesystem::weakly_canonical(outer / ""));
  return !relative.empty() && *relative.begin() != "..";
}

// Neither the log nor a directory that is replaced may take away what the training reads.
void refuse_what_is_read(const Options& options, const std::filesystem::path& model) {
  const std::pair<std::optional<std::string>, const char*> files[] = {
      {options.train, "the training data"},
      {options.dev, "the development data"},
      {options.order, "the order"}};
  const TrainingOptions& t = options.training;
  for (const auto& [file, what] : files) {
    if (!file) continue;
    if (t.log) tools::refuse_same_file(t.log->string(), *file, what, "--log");
    if (t.overwrite && is_within(*file, t.out))
      throw klue::UsageError(
          std::string("the output would replace ") + what,
          {.file = t.out.string(), .expected = "another --out", .actual = *file});
  }
  if (t.log) tools::refuse_file_of(t.log->string(), model, "a file of the model", "--log");
  // The model itself may go on as its own successor, but not with all that stands beside it.
  if (t.overwrite && is_within(model, t.out) && !is_within(t.out, model))
    throw klue::UsageError(
        "the output would replace the folder of the model",
        {.file = t.out.string(), .expected = "another --out", .actual = model.string()});
  const std::filesystem::path here = std::filesystem::current_path();
  if (t.overwrite && is_within(here, t.out))
    throw klue::UsageError(
        "the output would replace the current directory",
        {.file = t.out.string(), .expected = "another --out", .actual = here.string()});
}

void run(Options options) {
  if (!prepare_output(options.training)) {
    if (!options.training.quiet)
      std::cerr << KLUE_PROGRAM ": " << options.training.out.string() << " is finished\n";
    return;
  }
  const std::filesystem::path model =
      options.model.empty()
          ? tools::demo_model()
          : tools::model_path(KLUE_PROGRAM, options.model, options.training.quiet);
  refuse_what_is_read(options, model);
  const json config = config_of(model);
  const klue::EncoderConfig encoder = klue::read_encoder_config(model / "config.json");
  const klue::Checkpoint checkpoint = klue::open_checkpoint(model);
  const klue::Preprocessor preprocessor = klue::load_preprocessor(model);

  std::vector<Record> records = read_records(options.train);
  TrainingParts parts;
  parts.plan = make_plan(options.plan, encoder, checkpoint, label_names(config), records);
  parts.train = make_dataset(std::move(records), parts.plan, preprocessor);
  if (options.dev) parts.dev = make_dataset(read_records(*options.dev), parts.plan, preprocessor);
  if (options.order)
    options.training.order = read_order(*options.order, parts.train.examples.size());
  set_dropout(options.training, config, options.dropout);
  options.training.fingerprint = fingerprint(options, parts.plan, model);

  const klue::SpecialIds& special = preprocessor.tokenizer().special_ids();
  parts.special = {special.cls, special.sep, special.pad, special.unk};
  if (parts.plan.task == Task::mlm && !special.mask)
    throw klue::UnsupportedError("a tokenizer without [MASK]", {.file = model.string()});
  parts.masking = {.mask_id = special.mask.value_or(0), .vocabulary = encoder.vocab_size};
  parts.directory = {.source = model,
                     .label_names = parts.plan.labels,
                     .problem_type = parts.plan.problem_type,
                     .max_length = parts.plan.max_length,
                     .dtype = options.dtype};
  const klue::Checkpoint start = parts.plan.new_head ? without_head(checkpoint) : checkpoint;
  train(klue::train::Network<float>(parts.plan.network, start, options.training.seed,
                                    std::make_shared<klue::ThreadPool>(options.threads),
                                    options.precision),
        parts, options.training);
}

}  // namespace
}  // namespace finetune

int main(int argc, char** argv) {
  return tools::run_command(KLUE_PROGRAM, [&] {
    int status = 0;
    if (auto options = finetune::parse_command_line(argc, argv, status))
      finetune::run(std::move(*options));
    return status;
  });
}
