#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/search.hpp>

#include "common/json_record.hpp"
#include "common/output_file.hpp"
#include "common/stop_signals.hpp"
#include "embedder.hpp"
#include "near.hpp"
#include "pipeline.hpp"
#include "saved_vectors.hpp"
#include "text_feed.hpp"
#include "vector_writer.hpp"

namespace embed {
namespace {

// All vectors of the input, and its texts; the vectors may be saved ones.
struct Everything {
  std::vector<tools::Record> texts;
  klue::Tensor computed;
  std::optional<SavedVectors> saved;
  klue::VectorsView view;
};

void read_everything(const Embedder& embedder, const Options& options,
                     const tools::StopSignals& stop, Everything& all) {
  TextFeed feed(options, stop.token());
  std::vector<float> values;
  const std::stop_token token = stop.token();
  const bool compute = options.vectors.empty();
  const Stages stages{.read = [&](Chunk& chunk) { return feed.read(chunk); },
                      .compute =
                          [&](Chunk& chunk) {
                            if (compute) embedder.compute(chunk, token);
                          },
                      .finish =
                          [&](const Chunk& chunk) {
                            all.texts.insert(all.texts.end(), chunk.records.begin(),
                                             chunk.records.end());
                            const auto numbers = chunk.vectors.values();
                            values.insert(values.end(), numbers.begin(), numbers.end());
                          }};
  run_pipeline(stages, is_bulk(options) ? thread_count(options) : 1, stop.source());
  if (!compute) {
    all.saved.emplace(options.vectors);
    all.view = all.saved->view();
    return;
  }
  all.computed = klue::Tensor{all.texts.size(), embedder.width()};
  std::ranges::copy(values, all.computed.values().begin());
  all.view = all.computed;
}

// "first,second,…" of what `one` appends for each index.
template <class One>
void append_list(std::string& out, std::span<const std::size_t> indices, const One& one) {
  for (const std::size_t& index : indices) {
    if (&index != indices.data()) out.push_back(',');
    one(index);
  }
}

std::string id_of(const tools::Record& record) {
  if (!record.id) return "null";
  return record.id_is_number ? *record.id : tools::json_string(*record.id);
}

// Texts that belong together, as members of a JSON object: nothing where only vectors are known.
std::string described(const std::vector<tools::Record>& texts,
                      std::span<const std::size_t> indices) {
  if (texts.empty()) return {};
  std::string json;
  const auto append = [&](const char* name, const auto& value_of) {
    json.append(",\"").append(name).append("\":[");
    append_list(json, indices, [&](std::size_t i) { json.append(value_of(texts[i])); });
    json.push_back(']');
  };
  const tools::Record& first = texts[indices[0]];
  if (first.id) append("id", id_of);
  append("text", [](const tools::Record& record) { return tools::json_string(record.text); });
  if (first.text_pair)
    append("text_pair", [](const tools::Record& record) {
      return record.text_pair ? tools::json_string(*record.text_pair) : std::string("null");
    });
  return json;
}

// What both --duplicates and --communities are made of.
class NearPairs {
 public:
  NearPairs(const klue::Model& model, const Options& options)
      : options_(options), file_(options.out) {
    read_everything(Embedder(model, options), options, stop_, all_);
    if (has_texts() && all_.texts.size() != all_.view.rows)
      throw klue::UsageError("these are not the vectors of the input",
                             {.file = options.vectors,
                              .expected = std::to_string(all_.texts.size()) + " vectors",
                              .actual = std::to_string(all_.view.rows)});
  }

  void write_duplicates() {
    find(*options_.duplicates, [&](const klue::SimilarPair& pair) { write(pair); });
    file_.finish();
  }

  void write_communities() {
    std::vector<klue::SimilarPair> pairs;
    find(*options_.communities, [&](const klue::SimilarPair& pair) { pairs.push_back(pair); });
    for (const std::vector<std::size_t>& community :
         klue::communities(all_.view.rows, pairs, options_.least_community))
      write(community, pairs);
    file_.finish();
  }

 private:
  bool has_texts() const { return !all_.texts.empty(); }

  void find(double threshold, const std::function<void(const klue::SimilarPair&)>& found) const {
    const std::stop_token stop = stop_.token();
    klue::similar_pairs(all_.view,
                        {.threshold = static_cast<float>(threshold),
                         .threads = options_.load.threads,
                         .stop = stop},
                        [&](const klue::SimilarPair& pair) {
                          if (stop.stop_requested()) throw klue::StoppedError();
                          found(pair);
                        });
  }

  void write(const klue::SimilarPair& pair) {
    std::string out;
    const std::size_t both[] = {pair.first, pair.second};
    if (options_.format == Format::jsonl) {
      out.append("{\"index\":[").append(std::to_string(pair.first)).append(",");
      out.append(std::to_string(pair.second)).append("],\"score\":");
      append_json_number(out, pair.score);
      out.append(described(all_.texts, both)).append("}\n");
    } else {
      append_fixed(out, pair.score);
      out.append("  ").append(std::to_string(pair.first));
      out.append("  ").append(std::to_string(pair.second));
      if (has_texts())
        out.append("  ")
            .append(all_.texts[pair.first].text)
            .append("  |  ")
            .append(all_.texts[pair.second].text);
      out.append("\n");
    }
    file_.write(out);
  }

  // `pairs` are in order.
  static float score_of(std::size_t a, std::size_t b, std::span<const klue::SimilarPair> pairs) {
    if (a == b) return 1;
    const std::tuple wanted(std::min(a, b), std::max(a, b));
    return std::ranges::lower_bound(
               pairs, wanted, {},
               [](const klue::SimilarPair& pair) { return std::tuple(pair.first, pair.second); })
        ->score;
  }

  void write(std::span<const std::size_t> community, std::span<const klue::SimilarPair> pairs) {
    std::string out;
    const auto score = [&](std::size_t i) { return score_of(community[0], i, pairs); };
    if (options_.format == Format::jsonl) {
      out.append("{\"index\":[");
      append_list(out, community, [&](std::size_t i) { out.append(std::to_string(i)); });
      out.append("],\"score\":[");
      append_list(out, community, [&](std::size_t i) { append_json_number(out, score(i)); });
      out.append("]").append(described(all_.texts, community)).append("}\n");
    } else {
      for (const std::size_t i : community) {
        append_fixed(out, score(i));
        out.append("  ").append(std::to_string(i));
        if (has_texts()) out.append("  ").append(all_.texts[i].text);
        out.append("\n");
      }
      out.append("\n");
    }
    file_.write(out);
  }

  const Options& options_;
  tools::OutputFile file_;
  const tools::StopSignals stop_;
  Everything all_;
};

}  // namespace

void write_duplicates(const klue::Model& model, const Options& options) {
  NearPairs(model, options).write_duplicates();
}

void write_communities(const klue::Model& model, const Options& options) {
  NearPairs(model, options).write_communities();
}

}  // namespace embed
