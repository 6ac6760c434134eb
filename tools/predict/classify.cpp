#include <utility>
#include <vector>

#include "predictor.hpp"

namespace predict {
namespace {

class ClassifyPredictor final : public Predictor {
 public:
  ClassifyPredictor(klue::Model model, const Options& options, Style style)
      : classifier_(std::move(model)), style_(style) {
    options_.top_k = options.top_k;
    options_.activation = options.activation.value_or(klue::ScoreFunction::automatic);
    options_.text.max_length = options.max_length;
  }

  std::string header() const override { return "line\tlabel\tscore\n"; }

  std::string predict(std::span<const Record> records, std::size_t first) const override {
    const auto results = classifier_.classify(records, options_);
    std::string out;
    for (std::size_t i = 0; i < records.size(); ++i)
      append(out, records[i], results[i], first + i);
    return out;
  }

 private:
  void append(std::string& out, const Record& record, const std::vector<klue::Label>& labels,
              std::size_t line) const {
    if (style_.format == Format::jsonl) {
      Json list = Json::array();
      for (const klue::Label& label : labels)
        list.push_back({{"label", label.name}, {"score", label.score}});
      out += json_line({{"labels", std::move(list)}});
    } else if (style_.format == Format::tsv) {
      for (const klue::Label& label : labels)
        out += tsv_row({number_text(line), label.name, number_text(label.score)});
    } else {
      append_text(out, record, labels);
    }
  }

  // "세계 0.8912   정치 0.0431   사회 0.0210   …", then the text.
  void append_text(std::string& out, const Record& record,
                   const std::vector<klue::Label>& labels) const {
    out += record.text;
    if (record.text_pair) out.append(" | ").append(*record.text_pair);
    out += "\n  ";
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::string text =
          std::string(labels[i].name).append(" ").append(score_text(labels[i].score));
      out.append(i == 0 ? "" : "   ").append(i == 0 ? style_.marker.strong(text) : text);
    }
    out += "\n";
  }

  klue::Classifier classifier_;
  klue::ClassifyOptions options_;
  Style style_;
};

}  // namespace

std::unique_ptr<Predictor> make_classifier(klue::Model model, const Options& options, Style style) {
  return std::make_unique<ClassifyPredictor>(std::move(model), options, style);
}

}  // namespace predict
