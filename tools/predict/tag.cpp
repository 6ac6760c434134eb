#include <utility>
#include <vector>

#include "predictor.hpp"

namespace predict {
namespace {

class TagPredictor final : public Predictor {
 public:
  TagPredictor(klue::Model model, const Options& options, Style style)
      : tagger_(std::move(model)), style_(style) {
    options_.aggregation = options.aggregation.value_or(options_.aggregation);
    options_.max_length = options.max_length;
    options_.stride = options.stride;
  }

  std::string header() const override {
    return "line\tlabel\tscore\tstart\tend\tstart_char\tend_char\ttext\n";
  }

  std::string predict(std::span<const Record> records, std::size_t first) const override {
    const auto results = tagger_.tag(records, options_);
    std::string out;
    for (std::size_t i = 0; i < records.size(); ++i)
      append(out, records[i].text, results[i], first + i);
    return out;
  }

 private:
  static std::string_view covered(std::string_view text, const klue::Entity& entity) {
    return text.substr(entity.offset.begin, entity.offset.end - entity.offset.begin);
  }

  void append(std::string& out, std::string_view text, const std::vector<klue::Entity>& entities,
              std::size_t line) const {
    if (style_.format == Format::jsonl) return append_json(out, entities);
    if (style_.format == Format::text) return append_text(out, text, entities);
    for (const klue::Entity& e : entities)
      out += tsv_row({number_text(line), e.label, number_text(e.score), number_text(e.offset.begin),
                      number_text(e.offset.end), number_text(e.code_points.begin),
                      number_text(e.code_points.end), covered(text, e)});
  }

  void append_json(std::string& out, const std::vector<klue::Entity>& entities) const {
    const char* const key =
        options_.aggregation == klue::Aggregation::none ? "entity" : "entity_group";
    Json list = Json::array();
    for (const klue::Entity& e : entities)
      list.push_back({{key, e.label},
                      {"score", e.score},
                      {"word", e.word},
                      {"start", e.offset.begin},
                      {"end", e.offset.end},
                      {"start_char", e.code_points.begin},
                      {"end_char", e.code_points.end}});
    out += json_line({{"entities", std::move(list)}});
  }

  // The sentence with its entities marked.
  void append_text(std::string& out, std::string_view text,
                   const std::vector<klue::Entity>& entities) const {
    std::size_t at = 0;
    for (const klue::Entity& e : entities) {
      out += text.substr(at, e.offset.begin - at);
      out += style_.marker.labelled(covered(text, e), e.label);
      at = e.offset.end;
    }
    out.append(text.substr(at)).append("\n");
  }

  klue::Tagger tagger_;
  klue::TagOptions options_;
  Style style_;
};

}  // namespace

std::unique_ptr<Predictor> make_tagger(klue::Model model, const Options& options, Style style) {
  return std::make_unique<TagPredictor>(std::move(model), options, style);
}

}  // namespace predict
