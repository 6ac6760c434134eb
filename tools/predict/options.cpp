#include "options.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"
#include "common/command.hpp"

namespace predict {
namespace {

constexpr const char* kDescription =
    "What a fine-tuned KLUE RoBERTa or BERT says of a text: labels, entities, answers, ranks,\n"
    "filled masks. The task is the one that the model's head is for.";

constexpr const char* kExamples =
    "Examples:\n"
    "  " KLUE_PROGRAM
    " \"좋아하는 사람한테 고백해도 될까?\"\n"
    "  " KLUE_PROGRAM
    " --model my-ner \"이순신은 조선 중기의 무신이다.\"\n"
    "  " KLUE_PROGRAM
    " --model my-mrc \"이순신은 언제 태어났나?\" \"이순신은 1545년에 태어났다.\"\n"
    "  " KLUE_PROGRAM
    " --model klue/roberta-base \"대한민국의 수도는 [MASK]이다.\"\n"
    "  " KLUE_PROGRAM
    " --model my-ynat --input titles.txt --format tsv --top-k 1\n"
    "  " KLUE_PROGRAM
    " --model my-mrc --input questions.jsonl --input-format jsonl --format jsonl\n\n"
    "Exit status: 0 done, 1 could not do it, 2 wrong usage.";

const tools::Names<klue::Task> kTasks{{"classify", klue::Task::classify},
                                      {"rank", klue::Task::rank},
                                      {"tag", klue::Task::tag},
                                      {"answer", klue::Task::answer},
                                      {"fill-mask", klue::Task::fill_mask}};
const tools::Names<tools::InputFormat> kInputFormats{{"auto", tools::InputFormat::automatic},
                                                     {"csv", tools::InputFormat::csv},
                                                     {"lines", tools::InputFormat::lines},
                                                     {"tsv", tools::InputFormat::tsv},
                                                     {"jsonl", tools::InputFormat::jsonl}};
const tools::Names<Format> kFormats{
    {"text", Format::text}, {"tsv", Format::tsv}, {"jsonl", Format::jsonl}};
const tools::Names<klue::ScoreFunction> kActivations{{"auto", klue::ScoreFunction::automatic},
                                                     {"softmax", klue::ScoreFunction::softmax},
                                                     {"sigmoid", klue::ScoreFunction::sigmoid},
                                                     {"none", klue::ScoreFunction::none}};
const tools::Names<klue::Aggregation> kAggregations{{"none", klue::Aggregation::none},
                                                    {"simple", klue::Aggregation::simple},
                                                    {"first", klue::Aggregation::first},
                                                    {"average", klue::Aggregation::average},
                                                    {"max", klue::Aggregation::max}};

void add_input(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Input";
  app.add_option(
         "TEXT", o.texts,
         "Texts; for answer a question and its context, for rank a query\nand its documents")
      ->type_name("")
      ->group(kGroup);
  app.add_option("--model", o.model,
                 "Model directory, or name on the Hugging Face hub, downloaded\n"
                 "where it is not cached; default: the bundled demo model of chat")
      ->type_name("DIR|NAME")
      ->group(kGroup);
  app.add_option("--preprocessor", o.load.preprocessor,
                 "Directory of the tokenizer's files, where the model has none")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--input", o.input, "File of texts instead; - for standard input")
      ->type_name("FILE")
      ->group(kGroup);
  tools::add_choice(app, "--input-format", o.input_format, kInputFormats,
                    "lines: a text each; tsv: text<TAB>text_pair; csv, with a header;\n"
                    "jsonl: {\"text\":…, \"text_pair\":…}; auto (default): by the file's\n"
                    "name and first line. answer has question and context instead")
      ->group(kGroup);
  app.add_option("--field", o.field, "Column or member of the text")
      ->type_name("NAME")
      ->group(kGroup);
  app.add_option("--pair-field", o.pair_field, "Column or member of what belongs to it")
      ->type_name("NAME")
      ->group(kGroup);
}

void add_output(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Output";
  tools::add_choice(app, "--task", o.task, kTasks, "Where the model's head is good for several")
      ->group(kGroup);
  tools::add_choice(app, "--format", o.format, kFormats,
                    "text: for people (default), in colour on a terminal unless\n"
                    "NO_COLOR is set; tsv: a row per result; jsonl: an object per text")
      ->group(kGroup);
  app.add_option("--out", o.out, "Where the result goes; default: standard output, -")
      ->type_name("FILE")
      ->group(kGroup);
  tools::add_count(app, "--top-k", o.top_k, 1, tools::kMostTokens,
                   "How many of the best; default: classify and rank all, answer 1,\nfill-mask 5")
      ->group(kGroup);
  app.add_flag("--quiet", o.quiet, "No notices on standard error")->group(kGroup);
}

void add_decoding(CLI::App& app, Options& o) {
  tools::add_choice(app, "--activation", o.activation, kActivations,
                    "What makes scores of logits; auto (default): what the model says")
      ->group("classify, rank");
  tools::add_choice(app, "--aggregation", o.aggregation, kAggregations,
                    "none: labels of tokens; simple (default): neighbours of a kind\n"
                    "together; first, average, max: words, labelled by their first\n"
                    "token, all of them, or the surest")
      ->group("tag");
  tools::add_count(app, "--max-length", o.max_length, 1, tools::kMostTokens,
                   "Tokens of a text, or of a window of it, special ones included;\n"
                   "tag without --stride cuts there")
      ->group("Length");
  tools::add_count(app, "--stride", o.stride, 0, tools::kMostTokens,
                   "Tokens that a window shares with the one before: tag, answer")
      ->group("Length");
  constexpr const char* kAnswer = "answer";
  tools::add_count(app, "--max-answer-length", o.max_answer_length, 1, tools::kMostTokens,
                   "Tokens of the longest answer; default: 15")
      ->group(kAnswer);
  app.add_flag("--no-answer", o.no_answer, "Let it say that there is no answer: an empty one")
      ->group(kAnswer);
  constexpr double kAny = std::numeric_limits<double>::infinity();
  tools::add_number(app, "--no-answer-threshold", o.no_answer_threshold, -kAny, kAny,
                    "What the empty answer needs over another; default: 0")
      ->group(kAnswer);
  app.add_flag("--no-align-words", o.no_align_words, "Answers may begin and end inside words")
      ->group(kAnswer);
  app.add_option("--targets", o.targets, "The only words to choose from, separated by commas")
      ->type_name("A,B,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group("fill-mask");
}

void add_work(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Work";
  tools::add_choice(app, "--dialect", o.load.dialect, tools::kDialects,
                    "As Hugging Face's tokenizers, or as the TF-Hub preprocess\n"
                    "module; default: as the model directory says")
      ->group(kGroup);
  tools::add_choice(app, "--precision", o.load.precision, tools::kPrecisions,
                    "Of the encoder's numbers that are multiplied; default: f32")
      ->group(kGroup);
  tools::add_choice(app, "--engine", o.load.engine, tools::kEngines,
                    "What multiplies the matrices; auto (default): the fastest")
      ->group(kGroup);
  tools::add_count(app, "--threads", o.load.threads, 0, tools::kMostThreads,
                   "Threads to work with; 0 (default): all there are")
      ->group(kGroup);
  tools::add_count(app, "--batch-tokens", o.load.batch_tokens, 1, tools::kMostTokens,
                   "Tokens computed together; default: " + std::to_string(o.load.batch_tokens))
      ->group(kGroup);
}

void check_input(const Options& o) {
  const auto refuse = [](const char* message) { throw CLI::ValidationError(message); };
  if (o.texts.empty() && o.input.empty())
    refuse("nothing to do: give texts as arguments, or --input FILE (- for standard input)");
  if (!o.texts.empty() && !o.input.empty())
    refuse("texts as arguments and --input exclude each other");
  if (o.out.empty()) refuse("--out: expected a file's name, or -");
  if (o.input.empty() && (o.input_format != tools::InputFormat::automatic || !o.field.empty() ||
                          !o.pair_field.empty()))
    refuse(
        "--input-format, --field and --pair-field say how --input is read: they do not go with "
        "texts as arguments");
}

}  // namespace

std::string foreign_flag(const Options& o, klue::Task task) {
  using enum klue::Task;
  const auto is = [task](std::initializer_list<klue::Task> tasks) {
    return std::ranges::find(tasks, task) != tasks.end();
  };
  const std::array<std::pair<bool, const char*>, 9> flags{
      {{o.activation && !is({classify, rank}), "--activation"},
       {o.aggregation && !is({tag}), "--aggregation"},
       {o.max_length && is({fill_mask}), "--max-length"},
       {o.stride && !is({tag, answer}), "--stride"},
       {o.max_answer_length && !is({answer}), "--max-answer-length"},
       {(o.no_answer || o.no_answer_threshold) && !is({answer}), "--no-answer"},
       {o.no_align_words && !is({answer}), "--no-align-words"},
       {!o.targets.empty() && !is({fill_mask}), "--targets"},
       {o.top_k && is({tag}), "--top-k"}}};
  for (const auto& [foreign, name] : flags)
    if (foreign) return name;
  return {};
}

std::optional<Options> parse_command_line(int argc, char** argv, int& status) {
  Options options;
  CLI::App app{kDescription, KLUE_PROGRAM};
  tools::describe(app, KLUE_VERSION, kExamples);
  add_input(app, options);
  add_output(app, options);
  add_decoding(app, options);
  add_work(app, options);
  const auto check = [&] { check_input(options); };
  if (!tools::parsed(app, argc, argv, check, status)) return std::nullopt;
  return options;
}

}  // namespace predict
