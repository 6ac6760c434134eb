#include "writer.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <system_error>
#include <utility>

namespace embed {
namespace {

static_assert(std::endian::native == std::endian::little, "npy and f32 are written as they lie");

void append_number(std::string& text, float value, int decimals = -1) {
  std::array<char, 64> digits;
  const auto result = decimals < 0 ? std::to_chars(digits.begin(), digits.end(), value)
                                   : std::to_chars(digits.begin(), digits.end(), value,
                                                   std::chars_format::fixed, decimals);
  text.append(digits.begin(), result.ptr);
}

// JSON knows no infinities and no NaN; null is what JSON writers put there.
void append_json_number(std::string& text, float value) {
  if (std::isfinite(value))
    append_number(text, value);
  else
    text.append("null");
}

void append_json(std::string& text, std::span<const float> vector) {
  text.push_back('[');
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i != 0) text.push_back(',');
    append_json_number(text, vector[i]);
  }
  text.push_back(']');
}

void append_separated(std::string& text, std::span<const float> vector, char separator,
                      int decimals = -1) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i != 0) text.push_back(separator);
    append_number(text, vector[i], decimals);
  }
  text.push_back('\n');
}

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0
std::string npy_header(std::span<const std::size_t> shape) {
  std::string extents;
  for (const std::size_t extent : shape)
    extents.append(std::to_string(extent)).append(", ");
  if (shape.size() > 1) extents.resize(extents.size() - 2);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + extents + "), }";
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  while ((kPrefix + header.size() + 1) % kAlignment != 0)
    header.push_back(' ');
  header.push_back('\n');
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix.push_back(static_cast<char>(header.size() & 0xff));
  prefix.push_back(static_cast<char>(header.size() >> 8));
  return prefix + header;
}

[[noreturn]] void fail_to_write(const std::string& path) {
  throw klue::IoError("cannot write",
                      {.file = path, .actual = std::generic_category().message(errno)});
}

}  // namespace

Destination::Destination(const std::string& path)
    : path_(path == "-" ? "standard output" : path), stream_(&std::cout) {
  if (path == "-") return;
  errno = 0;
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) fail_to_write(path_);
  stream_ = &file_;
}

void Destination::write(std::string_view bytes) {
  errno = 0;
  stream_->write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  check();
}

void Destination::finish() {
  errno = 0;
  stream_->flush();
  check();
}

void Destination::check() {
  if (!*stream_) fail_to_write(path_);
}

VectorWriter::VectorWriter(Destination& destination, Format format, std::string key, int decimals)
    : destination_(destination), format_(format), key_(std::move(key)), decimals_(decimals) {
  if (format_ != Format::npy) return;
  spool_.reset(std::tmpfile());
  if (!spool_) fail_to_write("temporary file");
}

void VectorWriter::write(std::span<const float> vector) {
  buffer_.clear();
  switch (format_) {
    case Format::text:
      append_separated(buffer_, vector, ' ', decimals_);
      break;
    case Format::csv:
      append_separated(buffer_, vector, ',');
      break;
    case Format::jsonl:
      buffer_.append("{\"index\":").append(std::to_string(count_));
      buffer_.append(",\"").append(key_).append("\":");
      append_json(buffer_, vector);
      buffer_.append("}\n");
      break;
    case Format::f32:
      buffer_ = bytes_of(vector);
      break;
    case Format::npy:
      if (std::fwrite(vector.data(), sizeof(float), vector.size(), spool_.get()) != vector.size())
        fail_to_write("temporary file");
      break;
  }
  ++count_;
  destination_.write(buffer_);
}

void VectorWriter::finish(std::size_t vector_size) {
  if (format_ == Format::npy) {
    destination_.write(npy_header(std::array{count_, vector_size}));
    std::rewind(spool_.get());
    std::string part(1 << 20, '\0');
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), spool_.get()))
      destination_.write(std::string_view(part).substr(0, size));
    if (std::ferror(spool_.get()) != 0)
      throw klue::IoError("cannot read back", {.file = "temporary file"});
  }
  destination_.finish();
}

void write_token_vectors(Destination& destination, Format format, std::size_t index,
                         std::span<const klue::Tensor> layers, bool all_layers) {
  std::string line;
  if (format == Format::jsonl) {
    line.append("{\"index\":").append(std::to_string(index));
    line.append(all_layers ? ",\"encoder_outputs\":[" : ",\"sequence_output\":");
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      if (layer != 0) line.push_back(',');
      for (std::size_t t = 0; t < layers[layer].shape()[1]; ++t) {
        line.push_back(t == 0 ? '[' : ',');
        append_json(line, layers[layer].at(0, t));
      }
      line.push_back(']');
    }
    line.append(all_layers ? "]}\n" : "}\n");
    return destination.write(line);
  }
  // One line per token, led by where it belongs.
  const char separator = format == Format::csv ? ',' : ' ';
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (std::size_t t = 0; t < layers[layer].shape()[1]; ++t) {
      line.clear();
      if (all_layers) line.append(std::to_string(layer)).push_back(separator);
      line.append(std::to_string(index)).push_back(separator);
      line.append(std::to_string(t)).push_back(separator);
      append_separated(line, layers[layer].at(0, t), separator);
      destination.write(line);
    }
}

void write_arrays(Destination& destination, Format format, std::span<const klue::Tensor> arrays,
                  bool stacked) {
  if (format == Format::npy) {
    std::vector<std::size_t> shape = arrays.front().shape();
    if (stacked) shape.insert(shape.begin(), arrays.size());
    destination.write(npy_header(shape));
  }
  for (const klue::Tensor& array : arrays)
    destination.write(bytes_of(array.values()));
  destination.finish();
}

}  // namespace embed
