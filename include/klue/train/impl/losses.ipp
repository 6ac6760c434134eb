#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <klue/core/error.hpp>
#include <klue/train/detail/head_pass.hpp>

namespace klue::detail {
namespace {

using train::Batch;
using train::Objective;

std::size_t class_of(std::int32_t label, std::size_t labels) {
  if (label < 0 || static_cast<std::size_t>(label) >= labels)
    throw UsageError("a label that the head has not",
                     {.field = "label",
                      .expected = "0 to " + std::to_string(labels - 1),
                      .actual = std::to_string(label)});
  return static_cast<std::size_t>(label);
}

// −log softmax(row)[label]; the row becomes its gradient, times `weight`.
template <class T>
double cross_entropy_row(T* row, std::size_t labels, std::size_t label, double weight) {
  const double right = static_cast<double>(row[label]);
  const double loss = Numeric<T>::softmax(row, labels, T(1)) - right;
  row[label] -= T(1);
  for (std::size_t i = 0; i < labels; ++i)
    row[i] *= static_cast<T>(weight);
  return loss;
}

template <class T>
double binary_cross_entropy(const Batch& batch, Matrix<T>& scores, double weight) {
  double loss = 0;
  for (std::size_t r = 0; r < scores.rows(); ++r)
    for (std::size_t i = 0; i < scores.columns(); ++i) {
      const double z = static_cast<double>(scores.row(r)[i]);
      const double right = batch.values[r * scores.columns() + i];
      const double e = std::exp(-std::abs(z));
      loss += std::max(z, 0.0) - z * right + std::log1p(e);
      const double sigmoid = z < 0 ? e / (1 + e) : 1 / (1 + e);
      scores.row(r)[i] = static_cast<T>((sigmoid - right) * weight);
    }
  return loss;
}

template <class T>
double squared_error(const Batch& batch, Matrix<T>& scores, double weight) {
  double loss = 0;
  for (std::size_t r = 0; r < scores.rows(); ++r)
    for (std::size_t i = 0; i < scores.columns(); ++i) {
      const double error =
          static_cast<double>(scores.row(r)[i]) - batch.values[r * scores.columns() + i];
      loss += error * error;
      scores.row(r)[i] = static_cast<T>(2 * error * weight);
    }
  return loss;
}

template <class T>
double span_cross_entropy(const Batch& batch, const RowChoice& rows, Matrix<T>& scores,
                          double weight) {
  double loss = 0;
  std::vector<T> column;
  for (std::size_t s = 0; s < batch.sequences(); ++s)
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
      const std::size_t first = rows.first[s], count = rows.first[s + 1] - first;
      const std::size_t right = which == 0 ? batch.starts[s] : batch.ends[s];
      if (right >= count)
        throw UsageError("an answer outside its sequence",
                         {.field = which == 0 ? "start" : "end",
                          .expected = "below " + std::to_string(count),
                          .actual = std::to_string(right)});
      column.resize(count);
      for (std::size_t i = 0; i < count; ++i)
        column[i] = scores.row(first + i)[which];
      loss += cross_entropy_row(column.data(), count, right, weight / 2) / 2;
      for (std::size_t i = 0; i < count; ++i)
        scores.row(first + i)[which] = column[i];
    }
  return loss;
}

// Vectors of length 1 and what they were, in float64: a cosine's gradient is a small difference.
struct UnitRows {
  std::vector<double> values, norms;
  std::size_t columns;

  template <class T>
  explicit UnitRows(const Matrix<T>& x) : norms(x.rows()), columns(x.columns()) {
    values.reserve(x.rows() * columns);
    for (std::size_t r = 0; r < x.rows(); ++r) {
      double squares = 0;
      for (std::size_t i = 0; i < columns; ++i)
        squares += static_cast<double>(x.row(r)[i]) * static_cast<double>(x.row(r)[i]);
      norms[r] = std::sqrt(squares);
      for (std::size_t i = 0; i < columns; ++i)
        values.push_back(static_cast<double>(x.row(r)[i]) / norms[r]);
    }
  }
  std::size_t rows() const { return norms.size(); }
  const double* row(std::size_t r) const { return values.data() + r * columns; }
  double cosine(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i)
      sum += row(a)[i] * row(b)[i];
    return sum;
  }
};

