#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "predictor.hpp"

namespace predict {
namespace {

class RankPredictor final : public Predictor {
 public:
  RankPredictor(klue::Model model, const Options& options, Style style)
      : ranker_(std::move(model)), style_(style), sorted_(options.input.empty()) {
    options_.activation = options.activation.value_or(klue::ScoreFunction::automatic);
    options_.text.max_length = options.max_length;
    top_k_ = options.top_k;
  }

  std::string header() const override { return "line\tscore\n"; }

  // The documents of the command line have one query and are sorted, and so need their places; the
  // pairs of a file stay in theirs.
  std::string predict(std::span<const Record> records, std::size_t first) const override {
    const std::vector<double> scores = ranker_.score(records, options_);
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (sorted_) {
      std::ranges::stable_sort(order, std::ranges::greater{},
                               [&](std::size_t i) { return scores[i]; });
      order.resize(std::min(order.size(), top_k_.value_or(order.size())));
    }
    std::string out;
    for (const std::size_t i : order)
      append(out, records[i], scores[i], first + i);
    return out;
  }

 private:
  void append(std::string& out, const Record& record, double score, std::size_t line) const {
    if (style_.format == Format::jsonl)
      out += sorted_ ? json_line({{"index", line - 1}, {"score", score}})
                     : json_line({{"score", score}});
    else if (style_.format == Format::tsv)
      out += tsv_row({number_text(line), number_text(score)});
    else
      append_text(out, record, score);
  }

  void append_text(std::string& out, const Record& record, double score) const {
    out.append(style_.marker.strong(score_text(score))).append("  ");
    if (!sorted_) out.append(record.text).append(" | ");
    out.append(record.text_pair.value_or("")).append("\n");
  }

  klue::Ranker ranker_;
  klue::RankOptions options_;
  std::optional<std::size_t> top_k_;
  Style style_;
  bool sorted_;
};

}  // namespace

std::unique_ptr<Predictor> make_ranker(klue::Model model, const Options& options, Style style) {
  return std::make_unique<RankPredictor>(std::move(model), options, style);
}

}  // namespace predict
