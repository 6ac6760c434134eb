#include <algorithm>
#include <charconv>
#include <cstddef>
#include <locale>
#include <sstream>
#include <string>

#include <klue/train/detail/encoder_pass.hpp>

namespace klue::detail {
namespace {

// Rows that a thread takes at a time. Sums over rows are made of as many parts, whatever the number
// of threads.
constexpr std::size_t kNormRows = 64;
constexpr std::size_t kBiasColumns = 128;

}  // namespace

double decimal(float x) {
  char text[32];
  const std::to_chars_result written = std::to_chars(text, text + sizeof text, x);
  // Not by from_chars, which libc++ has for whole numbers alone, nor by what asks the locale.
  std::istringstream in(std::string(text, written.ptr));
  in.imbue(std::locale::classic());
  double value = static_cast<double>(x);
  in >> value;
  return value;
}

template <class T>
void StepContext<T>::forward(const DenseLayer& layer, View<const T> x, View<T> y) const {
  products.with_transposed(x, weight(layer.weight), values(layer.bias), y);
}

template <class T>
void StepContext<T>::backward_weights(const DenseLayer& layer, View<const T> x, View<const T> dy) {
  if (trained(layer.weight)) {
    const View<const T> w = weight(layer.weight);
    products.of_transposed(dy, x, {gradients(layer.weight), w.rows, w.columns, w.stride},
                           add_gradients);
  }
  if (!trained(layer.bias)) return;
  T* const bias = gradients(layer.bias);
  if (!add_gradients) std::fill_n(bias, dy.columns, T(0));
  pool().parallel_for((dy.columns + kBiasColumns - 1) / kBiasColumns,
                      [&](std::size_t block, std::size_t) {
                        const std::size_t first = block * kBiasColumns;
                        const std::size_t count = std::min(kBiasColumns, dy.columns - first);
                        for (std::size_t r = 0; r < dy.rows; ++r)
                          Numeric<T>::add(dy.row(r) + first, bias + first, count);
                      });
}

template <class T>
void StepContext<T>::backward_input(const DenseLayer& layer, View<const T> dy, View<T> dx,
                                    bool add) const {
  products.plain(dy, weight(layer.weight), dx, add);
}

template <class T>
void StepContext<T>::forward_norm(const NormLayer& layer, View<T> x, View<T> normal, T* inverse,
                                  T epsilon) const {
  const T* const gamma = values(layer.gamma);
  const T* const beta = values(layer.beta);
  pool().parallel_for((x.rows + kNormRows - 1) / kNormRows, [&](std::size_t block, std::size_t) {
    const std::size_t end = std::min(x.rows, (block + 1) * kNormRows);
    for (std::size_t r = block * kNormRows; r < end; ++r)
      inverse[r] = Numeric<T>::layer_norm(x.row(r), x.columns, gamma, beta, epsilon, normal.row(r),
                                          x.row(r));
  });
}

template <class T>
void StepContext<T>::backward_norm(const NormLayer& layer, View<T> d, View<const T> normal,
                                   const T* inverse) {
  const std::size_t blocks = (d.rows + kNormRows - 1) / kNormRows, width = 2 * d.columns;
  partial_.reserve_discard(blocks * width);
  const T* const gamma = values(layer.gamma);
  pool().parallel_for(blocks, [&](std::size_t block, std::size_t) {
    T* const sums = partial_.data() + block * width;
    std::fill_n(sums, width, T(0));
    const std::size_t end = std::min(d.rows, (block + 1) * kNormRows);
    for (std::size_t r = block * kNormRows; r < end; ++r)
      Numeric<T>::layer_norm_backward(d.row(r), normal.row(r), inverse[r], gamma, d.columns,
                                      d.row(r), sums, sums + d.columns);
  });
  const auto collect = [&](std::size_t parameter_index, std::size_t offset) {
    if (!trained(parameter_index)) return;
    T* const to = gradients(parameter_index);
    if (!add_gradients) std::fill_n(to, d.columns, T(0));
    for (std::size_t block = 0; block < blocks; ++block)
      Numeric<T>::add(partial_.data() + block * width + offset, to, d.columns);
  };
  collect(layer.gamma, 0);
  collect(layer.beta, d.columns);
}

template struct StepContext<float>;
template struct StepContext<double>;

}  // namespace klue::detail
