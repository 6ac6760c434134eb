// Shows the names in a text, by a model that was fine-tuned for them (klue/roberta-base on
// KLUE-NER).
//
//     entity_highlighter MODEL [--plain] <TEXT      coloured, or "[이순신 PS]"

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <klue/klue.hpp>

namespace {

// The same label, the same colour.
std::string colour_of(const std::string& label, const std::vector<std::string>& labels) {
  std::size_t number = 0;
  while (number < labels.size() && !labels[number].ends_with(label))
    ++number;
  return "\033[1;" + std::to_string(31 + number / 2 % 6) + "m";
}

void show(std::string_view text, const std::vector<klue::Entity>& entities,
          const std::vector<std::string>& labels, bool plain) {
  std::size_t done = 0;
  for (const klue::Entity& entity : entities) {  // in the order of the text; bytes, so cut freely
    const auto [begin, end] = entity.offset;
    std::cout << text.substr(done, begin - done) << (plain ? "[" : colour_of(entity.label, labels))
              << text.substr(begin, end - begin) << " " << entity.label
              << (plain ? "]" : "\033[0m");
    done = end;
  }
  std::cout << text.substr(done) << "\n";
}

}  // namespace

int main(int argc, char** argv) try {
  const bool plain = argc == 3 && std::string_view(argv[2]) == "--plain";
  if (argc != 2 && !plain) {
    std::cerr << "Usage: entity_highlighter MODEL [--plain] <TEXT\n";
    return 2;
  }
  const klue::Tagger tagger(klue::Model::load(argv[1]));
  // Many lines at once: they share a batch, and long ones are read in windows.
  constexpr std::size_t batch = 64;
  std::vector<std::string> lines;
  const auto flush = [&] {
    const auto entities = tagger.tag(lines, {.aggregation = klue::Aggregation::first});
    for (std::size_t i = 0; i < lines.size(); ++i)
      show(lines[i], entities[i], tagger.labels(), plain);
    lines.clear();
  };
  for (std::string line; std::getline(std::cin, line);) {
    lines.push_back(std::move(line));
    if (lines.size() == batch) flush();
  }
  flush();
} catch (const klue::Error& error) {
  std::cerr << "entity_highlighter: " << error.what() << "\n";
  return 1;
}
