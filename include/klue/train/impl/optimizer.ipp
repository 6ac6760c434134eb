#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>
#include <vector>

#include <klue/train/detail/numeric.hpp>
#include <klue/train/optimizer.hpp>

namespace klue::train {
namespace {

// Elements that a thread takes at a time; a table is cut into its rows.
constexpr std::size_t kElementsOfAPart = 1 << 16;

// A few parts make a task, so that rows are not handed out one by one.
constexpr std::size_t kPartsOfATask = 32;

// Every number is the one before it: as fast as memory, which a loop that may end early is not.
template <class T>
bool all_zero(const T* x, std::size_t count) {
  return x[0] == T(0) && std::memcmp(x, x + 1, (count - 1) * sizeof(T)) == 0;
}

template <class Body>
void for_parts(const ThreadPool& pool, std::size_t parts, const Body& body) {
  pool.parallel_for((parts + kPartsOfATask - 1) / kPartsOfATask,
                    [&](std::size_t task, std::size_t) {
                      const std::size_t end = std::min(parts, (task + 1) * kPartsOfATask);
                      for (std::size_t i = task * kPartsOfATask; i < end; ++i)
                        body(i);
                    });
}

}  // namespace

double Schedule::at(std::size_t step) const {
  const double s = static_cast<double>(step), warmup = static_cast<double>(warmup_steps);
  if (step < warmup_steps) return learning_rate * s / std::max(1.0, warmup);
  if (decay == Decay::constant) return learning_rate;
  const double left = std::max(0.0, static_cast<double>(steps) - s);
  const double part = left / std::max(1.0, static_cast<double>(steps) - warmup);
  if (decay == Decay::linear) return learning_rate * part;
  return learning_rate * 0.5 * (1 - std::cos(std::numbers::pi * part));
}

template <class T>
AdamW<T>::AdamW(const Parameters<T>& parameters, const AdamWOptions& options)
    : options_(options), first_(parameters.size()), second_(parameters.size()) {
  for (std::size_t i = 0; i < parameters.entries().size(); ++i) {
    const Parameter& p = parameters.entries()[i];
    top_ = std::max(top_, p.depth);
    if (!p.trained) continue;
    const std::size_t length = p.table ? p.shape[1] : kElementsOfAPart;
    for (std::size_t first = 0; first < p.size; first += length)
      parts_.push_back({i, first, std::min(length, p.size - first)});
  }
  squares_.resize(parts_.size());
  moved_.resize(parts_.size());
}

template <class T>
double AdamW<T>::gradient_norm(const Parameters<T>& parameters, const ThreadPool& pool) {
  for_parts(pool, parts_.size(), [&](std::size_t i) {
    const Part& part = parts_[i];
    const T* g = parameters.gradients(parameters.entries()[part.parameter]) + part.first;
    squares_[i] = detail::Numeric<T>::sum_of_squares(g, part.count);
    // Also where the square of something tiny is nothing.
    if (moved_[i] == 0) moved_[i] = all_zero(g, part.count) ? 0 : 1;
  });
  double sum = 0;
  for (const double squares : squares_)
    sum += squares;
  return std::sqrt(sum);
}

template <class T>
void AdamW<T>::step(Parameters<T>& parameters, double learning_rate, double norm,
                    const ThreadPool& pool) {
  ++steps_;
  const double t = static_cast<double>(steps_);
  const double clip = options_.clip_norm > 0 ? options_.clip_norm / (norm + 1e-6) : 1.0;
  std::vector<detail::AdamWConstants> constants_of;
  for (const Parameter& p : parameters.entries()) {
    const double rate = learning_rate * p.rate *
                        std::pow(options_.layer_decay, static_cast<double>(top_ - p.depth));
    constants_of.push_back({.gradient_scale = std::min(1.0, clip),
                            .keep = 1 - rate * (p.decays ? options_.weight_decay : 0.0),
                            .beta1 = options_.beta1,
                            .beta2 = options_.beta2,
                            .step_size = rate / (1 - std::pow(options_.beta1, t)),
                            .root_correction = 1 / std::sqrt(1 - std::pow(options_.beta2, t)),
                            .epsilon = options_.epsilon});
  }
  for_parts(pool, parts_.size(), [&](std::size_t i) {
    const Part& part = parts_[i];
    const Parameter& p = parameters.entries()[part.parameter];
    const detail::AdamWConstants& constants = constants_of[part.parameter];
    T* const values = parameters.values(p) + part.first;
    if (moved_[i] == 0) {
      const T keep = static_cast<T>(constants.keep);
      if (keep != T(1))
        for (std::size_t j = 0; j < part.count; ++j)
          values[j] *= keep;
      return;
    }
    const std::size_t at = p.offset + part.first;
    detail::Numeric<T>::adamw(values, parameters.gradients(p) + part.first, first_.data() + at,
                              second_.data() + at, part.count, constants);
  });
}

template <class T>
void AdamW<T>::restore(const Parameters<T>& parameters, std::size_t steps) {
  steps_ = steps;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    const std::size_t at = parameters.entries()[part.parameter].offset + part.first;
    moved_[i] =
        all_zero(first_.data() + at, part.count) && all_zero(second_.data() + at, part.count) ? 0
                                                                                              : 1;
  }
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace klue::train
