// Groups the lines of a file that say the same in other words.
//
//     near_duplicates MODEL FILE [THRESHOLD]      the least cosine of two duplicates; default 0.85

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <klue/klue.hpp>

int main(int argc, char** argv) try {
  if (argc < 3 || argc > 4) {
    std::cerr << "Usage: near_duplicates MODEL FILE [THRESHOLD]\n";
    return 2;
  }
  const float threshold = argc == 4 ? std::strtof(argv[3], nullptr) : 0.85f;
  const auto model = klue::Model::load(argv[1]);
  std::vector<std::string> lines;
  std::ifstream file(argv[2]);
  if (!file) throw klue::IoError("cannot open the file", {.file = argv[2]});
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(std::move(line));

  // Each pair once, in blocks: memory for the pairs found, not for lines × lines.
  const klue::Tensor vectors = model.embed(lines);
  const std::vector<klue::SimilarPair> pairs =
      klue::similar_pairs(vectors, {.threshold = threshold});
  for (const std::vector<std::size_t>& group : klue::communities(lines.size(), pairs)) {
    for (const std::size_t line : group) {
      const float score = klue::cosine_similarity(vectors.at(group.front()), vectors.at(line));
      std::printf("%.3f  %4zu  %s\n", score, line + 1, lines[line].c_str());
    }
    std::puts("");
  }
} catch (const klue::Error& error) {
  std::cerr << "near_duplicates: " << error.what() << "\n";
  return 1;
}
