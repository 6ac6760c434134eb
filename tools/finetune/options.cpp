#include "options.hpp"

#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"
#include "common/command.hpp"
#include "common/number.hpp"

namespace finetune {
namespace {

constexpr const char* kDescription =
    "Fine-tunes a RoBERTa or BERT model and writes a Hugging Face directory (for embed: a\n"
    "sentence-transformers directory), which embed, predict and Hugging Face's classes load.";

constexpr const char* kExamples =
    "Examples:\n"
    "  " KLUE_PROGRAM
    " --model klue/roberta-base --task classify --train klue-nli-train.json \\\n"
    "           --dev klue-nli-dev.json --out my-nli\n"
    "  " KLUE_PROGRAM
    " --task tag --train klue-ner-train.tsv --dev klue-ner-dev.tsv --out my-ner --lr "
    "1e-3\n"
    "  " KLUE_PROGRAM
    " --task embed --train kor-sts-train.tsv --dev kor-sts-dev.tsv --out my-embedder\n"
    "  " KLUE_PROGRAM
    " … --resume        # after a crash: goes on, to the same bits\n\n"
    "Files (the content says which it is): KLUE's and KorNLU's, tables with tabs, JSON lines with\n"
    "text, text_pair, label (labels, score), or input_ids and label.\n\n"
    "Until it is finished a training lives in OUT.training; OUT appears whole or not at all.\n\n"
    "Exit status: 0 done, 1 could not do it, 2 wrong usage.";

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const tools::Names<Task> kTasks{{"classify", Task::classify}, {"regress", Task::regress},
                                {"rank", Task::rank},         {"tag", Task::tag},
                                {"answer", Task::answer},     {"mlm", Task::mlm},
                                {"embed", Task::embed}};
const tools::Names<EmbedLoss> kLosses{{"auto", EmbedLoss::automatic},
                                      {"cosine", EmbedLoss::cosine},
                                      {"cosent", EmbedLoss::cosent},
                                      {"negatives", EmbedLoss::negatives}};
const tools::Names<klue::train::Decay> kSchedules{{"linear", klue::train::Decay::linear},
                                                  {"cosine", klue::train::Decay::cosine},
                                                  {"constant", klue::train::Decay::constant}};
const tools::Names<klue::DType> kDTypes{{"f32", klue::DType::f32}, {"bf16", klue::DType::bf16}};
const tools::Names<klue::Precision> kTrainPrecisions{{"f32", klue::Precision::f32},
                                                     {"bf16", klue::Precision::bf16}};

// NAME=X, with a number that is not below 0.
std::optional<std::pair<std::string, double>> named_rate(const std::string& text) {
  const std::size_t sign = text.rfind('=');
  if (sign == 0 || sign == std::string::npos) return std::nullopt;
  const std::optional<double> rate = tools::finite_number(text.substr(sign + 1));
  if (!rate || *rate < 0) return std::nullopt;
  return std::pair{text.substr(0, sign), *rate};
}

std::string is_rate(const std::string& text) {
  return named_rate(text) ? "" : "not a name and a number that is at least 0: " + text;
}

void add_data_options(CLI::App& app, Options& o) {
  app.add_option("--model", o.model,
                 "Model directory, or name on the Hugging Face hub;\n"
                 "default: the bundled demo model")
      ->type_name("DIR|NAME");
  tools::add_choice(app, "--task", o.plan.task, kTasks, "What the model is to do")->required();
  app.add_option("--train", o.train, "Training data")->type_name("FILE")->required();
  app.add_option("--dev", o.dev,
                 "Development data: a score after each epoch, and the best\n"
                 "epoch's parameters in the end")
      ->type_name("FILE");
  app.add_option("--out", o.training.out, "Directory to write")->type_name("DIR")->required();
  tools::add_choice(app, "--dtype", o.dtype, kDTypes,
                    "Of the weights that are written; bf16 is half the size;\n"
                    "default: f32");
  app.add_option("--labels", o.plan.labels,
                 "Names of the labels, in the order of the logits;\n"
                 "default: the model's, else those of the data")
      ->type_name("A,B,…")
      ->delimiter(',');
  app.add_flag("--new-head", o.plan.new_head, "Begin with a new head even where the model has one");
  app.add_option("--max-length", o.plan.max_length,
                 "Most tokens of an example; default: as many as the model\ntakes")
      ->type_name("N")
      ->check(CLI::Range(1, tools::kMostTokens).description(""));
  tools::add_number(app, "--score-max", o.plan.score_max, 0, kInfinity,
                    "Scores (regress, embed) are divided by it; default: 5\n"
                    "where one is above 1",
                    /*above=*/true);
  tools::add_choice(app, "--loss", o.plan.loss, kLosses,
                    "Of embed; auto: cosine where there are scores, else\n"
                    "negatives (the other pairs of the batch)");
  app.add_option("--order", o.order, "JSON: batches, each a list of example numbers from 0")
      ->type_name("FILE");
}

void add_training_options(CLI::App& app, TrainingOptions& t, Options& o) {
  const auto number = [&](const char* flag, auto& target, const char* text) {
    tools::add_number(app, flag, target, 0, kInfinity, text);
  };
  const auto rate = [&](const char* flag, auto& target, const char* text) {
    tools::add_number(app, flag, target, 0, 0.99, text);
  };
  tools::add_count(app, "--epochs", t.epochs, 1, 1 << 20, "Default: 3");
  app.add_option("--steps", t.steps, "Steps, instead of epochs")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  tools::add_count(app, "--batch", t.batch, 1, 1 << 20, "Examples of a step; default: 32");
  tools::add_count(app, "--accumulate", t.accumulate, 1, 1 << 20,
                   "Parts that a step is made of, for less memory; default: 1");
  number("--lr", t.learning_rate, "Learning rate after the warm-up; default: 5e-5");
  app.add_option("--warmup-steps", t.warmup_steps, "Steps of the warm-up; default: a tenth")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 30).description(""));
  rate("--warmup", t.warmup, "Warm-up as a part of all steps; default: 0.1");
  tools::add_choice(app, "--schedule", t.schedule, kSchedules, "Default: linear");
  number("--spread", t.spread,
         "Of embed: X times the mean squared cosine of texts that\n"
         "are no pair, over the batch, is added to the loss;\n"
         "default: 0");
  number("--weight-decay", t.weight_decay, "Default: 0.01");
  number("--clip", t.clip, "Largest norm of the gradient; 0: any; default: 1");
  rate("--dropout", o.dropout, "Default: as config.json says");
  tools::add_number(app, "--layer-decay", t.layer_decay, 0.01, 1,
                    "The rate of a layer is X times that of the layer above;\ndefault: 1");
  app.add_option_function<std::vector<std::string>>(
         "--lr-mult",
         [&t](const std::vector<std::string>& texts) {
           for (const std::string& text : texts)
             t.rates.push_back(*named_rate(text));
         },
         "The rate of parameters whose names contain NAME is X\n"
         "times --lr; 0: they stay as they are; can be repeated,\n"
         "the last that fits counts")
      ->type_name("NAME=X")
      ->allow_extra_args(false)
      ->check(is_rate);
  app.add_flag("--freeze-embeddings", t.freeze_embeddings, "Leave the embeddings as they are");
  tools::add_count(app, "--freeze-layers", t.freeze_layers, 0, 1 << 16,
                   "Leave the embeddings and the lowest N layers as they are");
  app.add_option("--seed", t.seed, "Of order, dropout, new head; default: 1")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""));
  tools::add_count(app, "--patience", t.patience, 1, 1 << 20,
                   "Stop after N epochs that are not better");
  app.add_flag("--recompute", t.recompute, "Compute layers twice, for less memory");
  tools::add_choice(app, "--precision", o.precision, kTrainPrecisions,
                    "Of the products; parameters are f32; default: f32");
  tools::add_count(app, "--threads", o.threads, 0, tools::kMostThreads,
                   "Threads to work with; 0 (default): all there are");
}