// d[r] gathers the gradients of many cosines; they are added up in float64.
class CosineGradients {
 public:
  explicit CosineGradients(const UnitRows& units) : units_(units), sums_(units.values.size()) {}

  void add(std::size_t a, std::size_t b, double cosine, double weight) {
    add_half(a, b, cosine, weight);
    add_half(b, a, cosine, weight);
  }
  template <class T>
  void store(Matrix<T>& scores) const {
    for (std::size_t r = 0; r < scores.rows(); ++r)
      for (std::size_t i = 0; i < units_.columns; ++i)
        scores.row(r)[i] = static_cast<T>(sums_[r * units_.columns + i]);
  }

 private:
  // d cos / d a = (b/|b| − cos · a/|a|) / |a|.
  void add_half(std::size_t a, std::size_t b, double cosine, double weight) {
    double* const to = sums_.data() + a * units_.columns;
    const double factor = weight / units_.norms[a];
    for (std::size_t i = 0; i < units_.columns; ++i)
      to[i] += factor * (units_.row(b)[i] - cosine * units_.row(a)[i]);
  }

  const UnitRows& units_;
  std::vector<double> sums_;
};

double cosine_squared_error(const Batch& batch, const UnitRows& units, CosineGradients& gradients,
                            double weight) {
  double loss = 0;
  for (std::size_t pair = 0; pair < units.rows() / 2; ++pair) {
    const double cosine = units.cosine(2 * pair, 2 * pair + 1);
    const double error = cosine - batch.values[pair];
    loss += error * error;
    gradients.add(2 * pair, 2 * pair + 1, cosine, 2 * error * weight);
  }
  return loss;
}

// CoSENT (Su Jianlin, 2022): every pair that people find more similar than another one should have
// the larger cosine.
double cosent(const Batch& batch, const UnitRows& units, CosineGradients& gradients,
              double weight) {
  const std::size_t pairs = units.rows() / 2;
  std::vector<double> cosines(pairs), slopes(pairs);
  for (std::size_t i = 0; i < pairs; ++i)
    cosines[i] = units.cosine(2 * i, 2 * i + 1);
  double largest = 0;  // of the exponents; that of the 1 is 0
  const auto for_wrong_order = [&](const auto& body) {
    for (std::size_t i = 0; i < pairs; ++i)
      for (std::size_t j = 0; j < pairs; ++j)
        if (batch.values[i] < batch.values[j])
          body(i, j, train::kSimilarityScale * (cosines[i] - cosines[j]));
  };
  for_wrong_order([&](auto, auto, double x) { largest = std::max(largest, x); });
  double sum = std::exp(-largest);
  for_wrong_order([&](auto, auto, double x) { sum += std::exp(x - largest); });
  for_wrong_order([&](std::size_t i, std::size_t j, double x) {
    const double slope = train::kSimilarityScale * std::exp(x - largest) / sum * weight;
    slopes[i] += slope;
    slopes[j] -= slope;
  });
  for (std::size_t i = 0; i < pairs; ++i)
    gradients.add(2 * i, 2 * i + 1, cosines[i], slopes[i]);
  return largest + std::log(sum);
}

double in_batch_negatives(const UnitRows& units, CosineGradients& gradients, double weight) {
  const std::size_t pairs = units.rows() / 2;
  std::vector<double> cosines(pairs), row(pairs);
  double loss = 0;
  for (std::size_t i = 0; i < pairs; ++i) {
    for (std::size_t j = 0; j < pairs; ++j) {
      cosines[j] = units.cosine(2 * i, 2 * j + 1);
      row[j] = train::kSimilarityScale * cosines[j];
    }
    loss += cross_entropy_row(row.data(), pairs, i, train::kSimilarityScale * weight);
    for (std::size_t j = 0; j < pairs; ++j)
      gradients.add(2 * i, 2 * j + 1, cosines[j], row[j]);
  }
  return loss;
}

// The second moment of the cosines of texts that are no pair: what the spread-out regularisation of
// Zhang et al. (2017) makes small.
double spread_out(const UnitRows& units, CosineGradients& gradients, double weight) {
  const std::size_t pairs = units.rows() / 2;
  if (pairs < 2) return 0;
  weight /= static_cast<double>(pairs * (pairs - 1));
  double sum = 0;
  for (std::size_t i = 0; i < pairs; ++i)
    for (std::size_t j = 0; j < pairs; ++j) {
      if (i == j) continue;
      const double cosine = units.cosine(2 * i, 2 * j + 1);
      sum += cosine * cosine;
      gradients.add(2 * i, 2 * j + 1, cosine, 2 * cosine * weight);
    }
  return sum * weight;
}

