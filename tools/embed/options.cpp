#include "options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"

namespace embed {
namespace {

constexpr const char* kDescription =
    "Korean text in, vectors out: runs KLUE RoBERTa and its descendants on a CPU.\n"
    "Prints one vector per text to standard output; everything else goes to standard error.";

constexpr const char* kExamples =
    "Examples:\n"
    "  embed --model klue-roberta-base \"첫 번째 문장\" \"두 번째 문장\"\n"
    "  embed --model klue-roberta-base --input sentences.txt --format npy --out vectors.npy\n"
    "  embed --model klue-roberta-base --similarity \"배가 고프다\" \"밥을 먹고 싶다\"\n"
    "  embed --model klue/roberta-base \"가까운 뜻\"      (name[@revision], kept in ~/.cache)\n"
    "  embed --tokenize \"토크나이저는 텍스트를 나눈다.\"\n\n"
    "Exit status: 0 done, 1 could not do it, 2 wrong usage.";

const tools::Names<InputFormat> kInputFormats{
    {"lines", InputFormat::lines}, {"tsv", InputFormat::tsv}, {"jsonl", InputFormat::jsonl}};
const tools::Names<Output> kOutputs{{"embedding", Output::embedding},
                                    {"pooled", Output::pooled},
                                    {"sequence", Output::sequence},
                                    {"layers", Output::layers},
                                    {"logits", Output::logits}};
const tools::Names<Format> kFormats{{"text", Format::text},
                                    {"jsonl", Format::jsonl},
                                    {"csv", Format::csv},
                                    {"npy", Format::npy},
                                    {"f32", Format::f32}};

void add_input(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Input";
  app.add_option("TEXT", o.texts, "Sentences to embed")->type_name("")->group(kGroup);
  app.add_option("--model", o.model,
                 "Model directory, or name on the Hugging Face hub, downloaded\n"
                 "where it is not cached; default: the bundled demo model")
      ->type_name("DIR|NAME")
      ->group(kGroup);
  app.add_option("--preprocessor", o.load.preprocessor,
                 "Directory of the tokenizer's files, where the model has none,\n"
                 "or the preprocess module's .tar.gz")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--input", o.input, "File of texts instead; - for standard input")
      ->type_name("FILE")
      ->group(kGroup);
  tools::add_choice(app, "--input-format", o.input_format, kInputFormats,
                    "lines: a text each (default); tsv: text<TAB>text_pair;\n"
                    "jsonl: {\"text\":…, \"text_pair\":…}; the pair may be missing")
      ->group(kGroup);
}

void add_output(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Output";
  tools::add_choice(app, "--output", o.output, kOutputs,
                    "embedding: one vector per text (default); pooled: the model's\n"
                    "pooled_output; sequence: a vector per token; layers: the\n"
                    "same of every layer; logits: those of a fine-tuned classifier")
      ->group(kGroup);
  tools::add_choice(app, "--pooling", o.pooling, tools::kPoolings,
                    "How token vectors become an embedding; auto (default): all\n"
                    "that the model directory says, its Dense layers included,\n"
                    "else mean; any other replaces the directory's")
      ->group(kGroup);
  app.add_flag("--normalize", o.normalize, "Make every embedding a vector of length 1")
      ->group(kGroup);
  app.add_flag("--similarity", o.similarity, "Print the cosine of every text with every other")
      ->group(kGroup);
  app.add_flag("--tokenize", o.tokenize,
               "Run no encoder: print each text's tokens, ids and byte\n"
               "offsets as a line of JSON")
      ->group(kGroup);
  tools::add_choice(app, "--format", o.format, kFormats,
                    "text: numbers and spaces (default); jsonl: an object per text;\n"
                    "csv: commas; npy: a NumPy file; f32: raw little-endian floats")
      ->group(kGroup);
  app.add_option("--out", o.out, "Where the result goes; default: standard output, -")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_flag("--info", o.info, "Print what was loaded, and with which engine it runs")
      ->group(kGroup);
  app.add_flag("--quiet", o.quiet, "No notices on standard error")->group(kGroup);
}

void add_tokenization(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Tokenization";
  tools::add_choice(app, "--dialect", o.dialect, tools::kDialects,
                    "As Hugging Face's tokenizers, or as the TF-Hub preprocess\n"
                    "module; default: as the model directory says")
      ->group(kGroup);
  tools::add_count(app, "--max-length", o.max_length, 1, tools::kMostTokens,
                   "Most tokens of a text or pair, special tokens included;\n"
                   "default: as many as the model takes")
      ->group(kGroup);
  tools::add_count(app, "--seq-length", o.seq_length, 1, tools::kMostTokens,
                   "Cut and pad every text to this many tokens")
      ->group(kGroup);
  tools::add_choice(app, "--truncation", o.truncation, tools::kTruncations,
                    "How what is too long is cut; error: it is refused; default:\n"
                    "longest_first, in the tensorflow dialect round_robin")
      ->group(kGroup);
}

void add_work(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Work";
  tools::add_choice(app, "--precision", o.load.precision, tools::kPrecisions,
                    "Of the numbers that are multiplied; default: f32")
      ->group(kGroup);
  tools::add_choice(app, "--engine", o.load.engine, tools::kEngines,
                    "What multiplies the matrices; auto (default): the fastest, packed")
      ->group(kGroup);
  tools::add_count(app, "--threads", o.load.threads, 0, tools::kMostThreads,
                   "Threads to work with; 0 (default): all there are")
      ->group(kGroup);
  tools::add_count(app, "--batch-tokens", o.load.batch_tokens, 1, tools::kMostTokens,
                   "Tokens computed together; bounds the memory, not the input;\ndefault: " +
                       std::to_string(o.load.batch_tokens))
      ->group(kGroup);
}

// CLI11 takes an argument "[가, 나]" for a list of two. No argument can hold a NUL, so one at its
// end hides the bracket until everything is parsed. Last argument first, as CLI11 wants them.
std::vector<std::string> guarded_arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string& argument = arguments.emplace_back(argv[i]);
    if (argument.ends_with(']')) argument.push_back('\0');
  }
  return arguments;
}

