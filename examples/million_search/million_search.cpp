// Search among millions of lines: an index of hnswlib, kept in a file, finds the nearest without
// looking at most of them.
//
//     million_search build MODEL FILE INDEX         in parts: memory for the index, not for the
//     text million_search find  MODEL FILE INDEX QUERY...

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hnswlib/hnswlib.h>

#include <klue/klue.hpp>

namespace {

using Index = hnswlib::HierarchicalNSW<float>;

constexpr std::size_t part_lines = 4096;

// Vectors of length 1: their inner product is their cosine.
constexpr bool unit_length = true;

std::ifstream open(const char* path) {
  std::ifstream file(path);
  if (!file) throw klue::IoError("cannot open the file", {.file = path});
  return file;
}

// The next lines of a file, empty ones included, so that a line's number is its label.
std::vector<std::string> next_lines(std::istream& file) {
  std::vector<std::string> lines;
  for (std::string line; lines.size() < part_lines && std::getline(file, line);)
    lines.push_back(std::move(line));
  return lines;
}

void build(const klue::Model& model, const char* text, const std::string& index_file) {
  const std::size_t width = model.info().embedding_size;
  hnswlib::InnerProductSpace space(width);
  Index index(&space, part_lines, /*M=*/16, /*ef_construction=*/200);
  const klue::ThreadPool threads;
  std::ifstream file = open(text);
  std::vector<float> vectors;
  std::size_t done = 0;
  for (auto lines = next_lines(file); !lines.empty(); lines = next_lines(file)) {
    vectors.resize(lines.size() * width);
    model.embed_into(lines, vectors, {.normalize = unit_length});
    if (done + lines.size() > index.max_elements_) index.resizeIndex(2 * (done + lines.size()));
    threads.parallel_for(lines.size(), [&](std::size_t i, std::size_t) {
      index.addPoint(vectors.data() + i * width, done + i);
    });
    done += lines.size();
    std::cerr << "\r" << done << " lines";
  }
  std::cerr << "\n";
  index.saveIndex(index_file);
}

// The lines of these numbers, ascending.
std::vector<std::string> lines_of(const char* text, const std::vector<std::size_t>& numbers) {
  std::ifstream file = open(text);
  std::vector<std::string> found;
  std::string line;
  for (std::size_t i = 0; found.size() < numbers.size() && std::getline(file, line); ++i)
    if (i == numbers[found.size()]) found.push_back(line);
  return found;
}

void find(const klue::Model& model, const char* text, const std::string& index_file,
          const char* query) {
  const klue::Tensor vector = model.embed(query, {.normalize = unit_length});
  hnswlib::InnerProductSpace space(model.info().embedding_size);
  Index index(&space, index_file);
  index.setEf(100);  // how far it looks: more finds more of the true neighbours, and takes longer
  auto nearest = index.searchKnn(vector.data(), 3);  // farthest first
  std::vector<std::pair<std::size_t, float>> hits;
  for (; !nearest.empty(); nearest.pop())
    hits.emplace_back(nearest.top().second, 1 - nearest.top().first);
  std::vector<std::size_t> numbers;
  for (const auto& [number, score] : hits)
    numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  const std::vector<std::string> lines = lines_of(text, numbers);
  std::cout << query << "\n";
  for (auto hit = hits.rbegin(); hit != hits.rend(); ++hit) {
    const auto at = std::lower_bound(numbers.begin(), numbers.end(), hit->first) - numbers.begin();
    std::printf("  %.3f  %s\n", hit->second, lines.at(static_cast<std::size_t>(at)).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if ((command != "build" || argc != 5) && (command != "find" || argc < 6)) {
    std::cerr << "Usage: million_search build MODEL FILE INDEX\n"
                 "       million_search find MODEL FILE INDEX QUERY...\n";
    return 2;
  }
  const auto model = klue::Model::load(argv[2]);
  if (command == "build") build(model, argv[3], argv[4]);
  for (int i = 5; i < argc; ++i)
    find(model, argv[3], argv[4], argv[i]);
} catch (const std::exception& error) {
  std::cerr << "million_search: " << error.what() << "\n";
  return 1;
}
