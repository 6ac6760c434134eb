#include "options.hpp"

#include <string>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"
#include "common/command.hpp"

namespace evaluate {
namespace {

constexpr const char* kDescription =
    "How well a model's cosines agree with people: Spearman's and Pearson's correlation with the\n"
    "scores of sentence pairs, in every precision, beside the cosines of character n-grams.\n"
    "With --task, how KLUE scores a fine-tuned model on its tasks; with --score, predictions,\n"
    "whatever made them.";

constexpr const char* kExamples =
    "Examples:\n"
    "  " KLUE_PROGRAM
    " --model klue-roberta-base kor-sts-dev.tsv klue-sts-v1.1_dev.json\n"
    "  " KLUE_PROGRAM
    " --model my-model --precision f32 --no-baseline --format tsv my-pairs.tsv\n"
    "  " KLUE_PROGRAM
    " --task ner --model my-ner klue-ner-v1.1_dev.tsv\n"
    "  " KLUE_PROGRAM
    " --score nli --input predictions.jsonl\n\n"
    "Files: KLUE-STS (JSON; the score is \"real-label\"), KorSTS, or any table with tabs whose\n"
    "first line names columns sentence1, sentence2 and score. The content says which it is.\n\n"
    "The n-grams (\"ngrams\" in the table) are letters and pairs of letters within words, "
    "weighted\n"
    "by TF-IDF over all sentences of the file: what a comparison of spellings achieves.\n\n"
    "KLUE's tasks (--task): files as KLUE publishes them, v1.1, with the preprocessing and the "
    "scores\n"
    "of its official baseline. DP and WoS have heads of that baseline's own, and are left out.\n\n"
    "Predictions (--score): a line is one set, {\"name\": …, \"gold\": […], \"predictions\": […]}, "
    "of\n"
    "numbers of labels; sts: numbers; ner: the characters of all sentences in one row; mrc: "
    "texts,\n"
    "and gold a list of texts each; re: also \"probabilities\", 30 numbers each. One JSON line "
    "comes\n"
    "out for each, in percent, null where a score is not defined.\n\n"
    "Exit status: 0 done, 1 could not do it, 2 wrong usage.";

const tools::Names<Format> kFormats{
    {"text", Format::text}, {"tsv", Format::tsv}, {"jsonl", Format::jsonl}};
const tools::Names<Benchmark> kBenchmarks{{"ynat", Benchmark::ynat}, {"nli", Benchmark::nli},
                                          {"sts", Benchmark::sts},   {"ner", Benchmark::ner},
                                          {"re", Benchmark::re},     {"mrc", Benchmark::mrc}};

void add_options(CLI::App& app, Options& o) {
  app.add_option("FILE", o.files, "Files of scored sentence pairs, or of KLUE's task")
      ->type_name("");
  tools::add_choice(app, "--task", o.task, kBenchmarks,
                    "Run a fine-tuned model over KLUE's files as its baseline does");
  app.add_option("--predictions", o.predictions,
                 "With --task: write what is predicted, as --score reads it")
      ->type_name("FILE");
  tools::add_choice(app, "--score", o.score, kBenchmarks,
                    "Score predictions as KLUE's baseline does; needs --input");
  app.add_option("--input", o.input, "Predictions, a set on each line; - is standard input")
      ->type_name("FILE|-");
  app.add_option("--model", o.model,
                 "Model directory, or name on the Hugging Face hub;\n"
                 "default: the bundled demo model")
      ->type_name("DIR|NAME");
  app.add_option("--preprocessor", o.load.preprocessor,
                 "Where the tokenizer's files are, when not in DIR")
      ->type_name("DIR");
  tools::add_choice(app, "--precision", o.precisions, tools::kPrecisions,
                    "Of the numbers that are multiplied; may be given more than\n"
                    "once; default: f32, bf16 and int8, or f32 with --task")
      ->allow_extra_args(false)
      ->take_all();
  tools::add_choice(app, "--pooling", o.pooling, tools::kPoolings,
                    "How token vectors become an embedding; auto (default):\n"
                    "what the model directory says, else mean");
  tools::add_choice(app, "--dialect", o.load.dialect, tools::kDialects,
                    "How text is tokenized; default: as the model directory says");
  app.add_option("--max-length", o.max_length,
                 "Most tokens of a sentence, special tokens included;\n"
                 "default: as many as the model takes; with --task those of\n"
                 "KLUE's baseline (128, RE 256, NER and MRC 510)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20).description(""));
  tools::add_count(app, "--threads", o.load.threads, 0, tools::kMostThreads,
                   "Threads to work with; 0 (default): all there are");
  app.add_flag_callback(
      "--no-baseline", [&o] { o.baseline = false; }, "Leave the n-grams out");
  tools::add_choice(app, "--format", o.format, kFormats,
                    "text: a table for people (default); tsv: tabs, all digits;\n"
                    "jsonl: an object a row, with --task");
  app.add_flag("--quiet", o.quiet, "No notices on standard error");
}

void check_combination(const Options& o) {
  if (o.score.has_value() != !o.input.empty())
    throw CLI::ValidationError("--score and --input go together");
  if (o.score && !o.files.empty())
    throw CLI::ValidationError("--score reads --input, not FILE: " + o.files.front());
  if (!o.score && o.files.empty()) throw CLI::RequiredError("FILE");
  if (o.task && o.score) throw CLI::ValidationError("--task and --score are two things");
  if (o.task && o.model.empty())
    throw CLI::ValidationError("--task needs a fine-tuned model: --model");
  if (!o.task && !o.predictions.empty()) throw CLI::ValidationError("--predictions needs --task");
  if (!o.task && o.format == Format::jsonl)
    throw CLI::ValidationError("--format jsonl needs --task");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv, int& status) {
  Options options;
  CLI::App app{kDescription, KLUE_PROGRAM};
  tools::describe(app, KLUE_VERSION, kExamples);
  add_options(app, options);
  const auto check = [&] { check_combination(options); };
  if (!tools::parsed(app, argc, argv, check, status)) return std::nullopt;
  return options;
}

}  // namespace evaluate
