#include "training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <span>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <klue/checkpoint/safetensors_writer.hpp>
#include <klue/core/error.hpp>

#include "curve.hpp"
#include "development_scores.hpp"

namespace finetune {
namespace {

namespace fs = std::filesystem;
using klue::train::Example;
using nlohmann::ordered_json;

fs::path work_folder(const TrainingOptions& options) {
  fs::path folder = options.out;
  if (!folder.has_filename()) folder = folder.parent_path();
  folder += ".training";
  return folder;
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error)
    throw klue::IoError("cannot remove", {.file = folder.string(), .actual = error.message()});
}

std::string clock_time(double seconds) {
  const long s = std::lround(std::max(0.0, seconds));
  char text[32];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  return text;
}

// One JSON object a line, which can be cut back to where a state was saved.
class Log {
 public:
  // `live` is a terminal, a pipe or /dev/null, which is told the lines, too: it cannot be cut back.
  Log(fs::path file, std::uintmax_t keep, const std::optional<fs::path>& live)
      : file_(std::move(file)) {
    std::error_code error;
    if (live) {
      live_.open(*live, std::ios::binary | std::ios::app);
      if (!live_) throw klue::IoError("cannot write", {.file = live->string()});
    }
    if (keep == 0) {
      std::ofstream(file_, std::ios::binary | std::ios::trunc);  // what it is a link to stays one
    } else {
      if (fs::file_size(file_, error) < keep || error)
        throw klue::FormatError("the log of the training that is to be resumed has been cut",
                                {.file = file_.string()});
      fs::resize_file(file_, keep);
      read_back();
    }
    stream_.open(file_, std::ios::binary | std::ios::app);
    if (!stream_) throw klue::IoError("cannot write", {.file = file_.string()});
  }

  void write(const ordered_json& line) {
    remember(line);
    const std::string text = line.dump() + "\n";
    if (!(stream_ << text << std::flush))
      throw klue::IoError("cannot write", {.file = file_.string()});
    if (live_.is_open() && !(live_ << text << std::flush))
      throw klue::IoError("cannot write", {.field = "--log"});
  }
  std::uintmax_t size() const { return fs::file_size(file_); }
  const Curve& curve() const { return curve_; }
  std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  void read_back() {
    std::ifstream stream(file_);
    for (std::string line; std::getline(stream, line);)
      remember(ordered_json::parse(line));
  }
  void remember(const ordered_json& line) {
    if (line.contains("loss")) curve_.losses.push_back(line["loss"].get<double>());
    if (!line.contains("dev")) return;
    curve_.score_name = line["dev"].begin().key();
    curve_.scores.emplace_back(
        line["step"].get<std::size_t>(),
        line["dev"].begin()->is_number() ? line["dev"].begin()->get<double>() : 0.0);
  }

  fs::path file_;
  std::ofstream stream_, live_;
  Curve curve_;
};

void set_rates(std::span<klue::train::Parameter> parameters,
               const std::vector<std::pair<std::string, double>>& rates) {
  for (const auto& [name, rate] : rates) {
    bool found = false;
    for (klue::train::Parameter& p : parameters) {
      if (p.name.find(name) == std::string::npos) continue;
      found = true;
      p.rate = rate;
      p.trained = rate > 0;
    }
    if (!found)
      throw klue::UsageError("no parameter's name contains this",
                             {.field = "--lr-mult", .actual = name});
  }
}

class Training {
 public:
  Training(klue::train::Network<float> network, const TrainingParts& parts,
           const TrainingOptions& options)
      : parts_(parts),
        options_(options),
        folder_(work_folder(options)),
        epoch_steps_((parts.train.examples.size() + options.batch - 1) / options.batch),
        steps_(all_steps()),
        trainer_(std::move(network), parts.plan.objective, trainer_options()) {}

