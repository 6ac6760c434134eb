#include "near.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/search.hpp>

#include "common/json_record.hpp"
#include "common/output_file.hpp"
#include "common/stop_signals.hpp"
#include "embedder.hpp"
#include "pipeline.hpp"
#include "saved_vectors.hpp"
#include "text_feed.hpp"
#include "vector_writer.hpp"

namespace embed {
namespace {

using Hits = std::vector<std::vector<klue::Hit>>;
// Texts by index: of hits and of pairs, not of everything that was looked at.
using TextsByIndex = std::map<std::size_t, tools::Record>;

std::vector<tools::Record> read_queries(const Options& options) {
  std::vector<tools::Record> queries;
  for (const std::string& query : options.queries)
    queries.push_back({query, std::nullopt});
  if (options.queries_file.empty()) return queries;
  tools::InputOptions input{.files = {options.queries_file}};
  input.format.format = tools::InputFormat::lines;
  tools::RecordReader reader(input, [](const std::string&) {});
  for (tools::Record record; reader.next(record); record = {})
    queries.push_back(std::move(record));
  return queries;
}

// What stands at an index, as JSON; nothing where only vectors are known.
std::string described(const TextsByIndex& texts, std::size_t index) {
  const auto found = texts.find(index);
  if (found == texts.end()) return {};
  const tools::Record& record = found->second;
  std::string json;
  if (record.id)
    json.append(",\"id\":")
        .append(record.id_is_number ? *record.id : tools::json_string(*record.id));
  json.append(",\"text\":").append(tools::json_string(record.text));
  if (record.text_pair)
    json.append(",\"text_pair\":").append(tools::json_string(*record.text_pair));
  return json;
}

class Search {
 public:
  Search(const klue::Model& model, const Options& options)
      : options_(options),
        embedder_(model, options),
        queries_(read_queries(options)),
        file_(options.out) {}

  void run() {
    klue::Tensor vectors = embedder_(queries_);
    // Where texts are embedded, that is where all but one of the threads are needed.
    const std::size_t threads = options_.vectors.empty() ? 1 : options_.load.threads;
    klue::TopK search(vectors, {.k = options_.top_k, .threads = threads});
    if (options_.vectors.empty())
      look_at_input(search);
    else
      look_at_saved(search);
    const Hits hits = search.hits();
    for (std::size_t q = 0; q < queries_.size(); ++q)
      write(q, hits[q]);
    file_.finish();
  }

 private:
  void look_at_input(klue::TopK& search) {
    TextFeed feed(options_, stop_.token());
    const std::stop_token stop = stop_.token();
    const Stages stages{.read = [&](Chunk& chunk) { return feed.read(chunk); },
                        .compute = [&](Chunk& chunk) { embedder_.compute(chunk, stop); },
                        .finish =
                            [&](const Chunk& chunk) {
                              search.add(chunk.vectors);
                              keep_texts(search, chunk);
                            }};
    run_pipeline(stages, is_bulk(options_) ? thread_count(options_) : 1, stop_.source());
  }

  // Of the texts so far only those stay that could still be printed.
  void keep_texts(const klue::TopK& search, const Chunk& chunk) {
    std::set<std::size_t> wanted;
    for (const std::vector<klue::Hit>& hits : search.hits())
      for (const klue::Hit& hit : hits)
        wanted.insert(hit.index);
    std::erase_if(texts_, [&](const auto& text) { return !wanted.contains(text.first); });
    for (std::size_t i = 0; i < chunk.records.size(); ++i)
      if (wanted.contains(chunk.first + i)) texts_.emplace(chunk.first + i, chunk.records[i]);
  }

  void look_at_saved(klue::TopK& search) {
    const SavedVectors saved(options_.vectors);
    const klue::VectorsView vectors = saved.view();
    constexpr std::size_t kPart = 1 << 16;  // looked at between two looks at the stop signals
    for (std::size_t first = 0; first < vectors.rows; first += kPart) {
      if (stop_.token().stop_requested()) throw klue::StoppedError();
      search.add(
          {vectors.row(first).data(), std::min(kPart, vectors.rows - first), vectors.columns});
    }
    if (options_.input.files.empty() && options_.texts.empty()) return;
    std::set<std::size_t> wanted;
    for (const std::vector<klue::Hit>& hits : search.hits())
      for (const klue::Hit& hit : hits)
        wanted.insert(hit.index);
    TextFeed feed(options_, stop_.token());
    std::size_t index = 0;
    for (tools::Record record; feed.next(record); record = {}, ++index)
      if (wanted.contains(index)) texts_.emplace(index, std::move(record));
    if (index != saved.view().rows)
      throw klue::UsageError("these are not the vectors of the input",
                             {.file = options_.vectors,
                              .expected = std::to_string(index) + " vectors",
                              .actual = std::to_string(saved.view().rows)});
  }

  void write(std::size_t query, const std::vector<klue::Hit>& hits) {
    std::string out;
    if (options_.format == Format::jsonl) {
      out.append("{\"query\":").append(tools::json_string(queries_[query].text));
      out.append(",\"hits\":[");
      for (const klue::Hit& hit : hits) {
        if (&hit != hits.data()) out.push_back(',');
        out.append("{\"index\":").append(std::to_string(hit.index)).append(",\"score\":");
        append_json_number(out, hit.score);
        out.append(described(texts_, hit.index)).append("}");
      }
      out.append("]}\n");
    } else {
      out.append(queries_[query].text).append("\n");
      for (const klue::Hit& hit : hits) {
        const auto text = texts_.find(hit.index);
        out.append("  ");
        append_fixed(out, hit.score);
        out.append("  ").append(std::to_string(hit.index));
        if (text != texts_.end()) out.append("  ").append(text->second.text);
        out.append("\n");
      }
    }
    file_.write(out);
  }

  const Options& options_;
  Embedder embedder_;
  std::vector<tools::Record> queries_;
  tools::OutputFile file_;
  tools::StopSignals stop_;
  TextsByIndex texts_;
};

}  // namespace

void write_hits(const klue::Model& model, const Options& options) {
  Search(model, options).run();
}

}  // namespace embed
