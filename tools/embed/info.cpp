#include "info.hpp"

#include <string>

namespace embed {
namespace {

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

}  // namespace

void print_info(const klue::Model& model, std::size_t threads, std::ostream& out) {
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
      << "engine     " << info.engine << ", " << threads
      << (threads == 1 ? " thread\n" : " threads\n");
}

}  // namespace embed
