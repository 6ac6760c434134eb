// Matrix products over packed weights, the inner loop of everything, for all precisions.
//
// A precision is an Operation:
//   Stored, load_weights(row, half)  how packed weights lie in memory, and either vector of a
//   panel's
//                                row
//   kStep                        how many groups accumulate takes at once, 1 or 2
//   kMultipliesMatrices          whether it has a multiply<Rows, Panels> of its own in the place of
//                                accumulate
//   Sums                         what products are added up in, one per output feature
//   zero(), load_sums(memory)
//   accumulate(x, w…, sums)      sums + x · w for kStep groups of x and kLanes groups of weights
//   to_float(sums, …)            the product as numbers

// Rows computed together: as many as leave room for two vectors of weights and a broadcast group in
// the registers.
constexpr size_t kMaxRows = (kVectors - 4) / 2;

// One or two rows would leave most of the registers empty, and the processor waiting for one sum
// before it adds to it again. They are multiplied with several panels at once: 8 sums are as many
// as two multiply-adds per cycle, each 4 cycles long, can work on.
// Sums of whole numbers take one cycle, and two steps already have registers of weights enough.
template <class Operation>
constexpr size_t panels_together(size_t rows) {
  if (Operation::kStep > 1) return rows == 1 ? 2 : 1;
  return rows == 1 ? 4 : rows == 2 ? 2 : 1;
}

// Steps written out one after another. Where a step has few multiplications, moving its pointers on
// takes instructions enough for the processor to wait for those, above all where another program
// runs on the same core. Weights that are widened first leave GCC no registers for it.
template <class Operation>
constexpr size_t steps_together(size_t rows) {
  return kVectors <= 16 && Operation::kPrecision == Precision::f32 && rows > 1 ? 4 : 1;
}

// Weights that are multiplied as they lie in memory: a vector of 32-bit groups.
struct StoredGroups {
  using Stored = float;
  static constexpr size_t kStep = 1;
  static constexpr bool kMultipliesMatrices = false;
  [[gnu::always_inline]] static Vector load_weights(const Stored* row, size_t half) {
    return load(row + half * kLanes);
  }
};

struct F32 : StoredGroups {
  static constexpr Precision kPrecision = Precision::f32;
  using Accuracy = Exact;
  using Sums = Vector;
  [[gnu::always_inline]] static Sums zero() { return Vector{}; }
  [[gnu::always_inline]] static Sums load_sums(const float* sums) { return load_loose(sums); }
  [[gnu::always_inline]] static Sums accumulate(const float* x, Vector weights, Sums sums) {
    return multiply_add(broadcast(*x), weights, sums);
  }
};

// Numbers in the 64 bytes that processors fetch.
constexpr size_t kLineNumbers = 16;

// Memory to fetch while multiplying: two places per step, each moving on by half of what a step
// takes of the panels.
struct Ahead {
  const void* first;
  const void* second;
  size_t step;  // bytes; 0: nothing to fetch
};

// Half of what one step of `panels` panels takes from memory.
template <class Operation>
constexpr size_t ahead_bytes(size_t panels) {
  return panels * kPanel * Operation::kStep * sizeof(typename Operation::Stored) / 2;
}

template <size_t Bytes>
[[gnu::always_inline]] inline void prefetch(const char* first, const char* second) {
  __builtin_prefetch(first, 0, 2);
  __builtin_prefetch(second, 0, 2);
  if constexpr (Bytes > 64) prefetch<Bytes - 64>(first + 64, second + 64);
}

template <class Operation, size_t Rows, size_t Vectors>
[[gnu::always_inline]] inline void load_step(const typename Operation::Stored* panels,
                                             size_t groups, Vector (&weights)[Vectors]) {
#pragma GCC unroll 8
  for (size_t v = 0; v < Vectors; ++v) {
    weights[v] = Operation::load_weights(panels + v / 2 * groups * kPanel, v % 2);
    // Or GCC loads them anew for each of a few rows, and the loads take longer than the sums.
    if constexpr (Rows > 1) hold(weights[v]);
  }
}

// Rows of x from group k on: one pointer for three rows (x, x + stride, x + 2 × stride) keeps all
// of them in registers.
template <size_t Rows>
struct RowPointers {
  static constexpr size_t kPointers = (Rows + 2) / 3;
  const char* at[kPointers];
  size_t strides[3];  // bytes