void add_run_options(CLI::App& app, TrainingOptions& t) {
  app.add_option("--log", t.log, "Loss, gradient norm and rate of every step, as JSON lines")
      ->type_name("FILE");
  tools::add_count(app, "--save-steps", t.save_steps, 1, 1 << 30,
                   "Save the state every N steps and after each epoch;\ndefault: 500");
  app.add_flag("--resume", t.resume, "Go on with an interrupted training, if there is one");
  app.add_flag("--overwrite", t.overwrite, "Replace what is at --out");
  app.add_flag("--quiet", t.quiet, "No progress on standard error");
}

[[noreturn]] void refuse(const std::string& message) {
  throw CLI::ValidationError(message);
}

// An option that would change nothing is refused: whoever gives it expects something of it.
void check_combinations(const Options& o) {
  if (o.training.out.empty()) refuse("--out: expected a directory's name");
  std::set<std::string> seen;
  for (const std::string& label : o.plan.labels)
    if (!seen.insert(label).second) refuse("--labels: the same label twice: " + label);
  if (o.plan.score_max > 0 && o.plan.task != Task::regress && o.plan.task != Task::embed)
    refuse("--score-max goes with --task regress or embed");
  if (o.plan.loss != EmbedLoss::automatic && o.plan.task != Task::embed)
    refuse("--loss goes with --task embed");
  if (o.training.patience > 0 && !o.dev) refuse("--patience goes with --dev");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv, int& status) {
  Options options;
  CLI::App app{kDescription, KLUE_PROGRAM};
  tools::describe(app, KLUE_VERSION, kExamples);
  add_data_options(app, options);
  add_training_options(app, options.training, options);
  add_run_options(app, options.training);
  const auto check = [&] { check_combinations(options); };
  if (!tools::parsed(app, argc, argv, check, status)) return std::nullopt;
  return options;
}

}  // namespace finetune
