#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include <klue/core/error.hpp>

#include "common/number.hpp"
#include "record_json.hpp"

namespace finetune {
namespace {

using klue::FormatError;
using klue::train::Example;
using klue::train::Head;
using klue::train::Objective;

// The orders that models of these tasks have.
const std::vector<std::string> kInferenceLabels{"entailment", "neutral", "contradiction"};
const std::vector<std::string> kEntityLabels{"B-PS", "I-PS", "B-LC", "I-LC", "B-OG", "I-OG", "B-DT",
                                             "I-DT", "B-TI", "I-TI", "B-QT", "I-QT", "O"};

std::optional<std::size_t> whole_number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double number(const Record& record, const std::string& text) {
  const std::optional<double> value = tools::finite_number(text);
  if (!value)
    throw FormatError("no number", {.file = record.place, .field = "label", .actual = text});
  return *value;
}

// Labels of the data in a sensible order: as known sets have it, numbers up to the largest, else
// sorted.
std::vector<std::string> ordered_labels(const std::set<std::string>& seen,
                                        const std::string& place) {
  if (seen.empty()) throw FormatError("no labels", {.file = place, .field = "label"});
  for (const auto& known : {kInferenceLabels, kEntityLabels})
    if (std::ranges::all_of(seen, [&](const auto& label) {
          return std::ranges::find(known, label) != known.end();
        }))
      return known;
  std::size_t largest = 0;
  bool numbers = true;
  for (const std::string& label : seen) {
    const auto value = whole_number(label);
    numbers = numbers && value && *value < 100000;
    largest = std::max(largest, value.value_or(0));
  }
  if (!numbers) return {seen.begin(), seen.end()};
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= largest; ++i)
    names.push_back(std::to_string(i));
  return names;
}

std::set<std::string> labels_of(const std::vector<Record>& records, Task task) {
  std::set<std::string> seen;
  for (const Record& record : records) {
    if (task == Task::tag)
      seen.insert(record.tags.begin(), record.tags.end());
    else if (record.several_labels)
      seen.insert(record.labels.begin(), record.labels.end());
    else if (record.label)
      seen.insert(*record.label);
  }
  if (task == Task::tag) seen.erase("-100");
  return seen;
}

std::size_t label_index(const Plan& plan, const Record& record, const std::string& label) {
  if (const auto found = std::ranges::find(plan.labels, label); found != plan.labels.end())
    return static_cast<std::size_t>(found - plan.labels.begin());
  if (const auto value = whole_number(label); value && *value < plan.labels.size()) return *value;
  std::string all;
  for (std::size_t i = 0; i < std::min<std::size_t>(plan.labels.size(), 12); ++i)
    all.append(i == 0 ? "" : ", ").append(plan.labels[i]);
  throw FormatError("a label that the head has not",
                    {.file = record.place, .field = "label", .expected = all, .actual = label});
}

// The last weight of the head that a task trains, by the name it has in a checkpoint.
std::string head_weight(const klue::train::NetworkConfig& network) {
  if (network.head == Head::tokens || network.encoder.model_type == "bert")
    return "classifier.weight";
  return "classifier.out_proj.weight";
}

const std::string& required_label(const Record& record) {
  if (!record.label)
    throw FormatError("a line without a label", {.file = record.place, .field = "label"});
  return *record.label;
}

}  // namespace