  void run() {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
      throw klue::IoError("cannot make the directory",
                          {.file = folder_.string(), .actual = error.message()});
    const ordered_json note = resume();
    const bool live =
        options_.log && fs::exists(*options_.log) && !fs::is_regular_file(*options_.log);
    Log log(live || !options_.log ? folder_ / "log.jsonl" : *options_.log,
            note.value("log_bytes", std::uintmax_t{0}), live ? options_.log : std::nullopt);
    begin_ = last_notice_ = Clock::now();
    first_step_ = trainer_.steps();
    while (trainer_.steps() < steps_ && !stopped_early_) {
      const klue::train::StepReport report = step();
      log.write({{"step", report.step},
                 {"loss", report.loss},
                 {"grad_norm", report.gradient_norm},
                 {"lr", report.learning_rate}});
      tokens_ += report.tokens;
      const bool epoch_end = ends_epoch(report.step);
      notice(report, epoch_end);
      const bool saves = epoch_end || report.step % options_.save_steps == 0;
      if (saves) refuse_diverged();
      if (epoch_end && parts_.dev) judge(log);
      if (saves) save(log);
    }
    finish(log);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t all_steps() const {
    if (options_.steps) return *options_.steps;
    if (!options_.order.empty()) return options_.order.size();
    return options_.epochs * epoch_steps_;
  }

  // With a given order all of it is one epoch.
  bool ends_epoch(std::size_t step) const {
    return step == steps_ || (options_.order.empty() && step % epoch_steps_ == 0);
  }

  klue::train::TrainerOptions trainer_options() const {
    const TrainingOptions& o = options_;
    const auto ratio =
        static_cast<std::size_t>(std::lround(o.warmup * static_cast<double>(steps_)));
    return {.schedule = {.learning_rate = o.learning_rate,
                         .warmup_steps = o.warmup_steps.value_or(ratio),
                         .steps = steps_,
                         .decay = o.schedule},
            .optimizer = {.weight_decay = o.weight_decay,
                          .clip_norm = o.clip,
                          .layer_decay = o.layer_decay},
            .hidden_dropout = o.hidden_dropout,
            .attention_dropout = o.attention_dropout,
            .head_dropout = o.head_dropout,
            .spread = o.spread,
            .seed = o.seed,
            .accumulate = o.accumulate,
            .recompute_layers = o.recompute};
  }

  fs::path state_file() const { return folder_ / "state.safetensors"; }
  fs::path best_file() const { return folder_ / "best.safetensors"; }

  // The note of the state that is gone on with; empty where there is none.
  ordered_json resume() {
    if (!fs::exists(state_file())) return ordered_json::object();
    const ordered_json note =
        ordered_json::parse(trainer_.load_state(state_file()), nullptr, false);
    if (!note.is_object())
      throw klue::FormatError("no state of a training", {.file = state_file().string()});
    if (note.value("fingerprint", "") != options_.fingerprint)
      throw klue::UsageError(
          "this is the state of another training: model, data or options have changed",
          {.file = state_file().string(),
           .expected = note.value("fingerprint", ""),
           .actual = options_.fingerprint});
    best_step_ = note.value("best_step", std::size_t{0});
    best_score_ = note.value("best_score", 0.0);
    waited_ = note.value("waited", std::size_t{0});
    stopped_early_ = note.value("stopped_early", false);
    if (!options_.quiet)
      std::cerr << KLUE_PROGRAM ": going on after step " << trainer_.steps() << " of " << steps_
                << "\n";
    return note;
  }

  // What a step does to the parameters the next one's loss would tell; before they replace the
  // last good state, or become the result, nothing else does.
  void refuse_diverged() const {
    const klue::train::Parameters<float>& parameters = trainer_.network().parameters();
    for (const klue::train::Parameter& p : parameters.entries())
      if (!std::all_of(parameters.values(p), parameters.values(p) + p.size,
                       [](float value) { return std::isfinite(value); }))
        throw klue::Error("the training has diverged: parameters are no numbers",
                          {.field = "step " + std::to_string(trainer_.steps()), .actual = p.name});
  }

  void save(const Log& log) const {
    const ordered_json note = {{"fingerprint", options_.fingerprint},
                               {"log_bytes", log.size()},
                               {"best_step", best_step_},
                               {"best_score", best_score_},
                               {"waited", waited_},
                               {"stopped_early", stopped_early_}};
    trainer_.save_state(state_file(), note.dump());
  }

  klue::train::StepReport step() {
    const std::size_t index = trainer_.steps();
    std::vector<std::size_t> which;
    if (!options_.order.empty()) {
      which = options_.order[index % options_.order.size()];
    } else {
      const std::size_t epoch = index / epoch_steps_, batch = index % epoch_steps_;
      if (order_.empty() || epoch != order_epoch_)
        order_ = klue::train::epoch_order(options_.seed, epoch, parts_.train.examples.size());
      order_epoch_ = epoch;
      const std::size_t first = batch * options_.batch;
      const std::size_t end = std::min(order_.size(), first + options_.batch);
      which.assign(order_.begin() + static_cast<std::ptrdiff_t>(first),
                   order_.begin() + static_cast<std::ptrdiff_t>(end));
    }
    std::vector<const Example*> examples;
    masked_.clear();
    masked_.reserve(which.size());
    for (const std::size_t i : which) {
      const Example& example = parts_.train.examples[i];
      if (parts_.plan.task == Task::mlm) {
        const std::uint64_t key = options_.seed << 48 ^ index << 20 ^ masked_.size();
        masked_.push_back(klue::train::masked(example, parts_.masking, parts_.special, key));
        examples.push_back(&masked_.back());
      } else {
        examples.push_back(&example);
      }
    }
    return trainer_.step(examples);
  }

  // The score after an epoch: is it the best so far?
  void judge(Log& log) {
    const std::vector<Score> scores =
        evaluate(trainer_.network(), parts_.plan, *parts_.dev, parts_.masking, parts_.special);
    ordered_json values = ordered_json::object();
    std::string line;
    for (const Score& score : scores) {
      char text[64];
      std::snprintf(text, sizeof text, "%.2f", score.value);
      values[score.name] = score.value;
      line += (line.empty() ? "" : ", ") + score.name + " " + text;
    }
    const std::size_t step = trainer_.steps();
    // A correlation of numbers that are all the same is none: worse than any.
    const double value = std::isnan(scores.front().value) ? std::numeric_limits<double>::lowest()
                                                          : scores.front().value;
    const bool better = best_step_ == 0 || value > best_score_;
    if (better) {
      best_score_ = value;
      best_step_ = step;
      waited_ = 0;
      trainer_.save_parameters(best_file());
    } else {
      ++waited_;
    }
    stopped_early_ = options_.patience > 0 && waited_ >= options_.patience && step < steps_;
    log.write({{"step", step}, {"dev", values}});
    if (!options_.quiet)
      std::cerr << KLUE_PROGRAM ": development: " << line << (better ? " (best so far)" : "")
                << (stopped_early_ ? "; no better for a while, stopping" : "") << "\n";
  }

  void notice(const klue::train::StepReport& report, bool epoch_end) {
    if (options_.quiet) return;
    const auto now = Clock::now();
    loss_sum_ += report.loss;
    ++loss_count_;
    if (!epoch_end && now - last_notice_ < std::chrono::seconds(2)) return;
    last_notice_ = now;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const double done = static_cast<double>(report.step - first_step_);
    const double left = seconds / done * static_cast<double>(steps_ - report.step);
    char text[160];
    std::snprintf(text, sizeof text, "step %zu/%zu  loss %.4f  lr %.2e  %.0f tokens/s  %s left",
                  report.step, steps_, loss_sum_ / loss_count_, report.learning_rate,
                  static_cast<double>(tokens_) / seconds, clock_time(left).c_str());
    std::cerr << KLUE_PROGRAM ": " << text << "\n";
    loss_sum_ = 0;
    loss_count_ = 0;
  }

  void finish(const Log& log) {
    if (parts_.dev && best_step_ != 0 && best_step_ != trainer_.steps())
      trainer_.load_parameters(best_file());
    const fs::path model = folder_ / "model";
    remove_folder(model);
    klue::train::write_model_directory(model, parts_.directory, trainer_.network());
    klue::write_whole_file(model / "training-log.jsonl", log.content());
    Curve curve = log.curve();
    curve.title = options_.out.filename().string();
    klue::write_whole_file(model / "learning-curve.svg", draw(curve));
    if (options_.overwrite) remove_folder(options_.out);
    klue::rename_durably(model, options_.out);
    remove_folder(folder_);
    if (!options_.quiet)
      std::cerr << KLUE_PROGRAM ": wrote " << options_.out.string()
                << (parts_.dev ? ", as it was after step " + std::to_string(best_step_) : "")
                << "\n";
  }

  const TrainingParts& parts_;
  const TrainingOptions& options_;
  fs::path folder_;
  std::size_t epoch_steps_, steps_;
  klue::train::Trainer trainer_;
  std::vector<std::size_t> order_;
  std::size_t order_epoch_ = 0;
  std::vector<Example> masked_;
  std::size_t best_step_ = 0, waited_ = 0, first_step_ = 0, tokens_ = 0;
  double best_score_ = 0, loss_sum_ = 0;
  int loss_count_ = 0;
  bool stopped_early_ = false;
  Clock::time_point begin_{}, last_notice_{};
};

}  // namespace

bool prepare_output(const TrainingOptions& options) {
  const fs::path folder = work_folder(options);
  const bool result = fs::exists(options.out), state = fs::exists(folder);
  if (options.resume) {
    if (result && !options.overwrite) {
      // Only what was left to clean up.
      if (state) remove_folder(folder);
      return false;
    }
    return true;
  }
  if (result && !options.overwrite)
    throw klue::UsageError("there is something already; --overwrite replaces it",
                           {.file = options.out.string(), .field = "--out"});
  if (state && !options.overwrite && fs::exists(folder / "state.safetensors"))
    throw klue::UsageError(
        "an interrupted training is there: --resume goes on with it, --overwrite begins anew",
        {.file = folder.string(), .field = "--out"});
  if (state) remove_folder(folder);
  return true;
}

void train(klue::train::Network<float> network, const TrainingParts& parts,
           const TrainingOptions& options) {
  if (options.spread > 0 && parts.plan.task != Task::embed)
    throw klue::UsageError("only embeddings are spread out", {.field = "--spread"});
  if (const std::size_t layers = parts.plan.network.encoder.num_hidden_layers;
      options.freeze_layers > layers)
    throw klue::UsageError("more layers than the model has",
                           {.field = "--freeze-layers",
                            .expected = "at most " + std::to_string(layers),
                            .actual = std::to_string(options.freeze_layers)});
  set_rates(network.parameters().entries(), options.rates);
  for (klue::train::Parameter& p : network.parameters().entries()) {
    if (options.freeze_embeddings && p.depth == 0) p.trained = false;
    if (p.depth <= options.freeze_layers && options.freeze_layers > 0) p.trained = false;
  }
  Training(std::move(network), parts, options).run();
}

}  // namespace finetune
