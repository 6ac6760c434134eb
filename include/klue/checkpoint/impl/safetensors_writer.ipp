#include <cstdint>
#include <cstring>
#include <string>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/detail/file_writer.hpp>
#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>

namespace klue {

void write_safetensors(const std::filesystem::path& file, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    std::size_t size = dtype_size(tensor.dtype);
    for (const std::size_t extent : tensor.shape)
      size *= extent;
    if (size != tensor.bytes.size())
      throw UsageError("a tensor whose bytes are not what its shape says",
                       {.file = file.string(),
                        .field = tensor.name,
                        .expected = std::to_string(size),
                        .actual = std::to_string(tensor.bytes.size())});
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  // Spaces at the end make the data aligned.
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::uint64_t length = text.size();
  char prefix[sizeof length];
  for (char& byte : prefix) {
    byte = static_cast<char>(length & 0xff);
    length >>= 8;
  }
  detail::FileWriter writer(file);
  writer.append(std::as_bytes(std::span(prefix)));
  writer.append(std::as_bytes(std::span(text)));
  for (const TensorToWrite& tensor : tensors)
    writer.append(tensor.bytes);
  writer.commit();
}

}  // namespace klue
