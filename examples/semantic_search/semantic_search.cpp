// Finds the lines of a file that mean what is asked for, whatever their words.
//
//     semantic_search MODEL FILE [QUERY...]      without queries: one a line from standard input
//
// Exact, and fast enough for a million lines; example million_search is for more.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <klue/klue.hpp>

namespace {

std::vector<std::string> read_lines(const char* path) {
  std::ifstream file(path);
  if (!file) throw klue::IoError("cannot open the file", {.file = path});
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "Usage: semantic_search MODEL FILE [QUERY...]\n";
    return 2;
  }
  const auto model = klue::Model::load(argv[1]);
  const std::vector<std::string> lines = read_lines(argv[2]);
  const klue::Tensor vectors = model.embed(lines);  // [lines, embedding_size], made once

  const auto answer = [&](const std::string& query) {
    std::cout << query << "\n";
    for (const klue::Hit& hit : klue::top_k(model.embed(query), vectors, {.k = 3}).front())
      std::printf("  %.3f  %s\n", hit.score, lines[hit.index].c_str());
    std::fflush(stdout);
  };
  for (int i = 3; i < argc; ++i)
    answer(argv[i]);
  if (argc == 3)
    for (std::string query; std::getline(std::cin, query);)
      answer(query);
} catch (const klue::Error& error) {
  std::cerr << "semantic_search: " << error.what() << "\n";
  return 1;
}
