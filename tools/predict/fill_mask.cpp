#include <utility>
#include <vector>

#include "predictor.hpp"

namespace predict {
namespace {

using Masks = std::vector<std::vector<klue::Filling>>;

class FillMaskPredictor final : public Predictor {
 public:
  FillMaskPredictor(klue::Model model, const Options& options, Style style)
      : filler_(std::move(model)), style_(style) {
    options_.top_k = options.top_k.value_or(options_.top_k);
    options_.targets = options.targets;
  }

  std::string header() const override { return "line\tmask\ttoken\ttoken_str\tscore\tsequence\n"; }

  std::string predict(std::span<const Record> records, std::size_t first) const override {
    const std::vector<Masks> results = filler_.fill(records, options_);
    std::string out;
    for (std::size_t i = 0; i < records.size(); ++i)
      append(out, records[i].text, results[i], first + i);
    return out;
  }

 private:
  void append(std::string& out, const std::string& text, const Masks& masks,
              std::size_t line) const {
    if (style_.format == Format::jsonl) return append_json(out, masks);
    if (style_.format == Format::text) return append_text(out, text, masks);
    for (std::size_t mask = 0; mask < masks.size(); ++mask)
      for (const klue::Filling& f : masks[mask])
        out += tsv_row({number_text(line), number_text(mask + 1),
                        number_text(static_cast<std::size_t>(f.token)), f.token_text,
                        number_text(f.score), f.sequence});
  }

  static void append_json(std::string& out, const Masks& masks) {
    Json lists = Json::array();
    for (const std::vector<klue::Filling>& fillings : masks) {
      Json list = Json::array();
      for (const klue::Filling& f : fillings)
        list.push_back({{"token", f.token},
                        {"token_str", f.token_text},
                        {"score", f.score},
                        {"sequence", f.sequence}});
      lists.push_back(std::move(list));
    }
    out += json_line({{"masks", std::move(lists)}});
  }

  // The text, then the words of each mask in a line.
  void append_text(std::string& out, const std::string& text, const Masks& masks) const {
    out.append(text).append("\n");
    for (std::size_t mask = 0; mask < masks.size(); ++mask) {
      out += "  ";
      if (masks.size() > 1) out.append(number_text(mask + 1)).append(": ");
      for (std::size_t i = 0; i < masks[mask].size(); ++i) {
        const klue::Filling& f = masks[mask][i];
        const std::string word = std::string(f.token_text).append(" ").append(score_text(f.score));
        out.append(i == 0 ? "" : "   ").append(i == 0 ? style_.marker.strong(word) : word);
      }
      out += "\n";
    }
  }

  klue::MaskFiller filler_;
  klue::FillMaskOptions options_;
  Style style_;
};

}  // namespace

std::unique_ptr<Predictor> make_mask_filler(klue::Model model, const Options& options,
                                            Style style) {
  return std::make_unique<FillMaskPredictor>(std::move(model), options, style);
}

}  // namespace predict