Plan make_plan(const PlanRequest& request, const klue::EncoderConfig& encoder,
               const klue::Checkpoint& checkpoint, const std::vector<std::string>& model_labels,
               const std::vector<Record>& records) {
  Plan plan{.task = request.task, .new_head = request.new_head};
  plan.network.encoder = encoder;
  plan.max_length = encoder.max_sequence_length();
  if (request.max_length != 0) plan.max_length = std::min(plan.max_length, request.max_length);
  const bool several = std::ranges::any_of(records, &Record::several_labels);
  bool named = false;
  switch (request.task) {
    case Task::classify:
      plan.network.head = Head::sequence;
      plan.objective = several ? Objective::binary_cross_entropy : Objective::cross_entropy;
      plan.problem_type = several ? "multi_label_classification" : "single_label_classification";
      named = true;
      break;
    case Task::regress:
      plan.network.head = Head::sequence;
      plan.objective = Objective::squared_error;
      plan.problem_type = "regression";
      break;
    case Task::rank:
      plan.network.head = Head::sequence;
      plan.objective = Objective::binary_cross_entropy;
      break;
    case Task::tag:
      plan.network.head = Head::tokens;
      plan.objective = Objective::token_cross_entropy;
      named = true;
      break;
    case Task::answer:
      plan.network.head = Head::span;
      plan.objective = Objective::span_cross_entropy;
      break;
    case Task::mlm:
      plan.network.head = Head::masked_lm;
      plan.objective = Objective::token_cross_entropy;
      break;
    case Task::embed: {
      plan.network.head = Head::embedding;
      const bool scored =
          std::ranges::all_of(records, [](const Record& r) { return r.label.has_value(); });
      plan.objective = request.loss == EmbedLoss::cosent ? Objective::cosent
                       : request.loss == EmbedLoss::negatives ||
                               (request.loss == EmbedLoss::automatic && !scored)
                           ? Objective::in_batch_negatives
                           : Objective::cosine_squared_error;
      break;
    }
  }
  if (plan.network.head == Head::sequence || plan.network.head == Head::tokens) {
    const klue::TensorView* head =
        plan.new_head ? nullptr : checkpoint.find(head_weight(plan.network));
    if (head != nullptr && head->shape.size() != 2) head = nullptr;
    if (!named) {
      plan.labels = {request.task == Task::regress ? "score" : "relevant"};
      plan.new_head = plan.new_head || (head != nullptr && head->shape[0] != 1);
    } else if (head != nullptr && request.labels.empty()) {
      // The head that is there goes on, with its labels.
      for (std::size_t i = 0; i < head->shape[0]; ++i)
        plan.labels.push_back(model_labels.size() == head->shape[0] ? model_labels[i]
                                                                    : std::to_string(i));
    } else {
      plan.labels = request.labels.empty()
                        ? ordered_labels(labels_of(records, request.task), records.front().place)
                        : request.labels;
      plan.new_head = plan.new_head || (head != nullptr && head->shape[0] != plan.labels.size());
    }
    plan.network.labels = plan.labels.size();
  }
  plan.score_max = request.score_max;
  if (plan.score_max == 0) {
    plan.score_max = 1;
    if (request.task == Task::regress || request.task == Task::embed)
      for (const Record& record : records)
        if (record.label && number(record, *record.label) > 1) plan.score_max = 5;
  }
  return plan;
}

namespace {

class DatasetBuilder {
 public:
  DatasetBuilder(const Plan& plan, const klue::Preprocessor& preprocessor)
      : plan_(plan), preprocessor_(preprocessor) {}

  void add(Dataset& data, std::size_t index) const {
    const Record& record = data.records[index];
    try {
      if (plan_.task == Task::answer) return add_windows(data, index);
      Example example;
      Origin origin{.record = index};
      if (plan_.task == Task::tag) {
        tag(record, example, origin);
      } else if (plan_.task == Task::embed) {
        if (!record.pair)
          throw FormatError("a line without a second sentence",
                            {.file = record.place, .field = "text_pair"});
        encode(record, record.text, std::nullopt, example.ids, example.types);
        encode(record, *record.pair, std::nullopt, example.second, example.second_types);
        if (plan_.objective != Objective::in_batch_negatives || record.label)
          example.values = {score(record)};
      } else {
        encode(record, record.text, record.pair, example.ids, example.types);
        label(record, example);
      }
      data.examples.push_back(std::move(example));
      data.origins.push_back(std::move(origin));
    } catch (const klue::UsageError& error) {
      throw FormatError(error.what(), {.file = record.place});
    }
  }

