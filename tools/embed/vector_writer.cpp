#include "vector_writer.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>

#include "common/json_record.hpp"
#include "half.hpp"

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
std::string npy_header(std::span<const std::size_t> shape, Dtype dtype) {
  std::string extents;
  for (const std::size_t extent : shape)
    extents.append(std::to_string(extent)).append(", ");
  if (shape.size() > 1) extents.resize(extents.size() - 2);
  std::string header = "{'descr': '";
  header.append(dtype == Dtype::f16 ? "<f2" : "<f4");
  header.append("', 'fortran_order': False, 'shape': (").append(extents).append("), }");
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  while ((kPrefix + header.size() + 1) % kAlignment != 0)
    header.push_back(' ');
  header.push_back('\n');
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix.push_back(static_cast<char>(header.size() & 0xff));
  prefix.push_back(static_cast<char>(header.size() >> 8));
  return prefix + header;
}

// Two numbers of 32 bits, as the readers of ANN benchmarks expect them (big-ann-benchmarks.com).
std::string fbin_header(std::size_t count, std::size_t width) {
  if (count > std::numeric_limits<std::uint32_t>::max())
    throw klue::UsageError("fbin counts its vectors with 32 bits", {.expected = "--format npy"});
  const std::uint32_t numbers[] = {static_cast<std::uint32_t>(count),
                                   static_cast<std::uint32_t>(width)};
  std::string header(sizeof numbers, '\0');
  std::memcpy(header.data(), numbers, sizeof numbers);
  return header;
}

}  // namespace

// JSON knows no infinities and no NaN; null is what JSON writers put there.
void append_json_number(std::string& text, float value) {
  if (std::isfinite(value))
    append_number(text, value);
  else
    text.append("null");
}

void append_fixed(std::string& text, float similarity) {
  char digits[32];
  const int count = std::snprintf(digits, sizeof digits, "%.4f", static_cast<double>(similarity));
  text.append(digits, static_cast<std::size_t>(count));
}

void append_csv_text(std::string& line, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) {
    line.append(text);
    return;
  }
  line.push_back('"');
  for (const char c : text) {
    if (c == '"') line.push_back('"');
    line.push_back(c);
  }
  line.push_back('"');
}

std::string vectors_header(Format format, Dtype dtype, std::size_t count, std::size_t width) {
  return format == Format::fbin ? fbin_header(count, width)
                                : npy_header(std::array{count, width}, dtype);
}

VectorWriter::VectorWriter(tools::OutputFile& file, VectorLayout layout)
    : file_(file), layout_(std::move(layout)) {
  in_memory_ = has_header() && !layout_.count && !file_.can_patch();
}

std::string VectorWriter::header(std::size_t count) const {
  return vectors_header(layout_.format, layout_.dtype, count, layout_.width);
}

void VectorWriter::begin() {
  if (has_header() && !in_memory_) file_.write(header(layout_.count.value_or(0)));
}

void VectorWriter::write(std::span<const float> vector, std::size_t index,
                         const tools::Record* record) {
  ++count_;
  std::vector<float> missing;
  if (record != nullptr && record->is_null) {
    missing.assign(vector.size(), std::numeric_limits<float>::quiet_NaN());
    vector = missing;
  }
  switch (layout_.format) {
    case Format::npy:
    case Format::fbin:
    case Format::f32:
      if (layout_.dtype == Dtype::f16) {
        buffer_.resize(vector.size() * 2);
        to_half(vector, buffer_.data());
        (in_memory_ ? memory_.append(buffer_), void() : file_.write(buffer_));
      } else {
        (in_memory_ ? memory_.append(bytes_of(vector)), void() : file_.write(bytes_of(vector)));
      }
      break;
    case Format::text:
    case Format::csv:
    case Format::jsonl:
      buffer_.clear();
      append_line(vector, index, record);
      file_.write(buffer_);
      break;
  }
}

void VectorWriter::append_line(std::span<const float> vector, std::size_t index,
                               const tools::Record* record) {
  if (layout_.format == Format::text)
    return append_separated(buffer_, vector, ' ', layout_.decimals);
  if (layout_.format == Format::csv) {
    if (record != nullptr && record->id) {
      append_csv_text(buffer_, *record->id);
      buffer_.push_back(',');
    }
    if (record != nullptr && layout_.with_text) {
      append_csv_text(buffer_, record->text);
      buffer_.push_back(',');
    }
    return append_separated(buffer_, vector, ',');
  }
  buffer_.append("{\"index\":").append(std::to_string(index));
  if (record != nullptr && record->id)
    buffer_.append(",\"id\":")
        .append(record->id_is_number ? *record->id : tools::json_string(*record->id));
  if (record != nullptr && layout_.with_text && !record->is_null) {
    buffer_.append(",\"text\":").append(tools::json_string(record->text));
    if (record->text_pair)
      buffer_.append(",\"text_pair\":").append(tools::json_string(*record->text_pair));
  }
  buffer_.append(",\"").append(layout_.key).append("\":");
  if (record != nullptr && record->is_null)
    buffer_.append("null");
  else
    append_json(buffer_, vector);
  buffer_.append("}\n");
}

void VectorWriter::settle() {
  if (has_header() && file_.can_patch() && !layout_.count) file_.patch(header(count_));
}

void VectorWriter::finish() {
  if (layout_.count && *layout_.count != count_)
    throw klue::IoError(
        "the input has changed while it was read",
        {.expected = std::to_string(*layout_.count) + " texts", .actual = std::to_string(count_)});
  settle();
  if (!in_memory_) return;
  file_.write(header(count_));
  file_.write(memory_);
}

void write_token_vectors(tools::OutputFile& file, Format format, std::size_t index,
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
    return file.write(line);
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
      file.write(line);
    }
}

void write_arrays(tools::OutputFile& file, Format format, std::span<const klue::Tensor> arrays,
                  bool stacked) {
  if (format == Format::npy) {
    std::vector<std::size_t> shape = arrays.front().shape();
    if (stacked) shape.insert(shape.begin(), arrays.size());
    file.write(npy_header(shape, Dtype::f32));
  }
  for (const klue::Tensor& array : arrays)
    file.write(bytes_of(array.values()));
}

}  // namespace embed
