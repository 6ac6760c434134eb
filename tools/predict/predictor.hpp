#pragma once

#include <memory>
#include <span>
#include <string>

#include <klue/klue.hpp>

#include "options.hpp"
#include "output.hpp"
#include "reader.hpp"

namespace predict {

/// What all predictors write with.
struct Style {
  Format format = Format::text;
  Marker marker{false};
};

/// A task with its options, and how its results look.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// The row that names the columns of a tsv.
  virtual std::string header() const = 0;

  /// The results of the records, one after another in the format of the command line; `first` is
  /// the number of the first record, from 1. Throws klue::UsageError for a record that cannot be
  /// run.
  virtual std::string predict(std::span<const Record> records, std::size_t first) const = 0;
};

/// The predictor of a task. Throws where the model has no head for it.
std::unique_ptr<Predictor> make_classifier(klue::Model model, const Options& options, Style style);
std::unique_ptr<Predictor> make_ranker(klue::Model model, const Options& options, Style style);
std::unique_ptr<Predictor> make_tagger(klue::Model model, const Options& options, Style style);
std::unique_ptr<Predictor> make_answerer(klue::Model model, const Options& options, Style style);
std::unique_ptr<Predictor> make_mask_filler(klue::Model model, const Options& options, Style style);

}  // namespace predict
