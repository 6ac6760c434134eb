#include "write_vectors.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/core/error.hpp>

#include "common/output_file.hpp"
#include "common/stop_signals.hpp"
#include "embedder.hpp"
#include "job.hpp"
#include "pipeline.hpp"
#include "text_feed.hpp"
#include "vector_writer.hpp"

namespace embed {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

const char* json_key(Output output) {
  if (output == Output::pooled) return "pooled_output";
  return output == Output::logits ? "logits" : "embedding";
}

// A job that can be taken up again: what of it is on the disk.
class Journal {
 public:
  Journal(fs::path out, nlohmann::ordered_json job) : out_(std::move(out)), job_(std::move(job)) {}

  // Has a finished run of the same job left its output there?
  std::optional<JobState> finished() const {
    std::error_code error;
    const auto has = [&](const std::optional<JobState>& state) {
      return state && state->complete && fs::file_size(out_, error) == state->bytes && !error;
    };
    if (auto state = read_manifest(out_, job_); has(state)) return state;
    // Killed between giving the output its name and writing the manifest.
    if (!fs::exists(out_.string() + ".partial", error))
      if (auto state = read_state(out_, job_); has(state)) return state;
    return std::nullopt;
  }

  // What an interrupted run of the same job has left in a file of this size.
  std::optional<JobState> interrupted(std::uint64_t size) const {
    auto state = read_state(out_, job_);
    return state && state->bytes <= size ? state : std::nullopt;
  }

  // To be called when all of it is on the disk.
  void settle(const JobState& state) const { write_state(out_, job_, state); }

  void finish(const JobState& state) const {
    write_manifest(out_, job_, state);
    std::error_code error;
    fs::remove(state_file(out_), error);
  }

 private:
  fs::path out_;
  nlohmann::ordered_json job_;
};

class Run {
 public:
  Run(const klue::Model& model, const Options& options)
      : options_(options), embedder_(model, options) {}

  void run() {
    prepare();
    if (options_.resume && is_finished()) return;
    tools::OutputFile file(options_.out, options_.resume);
    VectorWriter writer(file, layout(file));
    file_ = &file;
    writer_ = &writer;
    begin();
    work();
    finish();
    if (options_.summary) summarize();
  }

 private:
  void prepare() {
    const bool described = options_.resume || options_.shard || options_.manifest;
    if (options_.shard) {
      const std::size_t total = count_texts(options_, stop_.token());
      range_.first = total * (options_.shard->number - 1) / options_.shard->of;
      range_.count = total * options_.shard->number / options_.shard->of - range_.first;
      range_.total = total;
    }
    if (!described) return;
    nlohmann::ordered_json job = describe_job(options_, embedder_.model(), embedder_.width());
    if (options_.shard)
      job["shard"] = {{"number", options_.shard->number},
                      {"of", options_.shard->of},
                      {"first", range_.first},
                      {"texts", range_.count},
                      {"total", range_.total}};
    // The name's last link, as the output itself has it.
    journal_.emplace(options_.out, std::move(job));
  }

  void open_feed() {
    feed_.emplace(options_, stop_.token(), journal_.has_value());
    if (!options_.shard) return;
    feed_->skip(range_.first, false);
    feed_->limit(range_.count);
  }

  // The output is there; are these still the texts it was made of?
  bool is_finished() {
    const std::optional<JobState> state = journal_->finished();
    if (!state) return false;
    open_feed();
    std::size_t texts = 0;
    for (Chunk chunk; feed_->read(chunk); chunk = {})
      texts += chunk.records.size();
    if (texts != state->texts || feed_->input_sha256() != state->input_sha256) return false;
    journal_->finish(*state);
    notice(options_, options_.out + ": is complete");
    return true;
  }

  VectorLayout layout(const tools::OutputFile& file) {
    VectorLayout layout{.format = options_.format,
                        .dtype = options_.dtype,
                        .key = json_key(options_.output),
                        .with_text = options_.with_text,
                        .width = embedder_.width()};
    const bool header = options_.format == Format::npy || options_.format == Format::fbin;
    if (header && !file.can_patch() && is_rereadable(options_))
      layout.count = count_texts(options_, stop_.token());
    return layout;
  }

  void begin() {
    open_feed();
    std::optional<JobState> state;
    if (options_.resume) state = journal_->interrupted(file_->size());
    if (!state) {
      std::error_code error;
      if (!file_->partial().empty()) {
        file_->truncate(0);
        fs::remove(state_file(options_.out), error);
      }
      return writer_->begin();
    }
    feed_->skip(state->texts, true);
    if (feed_->input_sha256() != state->input_sha256)
      throw klue::UsageError(
          "the input is not the one that the interrupted run has read: remove this file to begin "
          "anew",
          {.file = state_file(options_.out).string()});
    notice(options_, options_.out + ": going on behind " + std::to_string(state->texts) + " texts");
    file_->truncate(state->bytes);
    writer_->resume(state->texts);
    state_ = *state;
    state_.complete = false;
  }

