#include <algorithm>
#include <utility>
#include <vector>

#include "predictor.hpp"

namespace predict {
namespace {

/// Where the sentence around a place begins and ends: at a line end or a full stop before a space.
/// A long one is cut at most so many bytes from the place.
klue::Offset sentence_around(std::string_view text, klue::Offset place) {
  constexpr std::size_t kMost = 240;
  const auto ends_at = [&](std::size_t i) {
    return text[i] == '\n' || (std::string_view(".?!").find(text[i]) != std::string_view::npos &&
                               (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n'));
  };
  const auto inside_character = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  klue::Offset sentence = place;
  while (sentence.begin > 0 && place.begin - sentence.begin < kMost && !ends_at(sentence.begin - 1))
    --sentence.begin;
  while (inside_character(sentence.begin))
    ++sentence.begin;
  while (sentence.begin < place.begin && text[sentence.begin] == ' ')
    ++sentence.begin;
  while (sentence.end < text.size() && sentence.end - place.end < kMost && !ends_at(sentence.end))
    ++sentence.end;
  if (sentence.end < text.size() && text[sentence.end] != '\n') ++sentence.end;
  while (inside_character(sentence.end))
    ++sentence.end;
  return sentence;
}

class AnswerPredictor final : public Predictor {
 public:
  AnswerPredictor(klue::Model model, const Options& options, Style style)
      : answerer_(std::move(model)), style_(style) {
    options_.top_k = options.top_k.value_or(options_.top_k);
    options_.max_length = options.max_length;
    options_.stride = options.stride;
    options_.max_answer_length = options.max_answer_length.value_or(options_.max_answer_length);
    options_.no_answer = options.no_answer || options.no_answer_threshold;
    options_.no_answer_threshold = options.no_answer_threshold.value_or(0);
    options_.align_words = !options.no_align_words;
  }

  std::string header() const override {
    return "line\tscore\tstart\tend\tstart_char\tend_char\tanswer\n";
  }

  std::string predict(std::span<const Record> records, std::size_t first) const override {
    std::vector<klue::Question> questions;
    for (const Record& record : records) {
      if (!record.text_pair)
        throw klue::UsageError("a question without a context", {.field = "context"});
      questions.push_back({record.text, *record.text_pair});
    }
    const std::vector<klue::Answers> results = answerer_.answer(questions, options_);
    std::string out;
    for (std::size_t i = 0; i < records.size(); ++i)
      append(out, questions[i], results[i].best, first + i);
    return out;
  }

 private:
  void append(std::string& out, const klue::Question& question,
              const std::vector<klue::Answer>& answers, std::size_t line) const {
    if (style_.format == Format::jsonl) return append_json(out, answers);
    if (style_.format == Format::text) return append_text(out, question, answers);
    for (const klue::Answer& a : answers)
      out += tsv_row({number_text(line), number_text(a.score), number_text(a.offset.begin),
                      number_text(a.offset.end), number_text(a.code_points.begin),
                      number_text(a.code_points.end), a.text});
  }

  static void append_json(std::string& out, const std::vector<klue::Answer>& answers) {
    Json list = Json::array();
    for (const klue::Answer& a : answers)
      list.push_back({{"answer", a.text},
                      {"score", a.score},
                      {"start", a.offset.begin},
                      {"end", a.offset.end},
                      {"start_char", a.code_points.begin},
                      {"end_char", a.code_points.end}});
    out += json_line({{"answers", std::move(list)}});
  }

  // The question, then each answer in its sentence.
  void append_text(std::string& out, const klue::Question& question,
                   const std::vector<klue::Answer>& answers) const {
    out.append(question.question).append("\n");
    if (answers.empty()) out += "  no answer\n";
    for (const klue::Answer& a : answers) {
      out.append("  ").append(score_text(a.score)).append("  ");
      if (a.text.empty()) {
        out += "no answer\n";
        continue;
      }
      const klue::Offset sentence = sentence_around(question.context, a.offset);
      const auto part = [&](std::size_t begin, std::size_t end) {
        return question.context.substr(begin, end - begin);
      };
      out.append(part(sentence.begin, a.offset.begin))
          .append(style_.marker.marked(a.text))
          .append(part(a.offset.end, sentence.end))
          .append("\n");
    }
  }

  klue::Answerer answerer_;
  klue::AnswerOptions options_;
  Style style_;
};

}  // namespace

std::unique_ptr<Predictor> make_answerer(klue::Model model, const Options& options, Style style) {
  return std::make_unique<AnswerPredictor>(std::move(model), options, style);
}

}  // namespace predict
