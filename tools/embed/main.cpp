// The command `embed`: texts in, vectors out. Everything here is reading, calling the library and
// writing; what a program would want is in the library.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <klue/klue.hpp>

#include "common/model_path.hpp"
#include "options.hpp"
#include "reader.hpp"
#include "writer.hpp"

namespace embed {
namespace {

namespace fs = std::filesystem;

// Texts read, computed and written at a time: enough to order by length, little enough to begin
// soon and to stay small.
constexpr std::size_t kRecordsAtOnce = 4096;

// Beside the installed program, or in the source tree of the build.
fs::path demo_model() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / KLUE_DEMO_MODEL_RELATIVE;
  if (!error && fs::exists(installed / "config.json", error)) return installed;
  return KLUE_DEMO_MODEL_SOURCE;
}

fs::path model_directory(const Options& options) {
  if (!options.model.empty()) return tools::model_path("embed", options.model, options.quiet);
  if (!options.quiet && !options.tokenize)
    std::cerr << "embed: no --model given: using the small bundled demo model\n";
  return demo_model();
}

klue::LoadOptions load_options(const Options& options) {
  klue::LoadOptions load = options.load;
  load.dialect = options.dialect;
  return load;
}

// "cls + mean, Dense 1536 → 256, tanh, normalized: vectors of 256"
std::string pooling_line(const klue::ModelInfo& info) {
  std::string line;
  for (const klue::Pooling pooling : info.poolings)
    line.append(line.empty() ? "" : " + ").append(klue::pooling_name(pooling));
  for (const std::string& module : info.modules)
    line.append(", ").append(module);
  if (info.normalize) line.append(", normalized");
  return line.append(": vectors of ").append(std::to_string(info.embedding_size));
}

// "classifier on the first token: 3 labels: 함의, 모순, 중립; tasks: classify"
std::string head_line(const klue::HeadInfo& head) {
  std::string line = head.description;
  if (head.labels > 0) line.append(": ").append(std::to_string(head.labels)).append(" labels");
  for (std::size_t i = 0; i < head.label_names.size(); ++i)
    line.append(i == 0 ? ": " : ", ").append(head.label_names[i]);
  for (std::size_t i = 0; i < head.tasks.size(); ++i)
    line.append(i == 0 ? "; tasks: " : ", ").append(klue::task_name(head.tasks[i]));
  return line;
}

void print_info(const klue::Model& model, std::ostream& out) {
  const klue::ModelInfo& info = model.info();
  const klue::EncoderConfig& c = model.encoder().config();
  out << "model      " << info.directory.string() << "\n"
      << "weights    " << info.weights_file.filename().string() << " (" << info.weights_format
      << ")\n"
      << "encoder    " << c.model_type << ", " << c.num_hidden_layers << " layers of "
      << c.hidden_size << ", " << c.num_attention_heads << " heads, inner size "
      << c.intermediate_size << "\n"
      << "vocabulary " << c.vocab_size << " pieces, "
      << klue::dialect_name(model.preprocessor().dialect()) << " dialect\n"
      << "length     " << info.max_length << " of " << c.max_sequence_length() << " tokens\n"
      << "pooler     " << (model.encoder().has_pooler() ? "yes" : "none") << "\n"
      << "pooling    " << pooling_line(info) << "\n"
      << "head       " << (info.head ? head_line(*info.head) : "none") << "\n"
      << "engine     " << info.engine << ", " << info.threads
      << (info.threads == 1 ? " thread\n" : " threads\n");
}

// ---------------------------------------------------------------------------------- --tokenize

// bert_pack_inputs of one record, at most `limit` tokens, padded to seq_length.
klue::EncoderInputs pack(const klue::Preprocessor& preprocessor, const Record& record,
                         std::size_t limit, std::size_t seq_length, klue::Truncation truncation) {
  const std::vector<klue::Tokens> first = preprocessor.tokenize({std::string_view(record.text)});
  klue::EncoderInputs inputs;
  if (record.text_pair) {
    const auto second = preprocessor.tokenize({std::string_view(*record.text_pair)});
    inputs = preprocessor.bert_pack_inputs({first, second}, limit, truncation);
  } else {
    inputs = preprocessor.bert_pack_inputs({first}, limit, truncation);
  }
  inputs.input_word_ids.resize(seq_length, preprocessor.tokenizer().special_ids().pad);
  inputs.input_mask.resize(seq_length, 0);
  inputs.input_type_ids.resize(seq_length, 0);
  return inputs;
}

std::string tokenized_line(const klue::Preprocessor& preprocessor, const Record& record,
                           const Options& options) {
  const klue::Truncation truncation = options.truncation.value_or(
      preprocessor.dialect() == klue::Dialect::tensorflow ? klue::Truncation::round_robin
                                                          : klue::Truncation::longest_first);
  std::optional<std::size_t> limit = options.max_length;
  if (options.seq_length)
    limit = std::min(limit.value_or(*options.seq_length), *options.seq_length);
  const klue::TextPair text = record;
  const klue::Encoding encoding = preprocessor.encode(
      text.text, text.text_pair, {.max_length = limit, .truncation = truncation});

  nlohmann::ordered_json line;
  line["tokens"] = nlohmann::json::array();
  for (std::string& text : preprocessor.tokenizer().texts(encoding))
    line["tokens"].push_back(std::move(text));
  line["ids"] = encoding.ids;
  line["offsets"] = nlohmann::json::array();
  for (const klue::Offset& offset : encoding.offsets)
    line["offsets"].push_back({offset.begin, offset.end});
  if (options.seq_length) {
    const klue::EncoderInputs inputs =
        pack(preprocessor, record, *limit, *options.seq_length, truncation);
    line["input_word_ids"] = inputs.input_word_ids;
    line["input_mask"] = inputs.input_mask;
    line["input_type_ids"] = inputs.input_type_ids;
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void tokenize(const Options& options) {
  const klue::Preprocessor preprocessor =
      klue::load_preprocessor(model_directory(options), load_options(options));
  Reader reader(options);
  Destination destination(options.out);
  for (auto records = reader.read(kRecordsAtOnce); !records.empty();
       records = reader.read(kRecordsAtOnce))
    for (const Record& record : records)
      destination.write(tokenized_line(preprocessor, record, options));
  destination.finish();
}

// ------------------------------------------------------------------------------------- vectors

klue::EmbedOptions embedding_options(const Options& options) {
  klue::EmbedOptions result{.pooling = options.pooling,
                            .max_length = options.max_length,
                            .truncation = options.truncation};
  if (options.output == Output::pooled) result.pooling = klue::Pooling::pooler;
  if (options.normalize) result.normalize = true;
  // Padding does not change an embedding; what remains of a sequence length is its limit.
  if (options.seq_length)
    result.max_length =
        std::min(result.max_length.value_or(*options.seq_length), *options.seq_length);
  return result;
}

const char* json_key(Output output) {
  if (output == Output::pooled) return "pooled_output";
  return output == Output::logits ? "logits" : "embedding";
}

// One vector per text: embeddings, pooled outputs or logits.
klue::Tensor vectors_of(const klue::Model& model, const Options& options,
                        const std::vector<Record>& records) {
  if (options.output != Output::logits) return model.embed(records, embedding_options(options));
  return model.classify(records, {.max_length = options.max_length,
                                  .seq_length = options.seq_length,
                                  .truncation = options.truncation});
}

void write_vectors(const klue::Model& model, const Options& options, Reader& reader,
                   Destination& destination) {
  VectorWriter writer(destination, options.format, json_key(options.output));
  std::vector<Record> records;
  std::size_t width = 0;  // no texts have one, too
  do {
    records = reader.read(kRecordsAtOnce);
    const klue::Tensor vectors = vectors_of(model, options, records);
    width = vectors.shape()[1];
    for (std::size_t i = 0; i < records.size(); ++i)
      writer.write(vectors.at(i));
  } while (!records.empty());
  writer.finish(width);
}

void write_similarities(const klue::Model& model, const Options& options, Reader& reader,
                        Destination& destination) {
  const std::vector<Record> records = reader.read(~std::size_t{0});
  klue::EmbedOptions embedding = embedding_options(options);
  embedding.normalize = true;
  const klue::Tensor vectors = model.embed(records, embedding);
  VectorWriter writer(destination, options.format, "similarity", /*decimals=*/4);
  std::vector<float> row(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (std::size_t j = 0; j < records.size(); ++j)
      row[j] = i == j ? 1.0f : klue::cosine_similarity(vectors.at(i), vectors.at(j));
    writer.write(row);
  }
  writer.finish(records.size());
}

void write_tokens(const klue::Model& model, const Options& options, Reader& reader,
                  Destination& destination) {
  const bool all_layers = options.output == Output::layers;
  const klue::OutputOptions outputs{
      .pooled_output = false, .sequence_output = !all_layers, .encoder_outputs = all_layers};
  const klue::TextOptions texts{.max_length = options.max_length,
                                .seq_length = options.seq_length,
                                .truncation = options.truncation};
  const auto arrays = [&](klue::EncoderOutputs& result) {
    return all_layers ? std::move(result.encoder_outputs)
                      : std::vector<klue::Tensor>{std::move(result.sequence_output)};
  };
  if (options.format == Format::npy || options.format == Format::f32) {
    // One array, as wide as the longest text: all texts have to be known first.
    klue::EncoderOutputs result = model.encode(reader.read(~std::size_t{0}), outputs, texts);
    return write_arrays(destination, options.format, arrays(result), all_layers);
  }
  // One text at a time has no padding that would have to be left out again.
  std::size_t index = 0;
  for (auto records = reader.read(1); !records.empty(); records = reader.read(1)) {
    klue::EncoderOutputs result = model.encode(records, outputs, texts);
    write_token_vectors(destination, options.format, index++, arrays(result), all_layers);
  }
  destination.finish();
}

void run(const Options& options) {
  if (options.tokenize) return tokenize(options);
  const auto model = klue::Model::load(model_directory(options), load_options(options));
  const bool only_info = options.texts.empty() && options.input.empty();
  if (options.info) print_info(model, only_info ? std::cout : std::cerr);
  if (only_info) return;
  if (options.output == Output::pooled) model.encoder().require_pooler();
  if (options.output == Output::logits) model.classify(std::vector<Record>{});  // or an error
  Reader reader(options);
  Destination destination(options.out);
  if (options.similarity)
    write_similarities(model, options, reader, destination);
  else if (options.output == Output::sequence || options.output == Output::layers)
    write_tokens(model, options, reader, destination);
  else
    write_vectors(model, options, reader, destination);
}

}  // namespace
}  // namespace embed

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  int status = 0;
  try {
    if (const auto options = embed::parse_command_line(argc, argv, status)) embed::run(*options);
    if (!std::cout.flush())  // what --help, --version and --info print is a result, too
      throw klue::IoError("cannot write", {.file = "standard output"});
  } catch (const std::bad_alloc&) {
    std::cerr << "embed: not enough memory\n";
    status = 1;
  } catch (const std::exception& error) {
    std::cerr << "embed: " << error.what() << "\n";
    status = 1;
  }
  return status;
}
