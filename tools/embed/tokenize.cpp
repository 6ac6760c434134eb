#include "tokenize.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>

#include "common/json_record.hpp"
#include "common/output_file.hpp"
#include "common/stop_signals.hpp"
#include "text_feed.hpp"

namespace embed {
namespace {

// A line is written as it is made: that of a text of 10 MB is longer than anyone wants to hold.
class LineWriter {
 public:
  explicit LineWriter(tools::OutputFile& file) : file_(file) {}

  void text(std::string_view text) { file_.write(text); }
  void number(std::size_t number) {
    char digits[24];
    file_.write({digits, std::to_chars(digits, digits + sizeof digits, number).ptr});
  }

  template <class Values, class Write>
  void array(std::string_view name, const Values& values, const Write& write) {
    text(name);
    text("[");
    bool first = true;
    for (const auto& value : values) {
      if (!first) text(",");
      first = false;
      write(value);
    }
    text("]");
  }

  void ids(std::string_view name, std::span<const std::int32_t> ids) {
    array(name, ids, [&](std::int32_t id) { number(static_cast<std::size_t>(id)); });
  }

 private:
  tools::OutputFile& file_;
};

// bert_pack_inputs of one record, at most `limit` tokens, padded to seq_length.
klue::EncoderInputs pack(const klue::Preprocessor& preprocessor, const tools::Record& record,
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

void write_line(const klue::Preprocessor& preprocessor, const tools::Record& record,
                const Options& options, LineWriter line) {
  const klue::Truncation truncation =
      options.long_texts == Long::refuse
          ? klue::Truncation::error
          : options.truncation.value_or(preprocessor.dialect() == klue::Dialect::tensorflow
                                            ? klue::Truncation::round_robin
                                            : klue::Truncation::longest_first);
  std::optional<std::size_t> limit = options.max_length;
  if (options.seq_length)
    limit = std::min(limit.value_or(*options.seq_length), *options.seq_length);
  const klue::TextPair text = record;
  const klue::Encoding encoding = preprocessor.encode(
      text.text, text.text_pair, {.max_length = limit, .truncation = truncation});
  // As Tokenizer::texts has them, without a copy of each.
  std::size_t token = 0;
  auto matched = encoding.matched_texts.begin();
  line.array("{\"tokens\":", encoding.ids, [&](std::int32_t id) {
    const bool is_matched = matched != encoding.matched_texts.end() && matched->token == token;
    ++token;
    line.text(
        tools::json_string(is_matched ? (matched++)->text : preprocessor.tokenizer().token(id)));
  });
  line.ids(",\"ids\":", encoding.ids);
  line.array(",\"offsets\":", encoding.offsets, [&](const klue::Offset& offset) {
    line.text("[");
    line.number(offset.begin);
    line.text(",");
    line.number(offset.end);
    line.text("]");
  });
  if (options.seq_length) {
    const klue::EncoderInputs inputs =
        pack(preprocessor, record, *limit, *options.seq_length, truncation);
    line.ids(",\"input_word_ids\":", inputs.input_word_ids);
    line.ids(",\"input_mask\":", inputs.input_mask);
    line.ids(",\"input_type_ids\":", inputs.input_type_ids);
  }
  line.text("}\n");
}

}  // namespace

void write_tokenized(const klue::Preprocessor& preprocessor, const Options& options) {
  const tools::StopSignals stop;
  TextFeed feed(options, stop.token());
  tools::OutputFile file(options.out);
  std::size_t index = 0;
  for (Chunk chunk; feed.read(chunk); chunk = {}) {
    for (const tools::Record& record : chunk.records) {
      if (stop.token().stop_requested()) throw klue::StoppedError();
      try {
        write_line(preprocessor, record, options, LineWriter(file));
      } catch (const klue::UsageError& error) {
        throw klue::UsageError(error.what(), {.file = place_of(options, record, index)});
      }
      ++index;
    }
    file.flush();
  }
  file.finish();
}

}  // namespace embed