void require_targets(const char* what, std::size_t expected, std::size_t actual) {
  if (expected != actual)
    throw UsageError(
        "a batch with the wrong number of targets",
        {.field = what, .expected = std::to_string(expected), .actual = std::to_string(actual)});
}

template <class T>
double embedding_loss(Objective objective, const Batch& batch, Matrix<T>& vectors, double weight,
                      double spread) {
  const UnitRows units(vectors);
  CosineGradients gradients(units);
  double loss = 0;
  if (objective == Objective::cosine_squared_error)
    loss = cosine_squared_error(batch, units, gradients, weight);
  else if (objective == Objective::cosent)
    loss = cosent(batch, units, gradients, weight);
  else
    loss = in_batch_negatives(units, gradients, weight);
  loss *= weight;
  // Of a part of a step it counts as much as the part's own terms do.
  if (spread > 0)
    loss += spread_out(units, gradients, spread * weight * loss_terms(objective, batch, 0));
  gradients.store(vectors);
  return loss;
}

}  // namespace

double loss_terms(Objective objective, const Batch& batch, std::size_t labels) {
  switch (objective) {
    case Objective::cross_entropy:
    case Objective::span_cross_entropy:
      return static_cast<double>(batch.sequences());
    case Objective::binary_cross_entropy:
    case Objective::squared_error:
      return static_cast<double>(batch.sequences() * labels);
    case Objective::token_cross_entropy:
      return static_cast<double>(std::ranges::count_if(
          batch.classes, [](std::int32_t label) { return label != train::kIgnored; }));
    case Objective::cosine_squared_error:
    case Objective::in_batch_negatives:
      return static_cast<double>(batch.sequences() / 2);
    case Objective::cosent:
      return 1;
  }
  return 1;
}

template <class T>
double loss_and_gradient(Objective objective, const Batch& batch, const RowChoice& rows,
                         Matrix<T>& scores, const double* denominator, double spread) {
  const double terms =
      denominator != nullptr ? *denominator : loss_terms(objective, batch, scores.columns());
  if (!(terms > 0)) throw UsageError("a batch without labels", {.field = "labels"});
  const double weight = 1 / terms;
  const std::size_t sequences = batch.sequences();
  switch (objective) {
    case Objective::cross_entropy: {
      require_targets("classes", sequences, batch.classes.size());
      double loss = 0;
      for (std::size_t r = 0; r < scores.rows(); ++r)
        loss += cross_entropy_row(scores.row(r), scores.columns(),
                                  class_of(batch.classes[r], scores.columns()), weight);
      return loss * weight;
    }
    case Objective::token_cross_entropy: {
      require_targets("classes", batch.tokens(), batch.classes.size());
      double loss = 0;
      for (std::size_t r = 0; r < scores.rows(); ++r)
        loss +=
            cross_entropy_row(scores.row(r), scores.columns(),
                              class_of(batch.classes[rows.tokens[r]], scores.columns()), weight);
      return loss * weight;
    }
    case Objective::binary_cross_entropy:
      require_targets("values", sequences * scores.columns(), batch.values.size());
      return binary_cross_entropy(batch, scores, weight) * weight;
    case Objective::squared_error:
      require_targets("values", sequences * scores.columns(), batch.values.size());
      return squared_error(batch, scores, weight) * weight;
    case Objective::span_cross_entropy:
      require_targets("starts", sequences, batch.starts.size());
      require_targets("ends", sequences, batch.ends.size());
      return span_cross_entropy(batch, rows, scores, weight) * weight;
    case Objective::cosine_squared_error:
    case Objective::cosent:
      require_targets("values", sequences / 2, batch.values.size());
      return embedding_loss(objective, batch, scores, weight, spread);
    case Objective::in_batch_negatives:
      return embedding_loss(objective, batch, scores, weight, spread);
  }
  return 0;
}

template double loss_and_gradient(Objective, const Batch&, const RowChoice&, Matrix<float>&,
                                  const double*, double);
template double loss_and_gradient(Objective, const Batch&, const RowChoice&, Matrix<double>&,
                                  const double*, double);

}  // namespace klue::detail
