// A packed SavedModel whose checksums are all right, as no fuzzer finds them: the input changes the
// entries of its index (six bytes each: which entry, which of its fields, four bytes of number) and
// gives, behind the 128th of them, the data.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <klue/klue.hpp>

#include "checkpoint/scratch_directory.hpp"
#include "checkpoint/table_writer.hpp"
#include "checkpoint/tar_writer.hpp"
#include "tiny_model.hpp"
#if KLUE_WITH_ZLIB
#include "checkpoint/gzip_writer.hpp"
#endif

namespace {

using namespace klue::test;

struct Variable {
  std::string key;
  std::uint64_t type = 1, shard = 0, offset = 0, size = 0;
  std::vector<std::uint64_t> shape{};
};

/// The variables of the TF-Hub module's encoder, with one layer.
std::vector<Variable> variables() {
  using klue::fuzz::hidden, klue::fuzz::inner, klue::fuzz::vocabulary;
  constexpr std::uint64_t heads = 2, width = hidden / heads;
  std::vector<Variable> all;
  std::uint64_t offset = 0;
  const auto add = [&](const std::string& key, std::vector<std::uint64_t> shape) {
    std::uint64_t size = 4;
    for (const std::uint64_t extent : shape)
      size *= extent;
    all.push_back({key, 1, 0, offset, size, std::move(shape)});
    offset += size;
  };
  const std::string layer = "transformer/layer_0/";
  add("embeddings/layer_norm/beta", {hidden});
  add("embeddings/layer_norm/gamma", {hidden});
  add("layer_with_weights-1/bias/.ATTRIBUTES/VARIABLE_VALUE", {3});
  add("layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE", {hidden, 3});
  add("pooler_transform/bias", {hidden});
  add("pooler_transform/kernel", {hidden, hidden});
  add("position_embedding/embeddings", {klue::fuzz::positions, hidden});
  add(layer + "intermediate/bias", {inner});
  add(layer + "intermediate/kernel", {hidden, inner});
  add(layer + "output/bias", {hidden});
  add(layer + "output/kernel", {inner, hidden});
  add(layer + "output_layer_norm/beta", {hidden});
  add(layer + "output_layer_norm/gamma", {hidden});
  add(layer + "self_attention/attention_output/bias", {hidden});
  add(layer + "self_attention/attention_output/kernel", {heads, width, hidden});
  for (const char* name : {"key", "query", "value"}) {
    add(layer + "self_attention/" + name + "/bias", {heads, width});
    add(layer + "self_attention/" + name + "/kernel", {hidden, heads, width});
  }
  add(layer + "self_attention_layer_norm/beta", {hidden});
  add(layer + "self_attention_layer_norm/gamma", {hidden});
  add("type_embeddings/embeddings", {1, hidden});
  add("word_embeddings/embeddings", {vocabulary, hidden});
  return all;
}

void change(std::vector<Variable>& all, const std::uint8_t* bytes) {
  Variable& variable = all[bytes[0] % all.size()];
  std::uint32_t number = 0;
  std::memcpy(&number, bytes + 2, sizeof number);
  switch (bytes[1] % 9) {
    case 0:
      variable.type = number;
      break;
    case 1:
      variable.shard = number;
      break;
    case 2:
      variable.offset = number;
      break;
    case 3:
      variable.size = number;
      break;
    case 4:
      variable.shape.push_back(number);
      break;
    case 5:
      variable.shape.clear();
      break;
    case 6:
      if (!variable.shape.empty()) variable.shape[number % variable.shape.size()] = number >> 8;
      break;
    case 7:
      variable.key = all[number % all.size()].key;
      break;
    default:
      if (!variable.key.empty())
        variable.key[number % variable.key.size()] = static_cast<char>(number >> 24);
  }
}

std::string index_of(const std::vector<Variable>& all, const std::string& data) {
  std::map<std::string, std::string> entries{{"", proto(1, 1) + proto(3, proto(1, 1))}};
  for (const Variable& variable : all) {
    std::string shape;
    for (const std::uint64_t extent : variable.shape)
      shape += proto(2, proto(1, extent));
    const std::size_t offset = std::min<std::size_t>(variable.offset, data.size());
    const std::string_view content = std::string_view(data).substr(offset, variable.size);
    entries.emplace(variable.key, proto(1, variable.type) + proto(2, shape) +
                                      proto(3, variable.shard) + proto(4, variable.offset) +
                                      proto(5, variable.size) +
                                      proto_fixed32(6, masked_crc(content)));
  }
  return table({entries.begin(), entries.end()});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<Variable> all = variables();
  constexpr std::size_t record = 6, most = 128;
  std::size_t used = 0;
  for (; used + record <= size && used < most * record; used += record)
    change(all, data + used);
  std::string content =
      size > used ? std::string(reinterpret_cast<const char*>(data) + used, size - used) : "";
  content.resize(variables().back().offset + variables().back().size, '\x3c');
  std::string archive =
      tar({{.name = "./variables/variables.index", .content = index_of(all, content)},
           {.name = "./variables/variables.data-00000-of-00001", .content = content},
           {.name = "./assets/vocab.txt", .content = klue::fuzz::vocab_txt}});
#if KLUE_WITH_ZLIB
  archive = gzip(archive);
#endif
  const ScratchDirectory directory;
  try {
    const klue::Model model =
        klue::Model::load(directory.write("module.tar.gz", archive), {.threads = 1});
    const std::vector<std::string> texts{"가나 다 [MASK] ab!", ""};
    model.embed(texts);
    if (model.info().head && model.info().head->labels != 0) model.classify(texts);
  } catch (const klue::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