void remove_guards(Options& o) {
  const auto remove = [](std::string& text) {
    if (text.ends_with('\0')) text.pop_back();
  };
  std::ranges::for_each(o.texts, remove);
  remove(o.model);
  remove(o.input);
  remove(o.out);
  std::string preprocessor = o.load.preprocessor.string();
  remove(preprocessor);
  o.load.preprocessor = preprocessor;
}

void check_combinations(const Options& o) {
  const auto refuse = [](const char* message) { throw CLI::ValidationError(message); };
  if (o.texts.empty() && o.input.empty() && !o.info)
    refuse("nothing to do: give sentences as arguments, or --input FILE (- for standard input)");
  if (!o.texts.empty() && !o.input.empty())
    refuse("sentences as arguments and --input exclude each other");
  if (o.tokenize && o.similarity) refuse("--tokenize and --similarity exclude each other");
  if (o.similarity && o.output != Output::embedding && o.output != Output::pooled)
    refuse(
        "--similarity compares embeddings: it does not go with --output sequence, layers or "
        "logits");
  if (o.output == Output::logits && (o.pooling != klue::Pooling::automatic || o.normalize))
    refuse("--output logits is the classifier's: it does not go with --pooling or --normalize");
  if (o.output == Output::pooled && o.pooling != klue::Pooling::automatic &&
      o.pooling != klue::Pooling::pooler)
    refuse("--output pooled is the pooler's output: it does not go with another --pooling");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv, int& status) {
  Options options;
  CLI::App app{kDescription, "embed"};
  app.footer(kExamples);
  app.set_version_flag("--version", "embed " KLUE_VERSION);
  app.get_formatter()->column_width(26);
  add_input(app, options);
  add_output(app, options);
  add_tokenization(app, options);
  add_work(app, options);
  try {
    app.parse(guarded_arguments(argc, argv));
    remove_guards(options);
    check_combinations(options);
    return options;
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and version to standard output and mistakes to standard error.
    status = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
}

}  // namespace embed
