// The command `embed`: texts in, vectors out. Everything here is reading, calling the library and
// writing; what a program would want is in the library.

#include <filesystem>
#include <iostream>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <klue/klue.hpp>

#include "common/command.hpp"
#include "common/demo_model.hpp"
#include "common/model_path.hpp"
#include "common/output_file.hpp"
#include "common/stop_signals.hpp"
#include "embedder.hpp"
#include "heat_map.hpp"
#include "info.hpp"
#include "merge.hpp"
#include "near.hpp"
#include "options.hpp"
#include "text_feed.hpp"
#include "tokenize.hpp"
#include "vector_writer.hpp"
#include "write_vectors.hpp"

namespace embed {
namespace {

namespace fs = std::filesystem;

fs::path model_directory(const Options& options) {
  if (!options.model.empty()) return tools::model_path(KLUE_PROGRAM, options.model, options.quiet);
  if (!options.tokenize) notice(options, "no --model given: using the small bundled demo model");
  return tools::demo_model();
}

klue::LoadOptions load_options(const Options& options) {
  klue::LoadOptions load = options.load;
  load.dialect = options.dialect;
  // Threads that each have texts of their own need not wait for each other.
  if (is_bulk(options)) load.threads = 1;
  return load;
}

// `embed sentences.txt` embeds these letters, which is seldom what was meant.
void warn_of_file_names(const Options& options) {
  for (const std::string& text : options.texts) {
    std::error_code error;
    if (fs::is_regular_file(text, error))
      notice(options,
             "\"" + text + "\" is taken as a text; for what is in that file: --input " + text);
  }
}

std::vector<tools::Record> read_all(TextFeed& feed) {
  std::vector<tools::Record> records;
  for (tools::Record record; feed.next(record); record = {})
    records.push_back(std::move(record));
  return records;
}

void draw(const Options& options, const std::vector<tools::Record>& records,
          std::span<const float> cosines) {
  std::vector<std::string> labels;
  for (const tools::Record& record : records)
    labels.push_back(record.text_pair ? record.text + " / " + *record.text_pair : record.text);
  tools::OutputFile file(options.plot);
  file.write(heat_map(labels, cosines));
  file.finish();
}

void write_similarities(const klue::Model& model, const Options& options, TextFeed& feed,
                        tools::OutputFile& file, const std::stop_token& stop) {
  Chunk chunk{.records = read_all(feed)};
  Embedder(model, options).compute(chunk, stop);
  const std::vector<tools::Record>& records = chunk.records;
  const klue::Tensor& vectors = chunk.vectors;
  VectorWriter writer(file, {.format = options.format,
                             .key = "similarity",
                             .with_text = options.with_text,
                             .width = records.size(),
                             .decimals = 4,
                             .count = records.size()});
  writer.begin();
  std::vector<float> row(records.size()), all;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (std::size_t j = 0; j < records.size(); ++j)
      row[j] = i == j ? 1.0f : klue::cosine_similarity(vectors.at(i), vectors.at(j));
    writer.write(row, i, &records[i]);
    if (!options.plot.empty()) all.insert(all.end(), row.begin(), row.end());
  }
  writer.finish();
  if (!options.plot.empty()) draw(options, records, all);
}

void write_tokens(const klue::Model& model, const Options& options, TextFeed& feed,
                  tools::OutputFile& file) {
  const bool all_layers = options.output == Output::layers;
  const klue::OutputOptions outputs{
      .pooled_output = false, .sequence_output = !all_layers, .encoder_outputs = all_layers};
  const klue::TextOptions texts{.max_length = options.max_length,
                                .seq_length = options.seq_length,
                                .truncation = options.long_texts == Long::refuse
                                                  ? klue::Truncation::error
                                                  : options.truncation};
  const auto arrays = [&](klue::EncoderOutputs& result) {
    return all_layers ? std::move(result.encoder_outputs)
                      : std::vector<klue::Tensor>{std::move(result.sequence_output)};
  };
  if (options.format == Format::npy || options.format == Format::f32) {
    // One array, as wide as the longest text: all texts have to be known first.
    klue::EncoderOutputs result = model.encode(read_all(feed), outputs, texts);
    return write_arrays(file, options.format, arrays(result), all_layers);
  }
  // One text at a time has no padding that would have to be left out again.
  std::size_t index = 0;
  for (tools::Record record; feed.next(record); record = {}) {
    klue::EncoderOutputs result = model.encode(std::vector{record}, outputs, texts);
    write_token_vectors(file, options.format, index++, arrays(result), all_layers);
    file.flush();
  }
}

void refuse_what_is_read(const Options& options, const std::filesystem::path& model) {
  const auto refuse = [&](const std::string& output, const char* option) {
    for (const std::string& input : options.input.files)
      tools::refuse_same_file(output, input, "the input", option);
    if (!options.vectors.empty())
      tools::refuse_same_file(output, options.vectors, "the vectors", option);
    if (!options.queries_file.empty())
      tools::refuse_same_file(output, options.queries_file, "the queries", option);
    tools::refuse_file_of(output, model, "a file of the model", option);
    if (!options.load.preprocessor.empty())
      tools::refuse_file_of(output, options.load.preprocessor, "a file of the tokenizer", option);
  };
  refuse(options.out, "--out");
  if (!options.plot.empty()) refuse(options.plot, "--plot");
}

void run(const Options& options) {
  if (options.merge) return merge(options);
  warn_of_file_names(options);
  if (options.tokenize) {
    const std::filesystem::path directory = model_directory(options);
    refuse_what_is_read(options, directory);
    return write_tokenized(klue::load_preprocessor(directory, load_options(options)), options);
  }
  const auto model = klue::Model::load(model_directory(options), load_options(options));
  const bool only_info =
      options.texts.empty() && options.input.files.empty() && options.vectors.empty();
  if (options.info) print_info(model, thread_count(options), only_info ? std::cout : std::cerr);
  if (only_info) return;
  refuse_what_is_read(options, model.info().directory);
  if (options.searches()) return write_hits(model, options);
  if (options.duplicates) return write_duplicates(model, options);
  if (options.communities) return write_communities(model, options);
  const bool tokens = options.output == Output::sequence || options.output == Output::layers;
  if (!options.similarity && !tokens) return write_vectors(model, options);

  const tools::StopSignals stop;
  TextFeed feed(options, stop.token());
  tools::OutputFile file(options.out);
  if (options.similarity)
    write_similarities(model, options, feed, file, stop.token());
  else
    write_tokens(model, options, feed, file);
  file.finish();
}

}  // namespace
}  // namespace embed

int main(int argc, char** argv) {
  return tools::run_command(KLUE_PROGRAM, [&] {
    int status = 0;
    if (const auto options = embed::parse_command_line(argc, argv, status)) embed::run(*options);
    return status;
  });
}
