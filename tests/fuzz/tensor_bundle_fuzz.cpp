// The input is read three times: as an index file, as the content of a block, and as an object
// graph, the last two with right checksums around them, since a fuzzer does not find those.

#include <string>
#include <utility>
#include <vector>

#include <klue/checkpoint/detail/crc.hpp>
#include <klue/checkpoint/detail/tensor_bundle.hpp>
#include <klue/checkpoint/detail/tensorflow_encoder.hpp>

#include "read_all.hpp"

namespace {

using Bytes = std::span<const std::byte>;

template <class Number>
std::string little_endian(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string block(std::string content) {
  content += '\0';  // not compressed
  return content + little_endian(klue::detail::masked_crc32c(std::as_bytes(std::span(content))));
}

/// A number as a varint of five bytes, whatever its size.
std::string varint(std::size_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i, value >>= 7)
    out += static_cast<char>(value | 128);
  return out + static_cast<char>(value & 127);
}

/// A table of one block with this content.
std::string table_around(const std::string& content) {
  const std::string handle = varint(0) + varint(content.size());
  const std::string table = block(content);
  const std::string index =
      std::string("\0\1\xA~", 4) + handle + little_endian(0u) + little_endian(1u);
  std::string footer = varint(0) + varint(0) + varint(table.size()) + varint(index.size());
  footer.resize(40, '\0');
  return table + block(index) + footer + little_endian(std::uint64_t{0xdb4775248b80fb57});
}

std::uint32_t masked_crc(const std::string& text) {
  return klue::detail::masked_crc32c(std::as_bytes(std::span(text)));
}

/// An index of an object graph alone, and the data file of that.
std::pair<std::string, std::string> index_of_graph(const std::string& graph) {
  const std::string length = little_endian(static_cast<std::uint32_t>(graph.size()));
  const std::string check = little_endian(masked_crc(length));
  const std::string data = varint(graph.size()) + check + graph;
  const std::string entry = "\x08\x07\x28" + varint(data.size()) + "\x35" +
                            little_endian(masked_crc(length + check + graph));
  const std::string key = "_CHECKPOINTABLE_OBJECT_GRAPH";
  const auto record = [](const std::string& name, const std::string& value) {
    return varint(0) + varint(name.size()) + varint(value.size()) + name + value;
  };
  return {table_around(record("", "\x08\x01") + record(key, entry) + little_endian(0u) +
                       little_endian(1u)),
          data};
}

void parse(const std::string& index, const std::string& data) {
  // Exact copies on the heap, where a read past their end is seen.
  const auto copy = [](const std::string& text) {
    const Bytes bytes = std::as_bytes(std::span(text));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  const std::vector<std::byte> index_bytes = copy(index), data_bytes = copy(data);
  try {
    const klue::detail::TensorBundle bundle = klue::detail::parse_tensor_bundle(
        "fuzz.index", index_bytes, [&](std::size_t, std::size_t) -> Bytes { return data_bytes; },
        {.verify_checksums = false});
    klue::fuzz::read_all(bundle.tensors, data.size());
    klue::fuzz::read_all(klue::detail::to_hugging_face("fuzz.index", bundle).tensors, data.size());
  } catch (const klue::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  parse(input, input);
  parse(table_around(input), input);
  const auto [index, content] = index_of_graph(input);
  parse(index, content);
  return 0;
}
