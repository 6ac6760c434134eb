// Matrix products over packed weights, the inner loop of everything, for all precisions.
//
// A precision is an Operation:
//   Sum                          what products are added up in, one per output feature
//   zero(), load_sum(memory)
//   multiply_add(x, w, sum)      sum + x · w for one group of x and kLanes groups of weights
//   to_float(sum, …)             the product as numbers
#pragma once

#include "kernels/packet.hpp"

namespace klue::kernels {
namespace {

// Rows computed together: as many as leave room for two packets of weights and a broadcast group in
// the registers: 32 of them with AVX-512 and on AArch64, else 16.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t kMaxRows = 14;
#else
constexpr size_t kMaxRows = 6;
#endif

struct F32 {
  static constexpr Precision kPrecision = Precision::f32;
  static constexpr size_t kGroupNumbers = 1;
  using Accuracy = Exact;
  using Sum = Packet;
  using Weights = Packet;
  static Sum zero() { return broadcast(0.0f); }
  static Sum load_sum(const float* sums) { return packet::ploadu<Packet>(sums); }
  static Weights load(const float* weights) { return packet::pload<Packet>(weights); }
  static Sum multiply_add(const float* x, Weights weights, Sum sum) {
    return packet::pmadd(broadcast(*x), weights, sum);
  }
};

// Memory to fetch while multiplying: two places per group of x, each moving on by one row of a
// panel.
struct Ahead {
  const float* first;
  const float* second;
  size_t step;  // 0: nothing to fetch
};

// sums[r] = Σₖ x[r × x_stride + k] · panel[k × kPanel …]. Groups are passed as float whatever they
// hold. Every sum runs over k in order whatever `Rows` is: a row does not depend on its neighbours.
template <class Operation, size_t Rows>
[[gnu::always_inline]] inline void multiply_panel(const float* x, size_t x_stride,
                                                  const float* panel, size_t groups, Ahead ahead,
                                                  typename Operation::Sum (&sums)[Rows][2]) {
  // A copy of its own for the loop: `sums` is indexed later, so the compiler keeps it in memory.
  typename Operation::Sum inner[Rows][2];
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r)
    inner[r][0] = inner[r][1] = Operation::zero();
  // One pointer for three rows (x, x + stride, x + 2 × stride) keeps all of them in registers.
  constexpr size_t kPointers = (Rows + 2) / 3;
  const float* pointer[kPointers];
  for (size_t p = 0; p < kPointers; ++p)
    pointer[p] = x + 3 * p * x_stride;
  for (size_t k = 0; k < groups; ++k, panel += kPanel) {
    __builtin_prefetch(ahead.first, 0, 2);
    __builtin_prefetch(ahead.second, 0, 2);
    ahead.first += ahead.step;
    ahead.second += ahead.step;
    const auto left = Operation::load(panel);
    const auto right = Operation::load(panel + kLanes);
#pragma GCC unroll 16
    for (size_t r = 0; r < Rows; ++r) {
      const float* const group = pointer[r / 3] + (r % 3) * x_stride;
      inner[r][0] = Operation::multiply_add(group, left, inner[r][0]);
      inner[r][1] = Operation::multiply_add(group, right, inner[r][1]);
    }
#pragma GCC unroll 16
    for (size_t p = 0; p < kPointers; ++p)
      ++pointer[p];
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r)
    for (size_t half = 0; half < 2; ++half)
      sums[r][half] = inner[r][half];
}

// Calls task(first_row, std::integral_constant-like tag<Rows>) over `rows` rows in blocks of nearly
// equal height: 16 rows are 8 + 8, not 14 + 2.
template <size_t Rows>
struct Height {
  static constexpr size_t value = Rows;
};

template <size_t Rows, class Task>
[[gnu::always_inline]] inline void run_block(size_t rows, size_t first, const Task& task) {
  if constexpr (Rows > 0) {
    if (rows == Rows)
      task(first, Height<Rows>{});
    else
      run_block<Rows - 1>(rows, first, task);
  }
}

template <class Task>
[[gnu::always_inline]] inline void for_row_blocks(size_t rows, const Task& task) {
  size_t blocks = (rows + kMaxRows - 1) / kMaxRows, first = 0;
  for (; blocks > 0; --blocks) {
    const size_t height = (rows - first + blocks - 1) / blocks;
    run_block<kMaxRows>(height, first, task);
    first += height;
  }
}

// Rows of a larger matrix, from their first column of interest.
template <class Number>
struct RowBlock {
  Number* data;
  size_t stride;  // from a row to the next
  Number* row(size_t r) const { return data + r * stride; }
};

// A block of rows in one panel: the sums of their products, and where they go.
struct Tile {
  size_t first_row, rows, column;
  RowBlock<const float> sums;      // 32-bit numbers of the operation's kind
  RowBlock<const float> residual;  // data may be nullptr
  RowBlock<float> y;
};

// One half of a panel: what turns its sums of products into numbers.
template <class Operation>
struct Columns {
  Packet bias, scale, sum;

