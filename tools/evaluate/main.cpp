// The command `evaluate`: how well the cosines of a model agree with people's scores, and how KLUE
// scores predictions.

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <klue/klue.hpp>

#include "common/command.hpp"
#include "common/demo_model.hpp"
#include "common/model_path.hpp"
#include "common/output_file.hpp"
#include "klue_task.hpp"
#include "ngrams.hpp"
#include "options.hpp"
#include "pairs.hpp"
#include "score.hpp"
#include "statistics.hpp"
#include "table.hpp"

namespace evaluate {
namespace {

struct File {
  std::string name;
  Pairs pairs;
};

Row row(const File& file, std::string what, std::span<const double> cosines) {
  return {.file = std::filesystem::path(file.name).filename().string(),
          .pairs = file.pairs.scores.size(),
          .what = std::move(what),
          .spearman = spearman(cosines, file.pairs.scores),
          .pearson = pearson(cosines, file.pairs.scores)};
}

std::vector<double> model_cosines(const klue::Model& model, const Pairs& pairs,
                                  const Options& options) {
  const klue::EmbedOptions embedding{.pooling = options.pooling, .max_length = options.max_length};
  const klue::Tensor first = model.embed(pairs.first, embedding);
  const klue::Tensor second = model.embed(pairs.second, embedding);
  std::vector<double> cosines;
  for (std::size_t i = 0; i < pairs.scores.size(); ++i)
    cosines.push_back(static_cast<double>(klue::cosine_similarity(first.at(i), second.at(i))));
  return cosines;
}

klue::Model load(const std::filesystem::path& directory, const Options& options,
                 klue::Precision precision) {
  klue::LoadOptions how = options.load;
  how.precision = precision;
  return klue::Model::load(directory, how);
}

bool run_score(const Options& options) {
  if (options.input == "-")
    return score_lines(*options.score, std::cin, "standard input", std::cout, std::cerr);
  if (std::filesystem::is_directory(options.input))
    throw klue::IoError("is a directory, not a file of predictions", {.file = options.input});
  errno = 0;
  std::ifstream file(options.input, std::ios::binary);
  if (!file)
    throw klue::IoError("cannot open the file",
                        {.file = options.input, .actual = std::generic_category().message(errno)});
  return score_lines(*options.score, file, options.input, std::cout, std::cerr);
}

void run_similarity(const Options& options) {
  std::vector<File> files;
  for (const std::string& name : options.files)
    files.push_back({name, read_pairs(name)});
  std::vector<std::vector<Row>> rows(files.size());  // of each file
  if (options.baseline)
    for (std::size_t i = 0; i < files.size(); ++i)
      rows[i].push_back(row(files[i], "ngrams", ngram_cosines(files[i].pairs)));
  const std::filesystem::path directory =
      options.model.empty() ? tools::demo_model()
                            : tools::model_path(KLUE_PROGRAM, options.model, options.quiet);
  std::vector<klue::Precision> precisions = options.precisions;
  if (precisions.empty())
    precisions = {klue::Precision::f32, klue::Precision::bf16, klue::Precision::int8};
  for (const klue::Precision precision : precisions) {
    const klue::Model model = load(directory, options, precision);
    for (std::size_t i = 0; i < files.size(); ++i)
      rows[i].push_back(row(files[i], std::string(klue::precision_name(precision)),
                            model_cosines(model, files[i].pairs, options)));
  }
  std::vector<Row> all;
  for (const std::vector<Row>& part : rows)
    all.insert(all.end(), part.begin(), part.end());
  std::cout << table(all, options.format);
}

void refuse_what_is_read(const Options& options, const std::filesystem::path& model) {
  constexpr const char* kOption = "--predictions";
  for (const std::string& file : options.files)
    tools::refuse_same_file(options.predictions, file, "the input", kOption);
  tools::refuse_file_of(options.predictions, model, "a file of the model", kOption);
  if (!options.load.preprocessor.empty())
    tools::refuse_file_of(options.predictions, options.load.preprocessor, "a file of the tokenizer",
                          kOption);
}

/// KLUE's scores of a fine-tuned model. False where one of them is refused.
bool run_task(const Options& options) {
  const std::filesystem::path directory =
      tools::model_path(KLUE_PROGRAM, options.model, options.quiet);
  std::optional<tools::OutputFile> predictions;
  if (!options.predictions.empty()) {
    refuse_what_is_read(options, directory);
    predictions.emplace(options.predictions);
  }
  std::vector<klue::Precision> precisions = options.precisions;
  if (precisions.empty()) precisions = {klue::Precision::f32};
  std::vector<ScoreRow> rows;
  bool all = true;
  for (const klue::Precision precision : precisions) {
    klue::LoadOptions how = options.load;
    how.precision = precision;
    const klue::baseline::Runner runner(klue::Model::load(directory, how), *options.task);
    for (const std::string& file : options.files) {
      PredictedSet predicted = predict(runner, file, options.max_length);
      const std::string name(klue::precision_name(precision));
      predicted.set["name"] = file + " " + name;
      if (predictions) predictions->write(predicted.set.dump() + "\n");
      const PredictionSet set = PredictionSet::of(std::move(predicted.set), file, name);
      ScoreRow row{.file = std::filesystem::path(file).filename().string(),
                   .examples = predicted.examples,
                   .what = name,
                   .scores = score(*options.task, set)};
      if (row.scores.refusal) {
        std::cerr << KLUE_PROGRAM ": " << file << ": " << *row.scores.refusal << "\n";
        all = false;
      }
      rows.push_back(std::move(row));
    }
  }
  if (predictions) predictions->finish();
  std::cout << table(rows, options.format);
  return all;
}

bool run(const Options& options) {
  if (options.score) return run_score(options);
  if (options.task) return run_task(options);
  run_similarity(options);
  return true;
}

}  // namespace
}  // namespace evaluate

int main(int argc, char** argv) {
  return tools::run_command(KLUE_PROGRAM, [&] {
    int status = 0;
    const auto options = evaluate::parse_command_line(argc, argv, status);
    if (!options) return status;
    return evaluate::run(*options) ? 0 : 1;
  });
}