  [[gnu::always_inline]] RowPointers(const float* x, size_t x_stride)
      : strides{0, x_stride * sizeof(float), 2 * x_stride * sizeof(float)} {
#pragma GCC unroll 16
    for (size_t p = 0; p < kPointers; ++p)
      at[p] = reinterpret_cast<const char*>(x + 3 * p * x_stride);
  }
  [[gnu::always_inline]] const float* row(size_t r) const {
    return reinterpret_cast<const float*>(at[r / 3] + strides[r % 3]);
  }
  // Or GCC keeps a register for each sum of a stride and a distance, and has too few.
  [[gnu::always_inline]] void hide_strides() {
    asm("" : "+r"(strides[1]), "+r"(strides[2]));
  }
  [[gnu::always_inline]] void move(size_t groups) {
#pragma GCC unroll 16
    for (size_t p = 0; p < kPointers; ++p)
      at[p] += groups * sizeof(float);
  }
};

// sums += x · panels for the kStep groups that are `step` steps away from where x and panels point.
template <class Operation, size_t Rows, size_t Panels>
[[gnu::always_inline]] inline void multiply_step(
    const RowPointers<Rows>& x, const typename Operation::Stored* panels, size_t groups,
    size_t step, typename Operation::Sums (&sums)[Rows][2 * Panels]) {
  constexpr size_t kStep = Operation::kStep;
  panels += step * kStep * kPanel;
  Vector weights[kStep][2 * Panels];
  load_step<Operation, Rows>(panels, groups, weights[0]);
  if constexpr (kStep > 1) load_step<Operation, Rows>(panels + kPanel, groups, weights[1]);
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r) {
    const float* const group = x.row(r) + step * kStep;
#pragma GCC unroll 8
    for (size_t v = 0; v < 2 * Panels; ++v)
      if constexpr (kStep == 1)
        sums[r][v] = Operation::accumulate(group, weights[0][v], sums[r][v]);
      else
        sums[r][v] = Operation::accumulate(group, weights[0][v], weights[1][v], sums[r][v]);
  }
}

// sums[r] = Σₖ x[r × x_stride + k] · panels[k × kPanel …], for `Panels` panels that lie one after
// another. Groups are passed as float whatever they hold. Every sum runs over k in order whatever
// `Rows` and `Panels` are: a row does not depend on its neighbours. `groups` is a multiple of
// kStep.
template <class Operation, size_t Rows, size_t Panels>
[[gnu::always_inline]] inline void multiply_panels(
    const float* x, size_t x_stride, const typename Operation::Stored* panels, size_t groups,
    Ahead ahead, typename Operation::Sums (&sums)[Rows][2 * Panels]) {
  constexpr size_t kStep = Operation::kStep, kSteps = steps_together<Operation>(Rows);
  const char* first_ahead = static_cast<const char*>(ahead.first);
  const char* second_ahead = static_cast<const char*>(ahead.second);
  // A copy of its own for the loop: `sums` is indexed later, so the compiler keeps it in memory.
  typename Operation::Sums inner[Rows][2 * Panels];
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (size_t v = 0; v < 2 * Panels; ++v)
      inner[r][v] = Operation::zero();
  RowPointers<Rows> pointers(x, x_stride);
  size_t k = 0;
  for (; k + kSteps * kStep <= groups; k += kSteps * kStep) {
    if (kSteps == 1 || ahead.step > 0) {
      prefetch<kSteps * ahead_bytes<Operation>(Panels)>(first_ahead, second_ahead);
      first_ahead += kSteps * ahead.step;
      second_ahead += kSteps * ahead.step;
    }
    if constexpr (kSteps > 1) pointers.hide_strides();
#pragma GCC unroll 4
    for (size_t step = 0; step < kSteps; ++step)
      multiply_step<Operation, Rows, Panels>(pointers, panels, groups, step, inner);
    panels += kSteps * kStep * kPanel;
    pointers.move(kSteps * kStep);
  }
  if constexpr (kSteps > 1)
    for (; k < groups; k += kStep, panels += kStep * kPanel, pointers.move(kStep))
      multiply_step<Operation, Rows, Panels>(pointers, panels, groups, 0, inner);
#pragma GCC unroll 16
  for (size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (size_t v = 0; v < 2 * Panels; ++v)
      sums[r][v] = inner[r][v];
}

// Calls task.run<Height>(first_row) over `rows` rows in blocks of nearly equal height: 16 rows are
// 8 + 8, not 14 + 2.
template <size_t Height, class Task>
[[gnu::always_inline]] inline void run_block(size_t rows, size_t first, Task& task) {
  if constexpr (Height > 0) {
    if (rows == Height)
      task.template run<Height>(first);
    else
      run_block<Height - 1>(rows, first, task);
  }
}

template <class Task>
[[gnu::always_inline]] inline void for_row_blocks(size_t rows, Task& task) {
  size_t blocks = (rows + kMaxRows - 1) / kMaxRows, first = 0;
  for (; blocks > 0; --blocks) {
    const size_t height = (rows - first + blocks - 1) / blocks;
    run_block<kMaxRows>(height, first, task);
    first += height;
  }
}

// ------------------------------------------------------------------------- what follows the sums

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
  Vector bias, scale, sum;

  [[gnu::always_inline]] Columns(const Gemm& g, size_t column) : bias(load(g.bias + column)) {
    if constexpr (Operation::kPrecision == Precision::int8) {
      scale = load(g.column_scale + column);
      sum = load(g.column_sum + column);
    }
  }

  [[gnu::always_inline]] Vector to_float(const Gemm& g, size_t row,
                                         typename Operation::Sums product) const {
    if constexpr (Operation::kPrecision == Precision::int8)
      return Operation::to_float(product, g, row, scale, sum, bias);
    else
      return product + bias;
  }
};