  Columns(const Gemm& g, size_t column) : bias(packet::pload<Packet>(g.bias + column)) {
    if constexpr (Operation::kPrecision == Precision::int8) {
      scale = packet::pload<Packet>(g.column_scale + column);
      sum = packet::pload<Packet>(g.column_sum + column);
    }
  }

  Packet to_float(const Gemm& g, size_t row, typename Operation::Sum product) const {
    if constexpr (Operation::kPrecision == Precision::int8)
      return Operation::to_float(product, g.row_scale[row], g.row_zero[row], scale, sum, bias);
    else
      return packet::padd(product, bias);
  }
};

// The rows that are finished together: with 2 × 2 packets side by side, no chain of dependent
// instructions waits for itself.
constexpr size_t kRowsTogether = 2;

template <class Operation, Activation activation>
[[gnu::noinline]] void finish(const Gemm& g, const Tile& tile) {
  const Columns<Operation> columns[2] = {{g, tile.column}, {g, tile.column + kLanes}};
  const auto finish_together = [&](size_t first, auto height) __attribute__((always_inline)) {
    constexpr size_t packets = 2 * decltype(height)::value;
    Packet numbers[packets];
#pragma GCC unroll 8
    for (size_t i = 0; i < packets; ++i) {
      const size_t r = first + i / 2;
      const auto sum = Operation::load_sum(tile.sums.row(r) + i % 2 * kLanes);
      numbers[i] = columns[i % 2].to_float(g, tile.first_row + r, sum);
    }
    activate<typename Operation::Accuracy>(activation, numbers);
    if (tile.residual.data != nullptr) {
#pragma GCC unroll 8
      for (size_t i = 0; i < packets; ++i)
        numbers[i] = packet::padd(
            numbers[i], packet::ploadu<Packet>(tile.residual.row(first + i / 2) + i % 2 * kLanes));
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < packets; ++i)
      packet::pstoreu(tile.y.row(first + i / 2) + i % 2 * kLanes, numbers[i]);
  };
  size_t r = 0;
  for (; r + kRowsTogether <= tile.rows; r += kRowsTogether)
    finish_together(r, Height<kRowsTogether>{});
  for (; r < tile.rows; ++r)
    finish_together(r, Height<1>{});
}

// `tile` is as wide as a panel.
template <class Operation>
void finish_tile(const Gemm& g, const Tile& tile) {
  switch (g.activation) {
    case Activation::none:
      return finish<Operation, Activation::none>(g, tile);
    case Activation::gelu:
      return finish<Operation, Activation::gelu>(g, tile);
    case Activation::relu:
      return finish<Operation, Activation::relu>(g, tile);
    case Activation::tanh:
      return finish<Operation, Activation::tanh>(g, tile);
  }
}

// From the sums of at most kMaxRows rows with one panel to g.y.
template <class Operation>
void finish_rows(const Gemm& g, size_t first_row, size_t rows, size_t column,
                 RowBlock<const float> sums) {
  Tile tile{.first_row = first_row,
            .rows = rows,
            .column = column,
            .sums = sums,
            .residual = {nullptr, g.residual_stride},
            .y = {g.y + first_row * g.y_stride + column, g.y_stride}};
  if (g.residual != nullptr)
    tile.residual.data = g.residual + first_row * g.residual_stride + column;
  const size_t left = g.out_features - column;
  if (left >= kPanel) return finish_tile<Operation>(g, tile);
  // The last panel may be wider than the matrix: it is finished beside, and copied.
  alignas(64) float beside[kMaxRows * kPanel] = {};
  const RowBlock<float> y = tile.y;
  tile.y = {beside, kPanel};
  if (g.residual != nullptr) {
    for (size_t r = 0; r < rows; ++r)
      __builtin_memcpy(tile.y.row(r), tile.residual.row(r), left * sizeof(float));
    tile.residual = {beside, kPanel};
  }
  finish_tile<Operation>(g, tile);
  for (size_t r = 0; r < rows; ++r)
    __builtin_memcpy(y.row(r), tile.y.row(r), left * sizeof(float));
}

// Product::finish: the sums of g's panels, which something else has computed. y is written row by
// row, as processors fetch memory best.
template <class Operation>
void finish_panels(const Gemm& g, const void* sums, size_t stride, size_t first_row, size_t rows) {
  for (size_t r = 0; r < rows; r += kRowsTogether) {
    const size_t together = rows - r < kRowsTogether ? rows - r : kRowsTogether;
    const float* from = static_cast<const float*>(sums) + r * stride;
    for (size_t panel = g.first_panel; panel < g.last_panel; ++panel, from += kPanel)
      finish_rows<Operation>(g, first_row + r, together, panel * kPanel, {from, stride});
  }
}

// A short text does little with each weight before it needs the next: without help it would wait
// for memory half of the time. So each panel fetches the one after it: in its first two row blocks
// half each, or in its only one.
[[maybe_unused]] Ahead next_panel(const float* panel, size_t groups, size_t block, size_t blocks) {
  if (block >= 2) return {panel, panel, 0};
  const float* const next = panel + groups * kPanel;
  if (blocks == 1) return {next, next + groups * kPanel / 2, kPanel / 2};
  const float* const part = next + block * groups * kPanel / 2;
  return {part, part, kPanel / 2};
}

template <class Operation, size_t Rows>
[[gnu::noinline]] void linear_block(const Gemm& g, size_t first_row, size_t panel, Ahead ahead) {
  // Where the results go is seldom in the nearer caches. Fetched now, it is when they are there.
  for (size_t r = 0; r < Rows; ++r)
    for (size_t half = 0; half < 2; ++half)
      __builtin_prefetch(g.y + (first_row + r) * g.y_stride + panel * kPanel + half * kLanes, 1, 3);
  typename Operation::Sum sums[Rows][2];
  const float* const weights = static_cast<const float*>(g.panels) + panel * kPanel * g.groups;
  multiply_panel<Operation, Rows>(static_cast<const float*>(g.x) + first_row * g.x_stride,
                                  g.x_stride, weights, g.groups, ahead, sums);
  finish_rows<Operation>(g, first_row, Rows, panel * kPanel,
                         {reinterpret_cast<const float*>(sums), kPanel});
}

template <class Operation>
void gemm(const Gemm& g) {
  // Chunks of rows that stay in the nearer caches while all weights stream past them once; of
  // nearly equal height, for a last one of a few rows would wait for every weight anew.
  const size_t fitting = (size_t{1536} << 10) / (g.groups * sizeof(float));
  const size_t most = fitting == 0 ? 1 : fitting;
  const size_t chunks = (g.rows + most - 1) / most;
  for (size_t chunk = 0; chunk < chunks; ++chunk) {
    const size_t first = g.rows * chunk / chunks, rows = g.rows * (chunk + 1) / chunks - first;
    const size_t blocks = (rows + kMaxRows - 1) / kMaxRows;
    for (size_t panel = g.first_panel; panel < g.last_panel; ++panel) {
      const float* const weights = static_cast<const float*>(g.panels) + panel * kPanel * g.groups;
      size_t block = 0;
      for_row_blocks(rows, [&](size_t row, auto height) {
        linear_block<Operation, decltype(height)::value>(
            g, first + row, panel, next_panel(weights, g.groups, block++, blocks));
      });
    }
  }
}

}  // namespace
}  // namespace klue::kernels