 private:
  void encode(const Record& record, const std::string& text, const std::optional<std::string>& pair,
              std::vector<std::int32_t>& ids, std::vector<std::int32_t>& types) const {
    if (!record.ids.empty()) {
      if (record.ids.size() > plan_.max_length)
        throw FormatError("too many tokens",
                          {.file = record.place,
                           .field = "input_ids",
                           .expected = "at most " + std::to_string(plan_.max_length),
                           .actual = std::to_string(record.ids.size())});
      check_table(record, "input_ids", record.ids, plan_.network.encoder.vocab_size);
      if (!record.types.empty()) {
        if (record.types.size() != record.ids.size())
          throw FormatError("not as many types as tokens",
                            {.file = record.place,
                             .field = "token_type_ids",
                             .expected = std::to_string(record.ids.size()),
                             .actual = std::to_string(record.types.size())});
        check_table(record, "token_type_ids", record.types, plan_.network.encoder.type_vocab_size);
      }
      ids = record.ids;
      types = record.types;
      return;
    }
    klue::Encoding encoding =
        preprocessor_.encode(text, pair ? std::optional<std::string_view>(*pair) : std::nullopt,
                             {.max_length = plan_.max_length});
    ids = std::move(encoding.ids);
    set_types(encoding.type_ids, types);
  }

  // Here the line is known; the network would say it hours later, and of no line.
  static void check_table(const Record& record, const char* field,
                          const std::vector<std::int32_t>& values, std::size_t rows) {
    for (const std::int32_t value : values)
      if (value < 0 || static_cast<std::size_t>(value) >= rows)
        throw FormatError("value outside the model's table",
                          {.file = record.place,
                           .field = field,
                           .expected = "0 to " + std::to_string(rows - 1),
                           .actual = std::to_string(value)});
  }

  void set_types(std::vector<std::int32_t>& from, std::vector<std::int32_t>& to) const {
    if (plan_.network.encoder.type_vocab_size > 1) to = std::move(from);
  }

  double score(const Record& record) const {
    return number(record, required_label(record)) / plan_.score_max;
  }

  void label(const Record& record, Example& example) const {
    switch (plan_.task) {
      case Task::regress:
        example.values = {score(record)};
        break;
      case Task::rank:
        example.values = {number(record, required_label(record)) > 0.5 ? 1.0 : 0.0};
        break;
      case Task::classify:
        if (plan_.objective == Objective::cross_entropy) {
          example.label =
              static_cast<std::int32_t>(label_index(plan_, record, required_label(record)));
          break;
        }
        example.values.assign(plan_.labels.size(), 0.0);
        for (const std::string& name : record.labels)
          example.values[label_index(plan_, record, name)] = 1.0;
        if (!record.several_labels)
          example.values[label_index(plan_, record, required_label(record))] = 1.0;
        break;
      default:
        break;
    }
  }

  // A word's tag is that of its first character, and stands on its first piece.
  void tag(const Record& record, Example& example, Origin& origin) const {
    if (!record.ids.empty()) {
      encode(record, record.text, std::nullopt, example.ids, example.types);
      const std::vector<std::string>& tags = record.tags.empty() ? record.labels : record.tags;
      if (tags.size() != example.ids.size())
        throw FormatError("not as many labels as tokens",
                          {.file = record.place,
                           .field = "labels",
                           .expected = std::to_string(example.ids.size()),
                           .actual = std::to_string(tags.size())});
      for (std::size_t i = 0; i < tags.size(); ++i)
        set_tag(record, tags[i], i, example, origin);
      return;
    }
    if (record.tags.empty())
      throw FormatError("a line without tags", {.file = record.place, .field = "tags"});
    std::vector<std::size_t> point_of(record.text.size() + 1);
    std::size_t point = 0;
    for (std::size_t byte = 0; byte < record.text.size(); ++byte) {
      if (byte > 0 && (static_cast<unsigned char>(record.text[byte]) & 0xc0) != 0x80) ++point;
      point_of[byte] = point;
    }
    klue::Encoding encoding =
        preprocessor_.encode(record.text, std::nullopt, {.max_length = plan_.max_length});
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      const bool first_piece =
          encoding.word_ids[i] >= 0 && (i == 0 || encoding.word_ids[i] != encoding.word_ids[i - 1]);
      set_tag(record,
              first_piece
                  ? record.tags.at(point_of[static_cast<std::size_t>(encoding.offsets[i].begin)])
                  : "-100",
              i, example, origin);
    }
    example.ids = std::move(encoding.ids);
    set_types(encoding.type_ids, example.types);
  }

