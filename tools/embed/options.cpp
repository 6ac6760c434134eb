#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <CLI/CLI.hpp>

#include "common/choices.hpp"
#include "common/command.hpp"
#include "names.hpp"

namespace embed {
namespace {

constexpr const char* kDescription =
    "Korean text in, vectors out: runs KLUE RoBERTa and its descendants on a CPU.\n"
    "Results go to standard output or --out, everything else to standard error.";

constexpr const char* kExamples =
    "Examples:\n"
    "  " KLUE_PROGRAM
    " --model klue/roberta-base \"첫 번째 문장\" \"두 번째 문장\"\n"
    "  " KLUE_PROGRAM
    " --input sentences.txt --format npy --out vectors.npy\n"
    "  " KLUE_PROGRAM
    " --input crm.csv --field 내용 --id-field 번호 --encoding CP949 --format jsonl\n"
    "  " KLUE_PROGRAM
    " --input corpus.jsonl.gz --format npy --out vectors.npy --resume\n"
    "  " KLUE_PROGRAM
    " --input sentences.txt --search \"가까운 뜻\" --top-k 5 --format jsonl\n"
    "  " KLUE_PROGRAM
    " --similarity \"배가 고프다\" \"밥을 먹고 싶다\" --plot map.svg\n\n"
    "Exit status: 0 done, 1 could not do it, 2 wrong usage. More: man " KLUE_PROGRAM;

using tools::InputFormat;
using tools::Names;

const Names<InputFormat> kInputFormats{{"auto", InputFormat::automatic},
                                       {"csv", InputFormat::csv},
                                       {"lines", InputFormat::lines},
                                       {"tsv", InputFormat::tsv},
                                       {"jsonl", InputFormat::jsonl}};
const Names<tools::OnError> kOnErrors{
    {"stop", tools::OnError::stop}, {"skip", tools::OnError::skip}, {"null", tools::OnError::null}};
const Names<Output> kOutputs{{"embedding", Output::embedding},
                             {"pooled", Output::pooled},
                             {"sequence", Output::sequence},
                             {"layers", Output::layers},
                             {"logits", Output::logits}};
const Names<Format> kFormats{{"text", Format::text}, {"jsonl", Format::jsonl},
                             {"csv", Format::csv},   {"npy", Format::npy},
                             {"f32", Format::f32},   {"fbin", Format::fbin}};
const Names<Dtype> kDtypes{{"f32", Dtype::f32}, {"f16", Dtype::f16}};
const Names<tools::ProgressKind> kProgress{{"auto", tools::ProgressKind::automatic},
                                           {"bar", tools::ProgressKind::bar},
                                           {"lines", tools::ProgressKind::lines},
                                           {"none", tools::ProgressKind::none}};
const Names<Long> kLongs{{"cut", Long::cut}, {"windows", Long::windows}, {"refuse", Long::refuse}};
// What CLI11 takes apart and check_combinations has to know.
struct Given {
  bool format = false, output = false, top_k = false, progress = false;
  std::string shard;
  std::optional<std::size_t> least_community;
};

CLI::Option* add_value(CLI::App& app, const char* flag, std::string& target, const char* type,
                       const char* description) {
  return app.add_option(flag, target, description)->type_name(type);
}

void add_input(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Input";
  tools::InputOptions& in = o.input;
  app.add_option("TEXT", o.texts, "Sentences to embed")->type_name("")->group(kGroup);
  add_value(app, "--model", o.model, "DIR|NAME",
            "Model directory, or name on the Hugging Face hub, downloaded\n"
            "where it is not cached; default: the bundled demo model")
      ->group(kGroup);
  app.add_option("--preprocessor", o.load.preprocessor,
                 "Tokenizer's files (or the preprocess module's .tar.gz), if elsewhere")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--input", in.files,
                 "Texts of a file, .gz too; - for standard input; may be repeated")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(kGroup);
  tools::add_choice(app, "--input-format", in.format.format, kInputFormats,
                    "lines: a text each; tsv: text<TAB>text_pair; csv: with a header;\n"
                    "jsonl: {\"text\":…, \"text_pair\":…}; auto (default): by name and content")
      ->group(kGroup);
  add_value(app, "--field", in.format.field, "NAME|N",
            "Column (from 1) or key of the text; default: text")
      ->group(kGroup);
  add_value(app, "--pair-field", in.format.pair_field, "NAME|N", "… of its pair")->group(kGroup);
  add_value(app, "--id-field", in.format.id_field, "NAME|N",
            "… of an id to carry through to jsonl and csv")
      ->group(kGroup);
  add_value(app, "--encoding", in.encoding, "NAME",
            "CP949, UTF-16LE, …; default: UTF-8, or by byte order mark")
      ->group(kGroup);
  tools::add_choice(app, "--on-error", in.on_error, kOnErrors,
                    "A line that is no record: stop (default), skip it, or a null vector")
      ->group(kGroup);
}

void add_output(CLI::App& app, Options& o, Given& given) {
  constexpr const char* kGroup = "Output";
  tools::add_choice(app, "--output", o.output, kOutputs,
                    "embedding: one vector per text (default); pooled: pooled_output;\n"
                    "sequence: a vector per token; layers: … of every layer;\n"
                    "logits: those of a fine-tuned classifier")
      ->group(kGroup)
      ->each([&](const std::string&) { given.output = true; });
  tools::add_choice(app, "--pooling", o.pooling, tools::kPoolings,
                    "How token vectors become an embedding; auto (default): as the\n"
                    "model directory says, else mean")
      ->group(kGroup);
  app.add_flag("--normalize", o.normalize, "Make every embedding a vector of length 1")
      ->group(kGroup);
  app.add_flag("--tokenize", o.tokenize, "No encoder: tokens, ids and byte offsets, as JSON lines")
      ->group(kGroup);
  tools::add_choice(app, "--format", o.format, kFormats,
                    "text: numbers and spaces (default); jsonl: an object per text; csv;\n"
                    "npy: NumPy; fbin: for ANN libraries; f32: raw little-endian floats")
      ->group(kGroup)
      ->each([&](const std::string&) { given.format = true; });
  tools::add_choice(app, "--dtype", o.dtype, kDtypes, "Of npy; default: f32")->group(kGroup);
  app.add_flag("--with-text", o.with_text, "Put the texts into jsonl and csv, too")->group(kGroup);
  add_value(app, "--out", o.out, "FILE",
            "Where the result goes, whole or not at all; default: standard output, -")
      ->group(kGroup);
  app.add_flag("--resume", o.resume, "Go on where an interrupted run of the same command stopped")
      ->group(kGroup);
  add_value(app, "--shard", given.shard, "I/N", "Only the I-th of N parts of the input, I from 1")
      ->group(kGroup);
  app.add_flag("--merge", o.merge, "Join the outputs of all shards, given as arguments, to --out")
      ->group(kGroup);
  app.add_flag("--manifest", o.manifest, "Write FILE.manifest.json: model, hashes, options, counts")
      ->group(kGroup);
}

void add_near(CLI::App& app, Options& o, Given& given) {
  constexpr const char* kGroup = "Near things";
  app.add_flag("--similarity", o.similarity, "Print the cosine of every text with every other")
      ->group(kGroup);
  app.add_option("--search", o.queries,
                 "Print the texts of the input that are nearest to each query")
      ->type_name("QUERY")
      ->group(kGroup);
  add_value(app, "--queries", o.queries_file, "FILE", "Queries, a line each")->group(kGroup);
  app.add_option("--top-k", o.top_k, "Hits for each query; default: 10")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->group(kGroup)
      ->each([&](const std::string&) { given.top_k = true; });
  tools::add_number(app, "--duplicates", o.duplicates, -1, 1,
                    "Print pairs of texts with a cosine of at least X")
      ->group(kGroup);
  tools::add_number(app, "--communities", o.communities, -1, 1,
                    "Print groups of texts: one each, and all with a cosine of at least X to it")
      ->group(kGroup);
  tools::add_count(app, "--min-community-size", given.least_community, 2, 1'000'000'000,
                   "Texts of a group; default: 2")
      ->group(kGroup);
  add_value(app, "--vectors", o.vectors, "FILE", "Look in saved .npy or .fbin vectors of the input")
      ->group(kGroup);
  add_value(app, "--plot", o.plot, "FILE", "Draw the similarities as a heat map, SVG")
      ->group(kGroup);
}

void add_tokenization(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Tokenization";
  tools::add_choice(app, "--dialect", o.dialect, tools::kDialects,
                    "Hugging Face's or the TF-Hub module's; default: the model's")
      ->group(kGroup);
  tools::add_count(app, "--max-length", o.max_length, 1, tools::kMostTokens,
                   "Most tokens of a text or pair; default: as many as the model\n"
                   "takes, with --tokenize all")
      ->group(kGroup);
  tools::add_count(app, "--seq-length", o.seq_length, 1, tools::kMostTokens,
                   "Cut and pad every text to this many tokens")
      ->group(kGroup);
  tools::add_choice(app, "--truncation", o.truncation, tools::kTruncations,
                    "How what is too long is cut; error: it is refused; default:\n"
                    "longest_first, in the tensorflow dialect round_robin")
      ->group(kGroup);
  tools::add_choice(app, "--long", o.long_texts, kLongs,
                    "What is too long: cut (default), the mean over windows, or refuse")
      ->group(kGroup);
}

void add_work(CLI::App& app, Options& o, Given& given) {
  constexpr const char* kGroup = "Work";
  tools::add_choice(app, "--precision", o.load.precision, tools::kPrecisions,
                    "Of the numbers that are multiplied; default: f32;\n"
                    "auto: the fastest one here that stays close to it")
      ->group(kGroup);
  tools::add_choice(app, "--engine", o.load.engine, tools::kEngines,
                    "What multiplies the matrices; auto (default): the fastest, packed")
      ->group(kGroup);
  tools::add_count(app, "--threads", o.load.threads, 0, tools::kMostThreads,
                   "Threads to work with; 0 (default): all there are")
      ->group(kGroup);
  tools::add_count(app, "--batch-tokens", o.load.batch_tokens, 1, tools::kMostTokens,
                   "Tokens computed together, default 256; bounds the memory, not the input")
      ->group(kGroup);
  tools::add_choice(app, "--progress", o.progress, kProgress,
                    "bar on a terminal, lines in a log; auto (default): bar or none")
      ->group(kGroup)
      ->each([&](const std::string&) { given.progress = true; });
  app.add_flag("--summary", o.summary, "Say at the end how many texts, tokens, cuts and unknowns")
      ->group(kGroup);
  app.add_flag("--quiet", o.quiet, "No notices on standard error")->group(kGroup);
  app.add_flag("--info", o.info, "Print what was loaded, and with which engine it runs")
      ->group(kGroup);
}

[[noreturn]] void refuse(const std::string& message) {
  throw CLI::ValidationError(message);
}

std::optional<Shard> parse_shard(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  if (number.ec == std::errc() && number.ptr != end && *number.ptr == '/') {
    const auto of = std::from_chars(number.ptr + 1, end, shard.of);
    if (of.ec == std::errc() && of.ptr == end && shard.number >= 1 && shard.number <= shard.of)
      return shard;
  }
  refuse("--shard: expected I/N with I from 1 to N, as 1/3, found " + std::string(text));
}

bool is_per_text(Output output) {
  return output != Output::sequence && output != Output::layers;
}

void check_output(const Options& o, const Given& given) {
  if (o.output == Output::logits && (o.pooling != klue::Pooling::automatic || o.normalize))
    refuse("--output logits is the classifier's: it does not go with --pooling or --normalize");
  if (o.output == Output::pooled && o.pooling != klue::Pooling::automatic &&
      o.pooling != klue::Pooling::pooler)
    refuse("--output pooled is the pooler's output: it does not go with another --pooling");
  if (!is_per_text(o.output) && (o.pooling != klue::Pooling::automatic || o.normalize))
    refuse(
        "--output sequence and layers are vectors of tokens: they do not go with --pooling or "
        "--normalize");
  if (!is_per_text(o.output) && o.format == Format::fbin)
    refuse(
        "--format fbin holds one vector per text: it does not go with --output sequence or layers");
  if (o.dtype == Dtype::f16 && (o.format != Format::npy || !is_per_text(o.output)))
    refuse("--dtype f16 goes with --format npy and one vector per text");
  const bool lines = o.format == Format::jsonl || o.format == Format::csv;
  if (o.with_text && (!lines || !is_per_text(o.output)))
    refuse("--with-text goes with --format jsonl or csv and one vector per text");
  if (!o.input.format.id_field.empty() && !o.searches() && !o.compares_all() &&
      (!lines || !is_per_text(o.output)))
    refuse(
        "--id-field goes with --format jsonl or csv: the others hold numbers alone, in the order "
        "of the input");
  if (o.tokenize && ((given.format && o.format != Format::jsonl) || given.output || o.normalize ||
                     o.pooling != klue::Pooling::automatic))
    refuse(
        "--tokenize prints JSON lines and runs no encoder: it does not go with another --format, "
        "--output, --pooling or --normalize");
}

// An option that would change nothing is refused: whoever gives it expects something of it.
void check_unread(const Options& o) {
  const tools::RecordFormat& format = o.input.format;
  const std::pair<bool, const char*> of_files[] = {
      {format.format != InputFormat::automatic, "--input-format"},
      {!format.field.empty(), "--field"},
      {!format.pair_field.empty(), "--pair-field"},
      {!format.id_field.empty(), "--id-field"},
      {!o.input.encoding.empty(), "--encoding"},
      {o.input.on_error != tools::OnError::stop, "--on-error"}};
  if (!o.texts.empty())
    for (const auto& [given, option] : of_files)
      if (given)
        refuse(std::string(option) +
               " says how --input is read: it does not go with texts as arguments");
  const bool tokens = o.output == Output::sequence || o.output == Output::layers;
  if (o.long_texts == Long::windows && (o.tokenize || tokens || o.output == Output::logits))
    refuse(
        "--long windows makes one embedding of several: it does not go with --tokenize or --output "
        "sequence, layers or logits");
  if (o.input.on_error == tools::OnError::null && (o.tokenize || tokens))
    refuse(
        "--on-error null puts a null vector: it does not go with --tokenize or --output sequence "
        "or layers");
}

void check_near(const Options& o, const Given& given) {
  const int kinds = int{o.similarity} + int{o.searches()} + int{o.duplicates.has_value()} +
                    int{o.communities.has_value()};
  if (kinds > 1)
    refuse("--similarity, --search, --duplicates and --communities exclude each other");
  if (o.tokenize && kinds > 0)
    refuse(
        "--tokenize and --similarity, --search, --duplicates or --communities exclude each other");
  if (o.similarity && o.output != Output::embedding && o.output != Output::pooled)
    refuse(
        "--similarity compares embeddings: it does not go with --output sequence, layers or "
        "logits");
  if (kinds > 0 && o.output != Output::embedding && o.output != Output::pooled)
    refuse(
        "--search, --duplicates and --communities compare embeddings: they do not go with --output "
        "sequence, layers or logits");
  if ((o.searches() || o.compares_all()) && given.format && o.format != Format::text &&
      o.format != Format::jsonl)
    refuse("--search, --duplicates and --communities print --format text or jsonl");
  if (given.top_k && !o.searches()) refuse("--top-k goes with --search or --queries");
  if (given.least_community && !o.communities)
    refuse("--min-community-size goes with --communities");
  if (!o.vectors.empty() && !o.searches() && !o.compares_all())
    refuse("--vectors goes with --search, --queries, --duplicates or --communities");
  if (!o.plot.empty() && !o.similarity) refuse("--plot draws what --similarity prints: give both");
}

void check_resume(const Options& o) {
  const bool special = o.tokenize || o.similarity || o.searches() || o.compares_all();
  if (o.merge) {
    if (o.texts.empty() || o.out == "-")
      refuse("--merge takes the shards' outputs as arguments and writes to --out FILE");
    if (!o.input.files.empty() || o.resume || o.shard || special)
      refuse("--merge only joins files: it does not go with --input, --resume or --shard");
    return;
  }
  if (o.manifest && o.out == "-") refuse("--manifest is written beside --out FILE");
  if (!o.resume && !o.shard && !o.manifest) return;
  const char* const what = o.resume ? "--resume" : o.shard ? "--shard" : "--manifest";
  if (o.input.files.empty() || special || !is_per_text(o.output))
    refuse(std::string(what) + " goes with --input and one vector per text");
  if (o.resume && o.out == "-") refuse("--resume needs a file to go on with: --out FILE");
  if (o.shard && std::ranges::count(o.input.files, "-") > 0)
    refuse("--shard counts the texts first: it does not go with standard input");
}

void check_combinations(const Options& o, const Given& given) {
  const bool nothing = o.texts.empty() && o.input.files.empty() && o.vectors.empty();
  if (nothing && o.searches())
    refuse("--search needs something to search in: --input or --vectors");
  if (nothing && !o.info && !o.merge)
    refuse("nothing to do: give sentences as arguments, or --input FILE (- for standard input)");
  // A variable of the shell that is not set.
  if (o.out.empty() || std::ranges::count(o.input.files, "") > 0)
    refuse(std::string(o.out.empty() ? "--out" : "--input") + ": expected a file's name, or -");
  if (!o.texts.empty() && !o.input.files.empty())
    refuse("sentences as arguments and --input exclude each other");
  if (std::ranges::count(o.input.files, "-") > 1)
    refuse("standard input can be read once: --input - was given more often");
  check_unread(o);
  check_near(o, given);
  check_output(o, given);
  check_resume(o);
}

}  // namespace

std::string name_of(Output output) {
  return tools::name_of(kOutputs, output);
}
std::string name_of(Format format) {
  return tools::name_of(kFormats, format);
}
std::string name_of(Dtype dtype) {
  return tools::name_of(kDtypes, dtype);
}
std::string name_of(Long long_texts) {
  return tools::name_of(kLongs, long_texts);
}
std::string name_of(InputFormat format) {
  return tools::name_of(kInputFormats, format);
}
std::string name_of(tools::OnError on_error) {
  return tools::name_of(kOnErrors, on_error);
}

std::optional<Options> parse_command_line(int argc, char** argv, int& status) {
  Options options;
  Given given;
  CLI::App app{kDescription, KLUE_PROGRAM};
  tools::describe(app, KLUE_VERSION, kExamples);
  add_input(app, options);
  add_output(app, options, given);
  add_near(app, options, given);
  add_tokenization(app, options);
  add_work(app, options, given);
  const auto check = [&] {
    options.shard = parse_shard(given.shard);
    options.least_community = given.least_community.value_or(options.least_community);
    check_combinations(options, given);
  };
  if (!tools::parsed(app, argc, argv, check, status)) return std::nullopt;
  return options;
}

}  // namespace embed