  void work() {
    const std::stop_token stop = stop_.token();
    const Stages stages{.read = [&](Chunk& chunk) { return feed_->read(chunk); },
                        .compute = [&](Chunk& chunk) { embedder_.compute(chunk, stop); },
                        .finish = [&](const Chunk& chunk) { write(chunk); }};
    const std::size_t workers = is_bulk(options_) ? thread_count(options_) : 1;
    begun_ = Clock::now();
    texts_before_ = state_.texts;
    meter_.emplace(KLUE_PROGRAM, options_.quiet ? tools::ProgressKind::none : options_.progress,
                   options_.shard ? 0 : feed_->bytes_total(), texts_before_);
    try {
      run_pipeline(stages, workers, stop_.source());
      meter_.reset();
    } catch (...) {
      meter_.reset();
      save_what_there_is();
      throw;
    }
  }

  void write(const Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.records.size(); ++i)
      writer_->write(chunk.vectors.at(i), chunk.first + i, &chunk.records[i]);
    state_.texts = writer_->count();
    state_.bytes = file_->size();
    state_.input_sha256 = chunk.input_sha256;
    counts_.tokens += chunk.counts.tokens;
    counts_.cut += chunk.counts.cut;
    counts_.empty += chunk.counts.empty;
    counts_.unknown += chunk.counts.unknown;
    meter_->update(state_.texts, chunk.bytes_read);
    if (file_->partial().empty()) file_->flush();  // somebody may be waiting for it
    if (options_.resume && Clock::now() >= next_checkpoint_) checkpoint();
  }

  // Soon at first, so that a run that is killed again and again gets on, then seldom.
  void checkpoint() {
    writer_->settle();
    file_->sync();
    journal_->settle(state_);
    constexpr std::chrono::milliseconds kLongest{5000};
    interval_ = std::min(2 * interval_, kLongest);
    next_checkpoint_ = Clock::now() + interval_;
  }

  void save_what_there_is() {
    if (!options_.resume || state_.texts == 0) return;
    try {
      checkpoint();
      notice(options_, options_.out + ": " + std::to_string(state_.texts) +
                           " texts are done; the same command goes on behind them");
    } catch (const klue::Error&) {
      // The checkpoint before it still stands.
    }
  }

  void finish() {
    writer_->finish();
    state_.bytes = file_->size();
    state_.input_sha256 = feed_->input_sha256();
    state_.complete = true;
    std::error_code error;
    if (options_.resume) {
      file_->sync();
      journal_->settle(state_);
    }
    // What described the output that is replaced now.
    if (!file_->partial().empty()) fs::remove(manifest_file(options_.out), error);
    file_->finish();
    if (journal_) journal_->finish(state_);
  }

  // "embed: 1,000 texts, 23,456 tokens in 0:12: 1,954 tokens/s; 3 cut at 128 tokens, 1 empty, …"
  void summarize() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    const auto count = [](std::uint64_t number) { return tools::with_commas(number); };
    std::string text = count(state_.texts - texts_before_) + " texts";
    if (texts_before_ != 0) text += " (behind " + count(texts_before_) + " of before)";
    if (options_.output != Output::logits) {
      const auto rate =
          static_cast<std::uint64_t>(static_cast<double>(counts_.tokens) / std::max(seconds, 1e-3));
      text += ", " + count(counts_.tokens) + " tokens in " + tools::clock_time(seconds) + ", " +
              count(rate) + " tokens/s; " + count(counts_.cut) + " texts cut, " +
              count(counts_.unknown) + " with unknown pieces";
    }
    text += ", " + count(counts_.empty) + " empty";
    if (feed_->left_out() != 0) text += ", " + count(feed_->left_out()) + " lines were no records";
    std::cerr << KLUE_PROGRAM ": " + text + "\n";
  }

  const Options& options_;
  Embedder embedder_;
  tools::StopSignals stop_;
  ShardRange range_;
  std::optional<Journal> journal_;
  std::optional<TextFeed> feed_;
  tools::OutputFile* file_ = nullptr;
  VectorWriter* writer_ = nullptr;
  JobState state_;
  Counts counts_;
  std::optional<tools::ProgressMeter> meter_;
  Clock::time_point begun_;
  std::size_t texts_before_ = 0;
  std::chrono::milliseconds interval_{250};
  Clock::time_point next_checkpoint_ = Clock::now() + interval_;
};

}  // namespace

void write_vectors(const klue::Model& model, const Options& options) {
  Run(model, options).run();
}

}  // namespace embed
