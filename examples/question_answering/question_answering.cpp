// Answers questions by places in a document, by a model that was fine-tuned for it (KLUE-MRC).
//
//     question_answering MODEL DOCUMENT QUESTION...

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <klue/klue.hpp>

namespace {

// The line of the document that a byte is in.
std::string line_around(const std::string& document, std::size_t byte) {
  const std::size_t before = byte == 0 ? std::string::npos : document.rfind('\n', byte - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return document.substr(begin, document.find('\n', byte) - begin);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::cerr << "Usage: question_answering MODEL DOCUMENT QUESTION...\n";
    return 2;
  }
  const klue::Answerer answerer(klue::Model::load(argv[1]));
  std::ifstream file(argv[2], std::ios::binary);
  if (!file) throw klue::IoError("cannot open the file", {.file = argv[2]});
  const std::string document(std::istreambuf_iterator<char>(file), {});

  // A document of any length: it is read in windows that overlap.
  std::vector<klue::Question> questions;
  for (int i = 3; i < argc; ++i)
    questions.push_back({.question = argv[i], .context = document});
  const std::vector<klue::Answers> answers = answerer.answer(questions, {.no_answer = true});
  for (std::size_t i = 0; i < questions.size(); ++i) {
    std::cout << questions[i].question << "\n";
    for (const klue::Answer& answer : answers[i].best)
      if (answer.text.empty())
        std::printf("  %.3f  (no answer)\n", answer.score);
      else
        std::printf("  %.3f  %s\n         %s\n", answer.score, answer.text.c_str(),
                    line_around(document, answer.offset.begin).c_str());
  }
} catch (const klue::Error& error) {
  std::cerr << "question_answering: " << error.what() << "\n";
  return 1;
}
