#include <cstring>
#include <memory>
#include <utility>

#include <klue/c/detail/handles.hpp>
#include <klue/c/detail/last_error.hpp>
#include <klue/core/error.hpp>
#include <klue/core/files.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/version.hpp>

namespace klue::detail {
namespace {

// Files that a callback of C's finds.
class CFiles final : public Files {
 public:
  CFiles(klue_find_file callback, void* user) : find_(callback), user_(user) {}

  std::optional<FileBytes> find(std::string_view name) const override {
    klue_found_file file{};
    expect_callback_error();
    const int found = find_(user_, std::string(name).c_str(), &file);
    if (found < 0) throw callback_error();
    if (found == 0) return std::nullopt;
    FileBytes result;
    if (file.release != nullptr) result.owner = {file.owner, file.release};
    if (file.data == nullptr && file.size != 0)
      throw UsageError("the bytes of the file are NULL", {.file = std::string(name)});
    result.bytes = {static_cast<const std::byte*>(file.data), file.size};
    return result;
  }

 private:
  klue_find_file find_;
  void* user_;
};

}  // namespace
}  // namespace klue::detail

extern "C" {

const char* klue_version(void) {
  return klue::version().data();
}

klue_status klue_model_load(const char* directory, const klue_load_options* options,
                            klue_model** out) {
  using namespace klue::detail;
  return c_call([&] {
    klue_model*& model = require_argument(out, "out");
    model = nullptr;
    model = new klue_model{
        klue::Model::load(&require_argument(directory, "directory"), c_load_options(options))};
  });
}

klue_status klue_model_load_memory(const klue_file* files, size_t count,
                                   const klue_load_options* options, klue_model** out) {
  using namespace klue::detail;
  return c_call([&] {
    klue_model*& model = require_argument(out, "out");
    model = nullptr;
    if (count != 0) require_argument(files, "files");
    klue::MemoryFiles all;
    for (std::size_t i = 0; i < count; ++i) {
      const char* const name = &require_argument(files[i].name, "files");
      if (files[i].data == nullptr && files[i].size != 0)
        throw klue::UsageError("the bytes of the file are NULL", {.file = name});
      all.add_view(name, {static_cast<const std::byte*>(files[i].data), files[i].size});
    }
    model = new klue_model{klue::Model::load(all, c_load_options(options))};
  });
}

klue_status klue_model_load_files(klue_find_file find, void* user, const klue_load_options* options,
                                  klue_model** out) {
  using namespace klue::detail;
  return c_call([&] {
    klue_model*& model = require_argument(out, "out");
    model = nullptr;
    require_argument(find, "find");
    model = new klue_model{
        klue::Model::load(klue::detail::CFiles(find, user), c_load_options(options))};
  });
}

void klue_model_free(klue_model* model) {
  delete model;
}

klue_status klue_model_get_info(const klue_model* model, klue_model_info* info) {
  using namespace klue::detail;
  return c_call([&] {
    const klue::Model& of = require_argument(model, "model").model;
    const std::size_t size = require_argument(info, "info").struct_size;
    if (size < sizeof(std::size_t))
      throw klue::UsageError("the size is not set", {.field = "struct_size"});
    const klue::ModelInfo& found = of.info();
    klue_model_info all{};
    all.struct_size = size;
    all.engine = found.engine.c_str();
    all.weights_format = found.weights_format.c_str();
    all.head = found.head ? found.head->description.c_str() : "";
    all.threads = found.threads;
    all.embedding_size = found.embedding_size;
    all.hidden_size = of.encoder().config().hidden_size;
    all.max_length = found.max_length;
    all.vocabulary_size = of.preprocessor().tokenizer().vocabulary().size();
    all.memory_bytes = of.memory_bytes();
    all.normalize = found.normalize ? 1 : 0;
    all.has_pooler = of.encoder().has_pooler() ? 1 : 0;
    all.layers = of.encoder().config().num_hidden_layers;
    std::memcpy(info, &all, size < sizeof all ? size : sizeof all);
  });
}

klue_status klue_stop_new(klue_stop** out) {
  using namespace klue::detail;
  return c_call([&] {
    require_argument(out, "out") = nullptr;
    *out = new klue_stop;
  });
}

void klue_stop_request(klue_stop* stop) {
  if (stop != nullptr) stop->source.request_stop();
}

void klue_stop_free(klue_stop* stop) {
  delete stop;
}

klue_status klue_model_embed(const klue_model* model, const klue_text* texts, size_t count,
                             const klue_embed_options* given, float* out, size_t size) {
  using namespace klue::detail;
  return c_call([&] {
    const klue::Model& of = require_argument(model, "model").model;
    const klue_embed_options options = read_c_options(given);
    const std::vector<klue::TextPair> views = c_texts(texts, count);
    if (size != 0) require_argument(out, "out");
    klue::EmbedOptions embed;
    embed.pooling =
        klue::kPoolings[c_choice(options.pooling, std::size(klue::kPoolings), "pooling")];
    if (const auto choice = c_choice(options.normalize, 3, "normalize"))
      embed.normalize = choice == KLUE_YES;
    embed.max_length = unless_zero(options.max_length);
    embed.truncation = c_truncation(options.truncation);
    if (c_choice(options.long_texts, 2, "long_texts") == KLUE_LONG_TEXTS_WINDOWS)
      embed.long_texts = klue::LongTexts::windows;
    if (options.stop != nullptr) embed.stop = options.stop->source.get_token();
    if (options.progress != nullptr)
      embed.progress = [&](std::size_t done, std::size_t all) {
        if (options.progress(options.user, done, all) != 0) throw klue::StoppedError();
      };
    std::vector<klue::TextReport> reports;
    if (options.reports != nullptr) embed.reports = &reports;
    of.embed_into(views, {out, size}, embed);
    for (std::size_t i = 0; i < reports.size(); ++i)
      options.reports[i] = {reports[i].tokens, reports[i].kept, reports[i].unknown};
  });
}

float klue_cosine_similarity(const float* a, const float* b, size_t size) {
  if (a == nullptr || b == nullptr) return 0;
  return klue::cosine_similarity(std::span(a, size), std::span(b, size));
}

}  // extern "C"