  void set_tag(const Record& record, const std::string& tag, std::size_t token, Example& example,
               Origin& origin) const {
    if (tag == "-100") {
      example.classes.push_back(klue::train::kIgnored);
      return;
    }
    example.classes.push_back(static_cast<std::int32_t>(label_index(plan_, record, tag)));
    origin.places.push_back(token);
  }

  // Windows over the context, 128 tokens of each shared with the one before.
  void add_windows(Dataset& data, std::size_t index) const {
    const Record& record = data.records[index];
    if (!record.pair)
      throw FormatError("a question without a context", {.file = record.place, .field = "context"});
    if (!record.answered)
      throw FormatError("a question without answers",
                        {.file = record.place,
                         .field = "answers",
                         .expected = "text and answer_start of each, or an empty list"});
    const std::size_t question = preprocessor_.tokenizer().tokenize(record.text).size();
    const std::size_t room = plan_.max_length > question + 3 ? plan_.max_length - question - 3 : 0;
    if (room < 8)
      throw FormatError("a question that leaves no room for its context", {.file = record.place});
    const klue::Encoding whole =
        preprocessor_.encode(record.text, *record.pair,
                             {.max_length = plan_.max_length,
                              .truncation = klue::Truncation::only_second,
                              .stride = std::min<std::size_t>(128, room / 2),
                              .return_overflowing = true});
    const auto answer = answer_bytes(record);
    add_window(data, index, whole, answer);
    for (const klue::Encoding& window : whole.overflowing)
      add_window(data, index, window, answer);
  }

  static std::optional<std::pair<std::size_t, std::size_t>> answer_bytes(const Record& record) {
    if (record.answers.empty()) return std::nullopt;
    const Answer& answer = record.answers.front();
    const std::vector<std::string> points = code_points(*record.pair);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < answer.start && i < points.size(); ++i)
      begin += points[i].size();
    if (record.pair->compare(begin, answer.text.size(), answer.text) != 0)
      throw FormatError("an answer that does not stand at its place",
                        {.file = record.place, .field = "answer_start", .expected = answer.text});
    return std::pair(begin, begin + answer.text.size());
  }

  void add_window(Dataset& data, std::size_t index, const klue::Encoding& window,
                  const std::optional<std::pair<std::size_t, std::size_t>>& answer) const {
    Example example{.ids = window.ids};
    std::vector<std::int32_t> types = window.type_ids;
    set_types(types, example.types);
    Origin origin{.record = index};
    origin.offsets.resize(window.size());
    bool begins = false, ends = false;
    for (std::size_t i = 0; i < window.size(); ++i) {
      if (window.sequence_ids[i] != 1) continue;
      origin.offsets[i] = window.offsets[i];
      const auto begin = window.offsets[i].begin;
      const auto end = window.offsets[i].end;
      if (!answer) continue;
      if (begin <= answer->first && answer->first < end) {
        example.start = i;
        begins = true;
      }
      if (begin < answer->second && answer->second <= end) {
        example.end = i;
        ends = true;
      }
    }
    // No answer, or not in this window: [CLS].
    if (!begins || !ends) example.start = example.end = 0;
    data.examples.push_back(std::move(example));
    data.origins.push_back(std::move(origin));
  }

  const Plan& plan_;
  const klue::Preprocessor& preprocessor_;
};

}  // namespace

Dataset make_dataset(std::vector<Record> records, const Plan& plan,
                     const klue::Preprocessor& preprocessor) {
  Dataset data;
  data.records = std::move(records);
  const DatasetBuilder builder(plan, preprocessor);
  for (std::size_t i = 0; i < data.records.size(); ++i)
    builder.add(data, i);
  return data;
}

}  // namespace finetune
