#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <klue/c/detail/handles.hpp>
#include <klue/c/detail/last_error.hpp>

extern "C" {

klue_status klue_tokenizer_load(const char* directory, const klue_load_options* options,
                                klue_tokenizer** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    *out = new klue_tokenizer(klue::load_preprocessor(&require_argument(directory, "directory"),
                                                      c_load_options(options)));
  });
}

klue_status klue_tokenizer_of_model(const klue_model* model, klue_tokenizer** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    *out = new klue_tokenizer(require_argument(model, "model").model);
  });
}

void klue_tokenizer_free(klue_tokenizer* tokenizer) {
  delete tokenizer;
}

klue_status klue_tokenize(const klue_tokenizer* handle, klue_text text,
                          const klue_tokenize_options* given, klue_encoding** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::Tokenizer& tokenizer = require_argument(handle, "tokenizer").tokenizer();
    const klue_tokenize_options options = read_c_options(given);
    const klue::TextPair view = c_texts(&text, 1).front();
    const auto usual = tokenizer.dialect() == klue::Dialect::tensorflow
                           ? klue::Truncation::round_robin
                           : klue::Truncation::longest_first;
    auto result = std::make_unique<klue_encoding>();
    result->encoding =
        tokenizer.encode(view.text, view.text_pair,
                         {.max_length = unless_zero(options.max_length),
                          .truncation = c_truncation(options.truncation).value_or(usual),
                          .add_special_tokens = options.without_special_tokens == 0});
    result->tokens = tokenizer.texts(result->encoding);
    for (const klue::Offset& offset : result->encoding.offsets)
      result->offsets.push_back({offset.begin, offset.end});
    *out = result.release();
  });
}

void klue_encoding_free(klue_encoding* encoding) {
  delete encoding;
}

size_t klue_encoding_size(const klue_encoding* encoding) {
  return encoding == nullptr ? 0 : encoding->encoding.size();
}
const int32_t* klue_encoding_ids(const klue_encoding* encoding) {
  return encoding == nullptr ? nullptr : encoding->encoding.ids.data();
}
const int32_t* klue_encoding_type_ids(const klue_encoding* encoding) {
  return encoding == nullptr ? nullptr : encoding->encoding.type_ids.data();
}
const klue_offset* klue_encoding_offsets(const klue_encoding* encoding) {
  return encoding == nullptr ? nullptr : encoding->offsets.data();
}
const int32_t* klue_encoding_sequence_ids(const klue_encoding* encoding) {
  return encoding == nullptr ? nullptr : encoding->encoding.sequence_ids.data();
}
const char* klue_encoding_token(const klue_encoding* encoding, size_t index) {
  return index < klue_encoding_size(encoding) ? encoding->tokens[index].c_str() : nullptr;
}

klue_status klue_decode(const klue_tokenizer* handle, const int32_t* ids, size_t count,
                        int32_t keep_special_tokens, char** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    const klue::Tokenizer& tokenizer = require_argument(handle, "tokenizer").tokenizer();
    if (count != 0) require_argument(ids, "ids");
    const std::string text =
        tokenizer.decode({ids, count}, {.skip_special_tokens = keep_special_tokens == 0});
    *out = static_cast<char*>(std::malloc(text.size() + 1));
    if (*out == nullptr) throw std::bad_alloc();
    std::memcpy(*out, text.c_str(), text.size() + 1);
  });
}

void klue_string_free(char* text) {
  std::free(text);
}

}  // extern "C"