template <class Operation, Activation activation, size_t Rows>
[[gnu::always_inline]] inline void finish_together(const Gemm& g, const Tile& tile,
                                                   const Columns<Operation> (&columns)[2],
                                                   size_t first) {
  constexpr size_t kNumbers = 2 * Rows;
  Vector numbers[kNumbers];
#pragma GCC unroll 8
  for (size_t i = 0; i < kNumbers; ++i) {
    const size_t r = first + i / 2;
    const auto sums = Operation::load_sums(tile.sums.row(r) + i % 2 * kLanes);
    numbers[i] = columns[i % 2].to_float(g, tile.first_row + r, sums);
  }
  activate<typename Operation::Accuracy>(activation, numbers);
  if (tile.residual.data != nullptr) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kNumbers; ++i)
      numbers[i] = numbers[i] + load_loose(tile.residual.row(first + i / 2) + i % 2 * kLanes);
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < kNumbers; ++i)
    store_loose(tile.y.row(first + i / 2) + i % 2 * kLanes, numbers[i]);
}

// The rows that are finished together: with 2 × 2 vectors side by side, no chain of dependent
// instructions waits for itself.
constexpr size_t kRowsTogether = 2;

template <class Operation, Activation activation>
[[gnu::noinline]] void finish(const Gemm& g, const Tile& tile) {
  const Columns<Operation> columns[2] = {{g, tile.column}, {g, tile.column + kLanes}};
  size_t r = 0;
  for (; r + kRowsTogether <= tile.rows; r += kRowsTogether)
    finish_together<Operation, activation, kRowsTogether>(g, tile, columns, r);
  for (; r < tile.rows; ++r)
    finish_together<Operation, activation, 1>(g, tile, columns, r);
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

// ---------------------------------------------------------------------------------- whole product

template <class Operation>
[[gnu::always_inline]] inline const typename Operation::Stored* packed_panel(const Gemm& g,
                                                                             size_t panel) {
  return static_cast<const typename Operation::Stored*>(g.panels) + panel * kPanel * g.groups;
}

template <class Operation, size_t Rows, size_t Panels>
[[gnu::noinline]] void linear_block(const Gemm& g, size_t first_row, size_t panel, Ahead ahead) {
  // Where the results go is seldom in the nearer caches. Fetched now, it is when they are there.
  for (size_t r = 0; r < Rows; ++r)
    for (size_t i = 0; i < Panels * kPanel; i += kLineNumbers)
      __builtin_prefetch(g.y + (first_row + r) * g.y_stride + panel * kPanel + i, 1, 3);
  typename Operation::Sums sums[Rows][2 * Panels];
  const float* const x = static_cast<const float*>(g.x) + first_row * g.x_stride;
  const auto* const weights = packed_panel<Operation>(g, panel);
  if constexpr (Operation::kMultipliesMatrices)
    Operation::template multiply<Rows, Panels>(x, g.x_stride, weights, g.groups, ahead, sums);
  else
    multiply_panels<Operation, Rows, Panels>(x, g.x_stride, weights, g.groups, ahead, sums);
  for (size_t p = 0; p < Panels; ++p)
    finish_rows<Operation>(g, first_row, Rows, (panel + p) * kPanel,
                           {reinterpret_cast<const float*>(sums[0] + 2 * p), Panels * kPanel});
}

// A short text does little with each weight before it needs the next: without help it would wait
// for memory half of the time. So each panel fetches the one after it: in its first two row blocks
// half each.
template <class Operation>
inline Ahead next_panel(const typename Operation::Stored* panel, size_t groups, size_t block) {
  if (block >= 2) return {panel, panel, 0};
  const auto* const next = panel + groups * kPanel + block * groups * kPanel / 2;
  return {next, next, ahead_bytes<Operation>(1)};
}

// The same for `panels` panels that only one row block is multiplied with: all of the next ones.
template <class Operation>
inline Ahead next_panels(const typename Operation::Stored* panel, size_t groups, size_t panels) {
  const auto* const next = panel + panels * groups * kPanel;
  return {next, next + panels * groups * kPanel / 2, ahead_bytes<Operation>(panels)};
}

// One row block from panel to panel, several at once where it is low.
template <class Operation>
struct LowProduct {
  const Gemm& g;

  template <size_t Rows>
  [[gnu::always_inline]] void run(size_t first_row) {
    run_from<Rows, panels_together<Operation>(Rows)>(first_row, g.first_panel);
  }

  template <size_t Rows, size_t Panels>
  [[gnu::always_inline]] void run_from(size_t first_row, size_t panel) {
    for (; panel + Panels <= g.last_panel; panel += Panels)
      linear_block<Operation, Rows, Panels>(
          g, first_row, panel,
          next_panels<Operation>(packed_panel<Operation>(g, panel), g.groups, Panels));
    if constexpr (Panels > 1) run_from<Rows, Panels - 1>(first_row, panel);
  }
};

// Several row blocks with one panel.
template <class Operation>
struct PanelProduct {
  const Gemm& g;
  size_t first_row, panel, block = 0;

  template <size_t Rows>
  [[gnu::always_inline]] void run(size_t row) {
    linear_block<Operation, Rows, 1>(
        g, first_row + row, panel,
        next_panel<Operation>(packed_panel<Operation>(g, panel), g.groups, block++));
  }
};

template <class Operation>
void gemm(const Gemm& g) {
  if (g.rows <= kMaxRows) {
    LowProduct<Operation> product{g};
    return run_block<kMaxRows>(g.rows, 0, product);
  }
  // Chunks of rows that stay in the nearer caches while all weights stream past them once; of
  // nearly equal height, for a last one of a few rows would wait for every weight anew.
  const size_t fitting = (size_t{1536} << 10) / (g.groups * sizeof(float));
  const size_t most = fitting == 0 ? 1 : fitting;
  const size_t chunks = (g.rows + most - 1) / most;
  for (size_t chunk = 0; chunk < chunks; ++chunk) {
    const size_t first = g.rows * chunk / chunks, rows = g.rows * (chunk + 1) / chunks - first;
    for (size_t panel = g.first_panel; panel < g.last_panel; ++panel) {
      PanelProduct<Operation> product{g, first, panel};
      for_row_blocks(rows, product);
    }
  }
}

// ----------------------------------------------------------------------------- columns of a matrix

// Column n and those beside it of a row with `count` of them.
[[gnu::always_inline]] inline Vector load_columns(const float* row, size_t n, size_t count) {
  return n < count ? load_first(row + n, count - n) : Vector{};
}

// Rows lie so far apart that no processor foresees the next one, and come from memory, which takes
// as long as tens of rows do. `left`: rows from this one on.
[[gnu::always_inline]] inline void prefetch_columns(const float* row, size_t row_stride,
                                                    size_t left, size_t count) {
  constexpr size_t kAhead = 48;
  const float* const ahead = row + (left > kAhead ? kAhead : left - 1) * row_stride;
  for (size_t n = 0; n < count; n += kLineNumbers)
    __builtin_prefetch(ahead + n, 0, 2);
}
