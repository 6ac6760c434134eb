// tokenize_corpus MODEL_DIR CORPUS.txt [SECONDS]
//
// Tokenizes every line of the corpus, over and over for about SECONDS, on one thread. Prints one
// JSON line: what was done and the median time of a pass over the corpus, for `tokenize` (ids,
// offsets and word ids) and for `encode` (the same with special tokens, masks and type ids).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <klue/text/tokenizer.hpp>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The median time of `pass`, repeated for `seconds`.
template <class Pass>
double median_time(double seconds, Pass pass) {
  std::vector<double> times;
  for (const auto start = Clock::now(); times.size() < 5 || seconds_since(start) < seconds;) {
    const auto begin = Clock::now();
    pass();
    times.push_back(seconds_since(begin));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int run(const char* model, const char* corpus, double seconds) {
  const klue::Tokenizer tokenizer = klue::Tokenizer::load(model);
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  std::ifstream file(corpus);
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    bytes += line.size();
    texts.push_back(line);
  }

  // A checksum of everything, so that another tokenizer can show that it found the same.
  std::uint64_t tokens = 0, checksum = 0;
  for (const std::string& text : texts) {
    for (const auto id : tokenizer.encode(text).ids) {
      checksum = (checksum * 31 + static_cast<std::uint64_t>(id)) % 1'000'003;
      ++tokens;
    }
  }

  std::size_t sink = 0;
  const double tokenize = median_time(seconds / 2, [&] {
    for (const std::string& text : texts)
      sink += tokenizer.tokenize(text).size();
  });
  const double encode = median_time(seconds / 2, [&] {
    for (const std::string& text : texts)
      sink += tokenizer.encode(text).size();
  });
  std::printf(
      "{\"texts\": %zu, \"bytes\": %zu, \"tokens\": %llu, \"checksum\": %llu, "
      "\"tokenize_s\": %.9f, \"encode_s\": %.9f}\n",
      texts.size(), bytes, static_cast<unsigned long long>(tokens),
      static_cast<unsigned long long>(checksum), tokenize, encode);
  return sink == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenize_corpus MODEL_DIR CORPUS.txt [SECONDS]\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2], argc > 3 ? std::atof(argv[3]) : 1.0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
