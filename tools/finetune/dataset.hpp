#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <klue/klue.hpp>
#include <klue/train.hpp>

#include "record.hpp"

namespace finetune {

enum class Task : std::uint8_t { classify, regress, rank, tag, answer, mlm, embed };
enum class EmbedLoss : std::uint8_t { automatic, cosine, cosent, negatives };

/// What is trained, decided by the task, the model's head and the training data.
struct Plan {
  Task task = Task::classify;
  klue::train::NetworkConfig network{};
  klue::train::Objective objective{};
  std::vector<std::string> labels{};  ///< names of the head's labels
  std::string problem_type{};
  double score_max = 1;  ///< scores are divided by it
  std::size_t max_length = 0;
  bool new_head = false;  ///< the checkpoint's own head is left out
};

/// What the command line says of it.
struct PlanRequest {
  Task task = Task::classify;
  EmbedLoss loss = EmbedLoss::automatic;
  std::vector<std::string> labels{};
  double score_max = 0;        ///< 0: by the data
  std::size_t max_length = 0;  ///< 0: as many as the model takes
  bool new_head = false;
};

/// Throws FormatError or UsageError where model, data and request do not go together: labels above
/// all.
Plan make_plan(const PlanRequest& request, const klue::EncoderConfig& encoder,
               const klue::Checkpoint& checkpoint, const std::vector<std::string>& model_labels,
               const std::vector<Record>& records);

/// A record's part that an example is: more than one where a long context is cut into windows.
struct Origin {
  std::size_t record = 0;
  std::vector<std::size_t> places{};    ///< tag: the tokens that have a tag
  std::vector<klue::Offset> offsets{};  ///< answer: bytes of the context; [0, 0) elsewhere
};

struct Dataset {
  std::vector<Record> records;
  std::vector<klue::train::Example> examples;
  std::vector<Origin> origins;  ///< of each example
};

/// Tokenizes and looks labels up. `for_training` false: what has no label is an error there, too.
/// Throws FormatError with the record's place.
Dataset make_dataset(std::vector<Record> records, const Plan& plan,
                     const klue::Preprocessor& preprocessor);

}  // namespace finetune
