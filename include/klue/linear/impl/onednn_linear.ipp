#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include <dnnl.hpp>
#include <omp.h>

#include <klue/core/detail/aligned_buffer.hpp>
#include <klue/core/detail/heap_bytes.hpp>
#include <klue/core/error.hpp>
#include <klue/linear/detail/onednn_linear.hpp>
#include <klue/linear/detail/product_linear.hpp>

namespace klue::detail {
namespace {

using OnednnType = dnnl::memory::data_type;
using OnednnLayout = dnnl::memory::format_tag;

// A task multiplies a tile of rows with a slice of features: the weights of a slice stay in the
// second-level cache while the tiles pass, and so do the sums of a tile until they are finished.
constexpr std::size_t kOnednnSliceFeatures = 256;
constexpr std::size_t kOnednnTileRows = 64;

// The ThreadPool owns the threads. OpenMP, which oneDNN would ask for more, is told to be one
// thread where oneDNN is called, and what the application had set before is put back.
class OneOmpThread {
 public:
  OneOmpThread() : before_(omp_get_max_threads()) { set(1); }
  ~OneOmpThread() { set(before_); }
  OneOmpThread(const OneOmpThread&) = delete;
  OneOmpThread& operator=(const OneOmpThread&) = delete;

 private:
  void set(int threads) const {
    if (before_ != 1) omp_set_num_threads(threads);
  }
  int before_;
};

// Never destroyed: threads may still multiply while the process ends.
const dnnl::engine& onednn_cpu() {
  static const auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

struct OnednnTypes {
  OnednnType x, weights, sums;
};

constexpr OnednnTypes onednn_types_of(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return {OnednnType::bf16, OnednnType::bf16, OnednnType::f32};
    case Precision::int8:
      return {OnednnType::u8, OnednnType::s8, OnednnType::s32};
    case Precision::f32:
    case Precision::automatic:
      break;
  }
  return {OnednnType::f32, OnednnType::f32, OnednnType::f32};
}

dnnl::memory::dim onednn_dim(std::size_t n) {
  return static_cast<dnnl::memory::dim>(n);
}

// What a thread needs to run a primitive; grows to its largest use.
struct OnednnLane {
  dnnl::stream stream{onednn_cpu()};
  AlignedBuffer<std::byte> scratchpad;
  AlignedBuffer<float> sums;  // 32-bit numbers: int32 for int8

  static OnednnLane& here() {
    thread_local OnednnLane lane;
    return lane;
  }
};

// Its own exceptions do not leave the library.
[[noreturn]] void refuse_onednn(const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
  throw UnsupportedError(
      std::string("oneDNN cannot run this layer: ") + error.what(),
      {.field = "engine", .expected = "auto, packed or eigen", .actual = "onednn"});
}

class OnednnLinear final : public ProductLinear {
 public:
  OnednnLinear(const kernels::Product& product, const LinearSource& source, const ThreadPool& pool)
      : ProductLinear(product, source),
        types_(onednn_types_of(product.precision)),
        slice_panels_(std::min(panel_count(), kOnednnSliceFeatures / product.panel_width)),
        slices_((panel_count() + slice_panels_ - 1) / slice_panels_),
        packed_(packed_layout()) {
    slice_bytes_ = (packed_.get_size() + 63) / 64 * 64;
    weights_ = AlignedBuffer<std::byte>(slices_ * slice_bytes_);
    pool.parallel_for(slices_, [&](std::size_t slice, std::size_t) { pack_slice(source, slice); });
  }

  // Rows with gaps between them go to oneDNN's slow reference code.
  std::size_t input_stride() const noexcept override { return in_features(); }

  void multiply(const Prepared& x, Rows y, const Epilogue& epilogue,
                const ThreadPool& pool) const override {
    const kernels::Gemm whole = gemm(x, y, epilogue);
    const std::size_t tiles = (x.count + kOnednnTileRows - 1) / kOnednnTileRows;
    const auto multiply_tile = [&](std::size_t task, std::size_t) {
      const std::size_t slice = task / tiles, tile = task % tiles;
      const std::size_t first = x.count * tile / tiles, last = x.count * (tile + 1) / tiles;
      kernels::Gemm part = whole;
      part.first_panel = slice * slice_panels_;
      part.last_panel = std::min(panel_count(), part.first_panel + slice_panels_);
      const OneOmpThread one_thread;
      OnednnLane& lane = OnednnLane::here();
      add_up(x, first, last - first, slice, lane);
      product().finish(part, lane.sums.data(), slice_features(), first, last - first);
    };
    try {
      pool.parallel_for(slices_ * tiles, multiply_tile);
    } catch (const dnnl::error& error) {
      refuse_onednn(error);
    }
  }

 private:
  std::size_t weight_bytes() const noexcept override { return heap_bytes(weights_); }

  // A product of so many rows with a slice. Slices are of one shape and share it.
  struct Tile {
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
  };

  std::size_t in_numbers() const { return groups() * product().group_numbers; }
  std::size_t slice_features() const { return slice_panels_ * product().panel_width; }

  dnnl::memory::desc matrix(std::size_t rows, std::size_t columns, std::size_t stride,
                            OnednnType type) const {
    return {
        {onednn_dim(rows), onednn_dim(columns)}, type, dnnl::memory::dims{onednn_dim(stride), 1}};
  }

  dnnl::matmul::primitive_desc describe(std::size_t rows, std::size_t x_stride,
                                        const dnnl::memory::desc& weights) const {
    dnnl::primitive_attr attributes;
    // A scratchpad of oneDNN's own would be one for all threads.
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return {{matrix(rows, in_numbers(), x_stride, types_.x), weights,
             matrix(rows, slice_features(), slice_features(), types_.sums)},
            attributes,
            onednn_cpu()};
  }

  // The layout of the weights that oneDNN likes best for a whole tile. It serves lower ones too.
  dnnl::memory::desc packed_layout() const {
    const OneOmpThread one_thread;
    return describe(kOnednnTileRows, in_numbers(),
                    {{onednn_dim(in_numbers()), onednn_dim(slice_features())},
                     types_.weights,
                     OnednnLayout::any})
        .weights_desc();
  }

  const Tile& tile_of(std::size_t rows, std::size_t x_stride) const {
    const std::pair key{rows, x_stride};
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = tiles_.find(key); found != tiles_.end()) return found->second;
    }
    dnnl::matmul::primitive_desc description = describe(rows, x_stride, packed_);
    dnnl::matmul primitive(description);
    const std::unique_lock lock(mutex_);
    return tiles_.try_emplace(key, Tile{std::move(description), std::move(primitive)})
        .first->second;
  }

  // lane.sums = rows [first, first + count) of x · the slice's Wᵀ.
  void add_up(const Prepared& x, std::size_t first, std::size_t count, std::size_t slice,
              OnednnLane& lane) const {
    const Tile& tile = tile_of(count, x.stride * product().group_numbers);
    lane.sums.reserve_discard(count * slice_features());
    lane.scratchpad.reserve_discard(tile.description.scratchpad_desc().get_size());
    const auto memory = [](const dnnl::memory::desc& layout, const void* data) {
      return dnnl::memory(layout, onednn_cpu(), const_cast<void*>(data));
    };
    const auto* const rows = static_cast<const float*>(x.data) + first * x.stride;
    tile.primitive.execute(
        lane.stream, {{DNNL_ARG_SRC, memory(tile.description.src_desc(), rows)},
                      {DNNL_ARG_WEIGHTS, memory(packed_, weights_.data() + slice * slice_bytes_)},
                      {DNNL_ARG_DST, memory(tile.description.dst_desc(), lane.sums.data())},
                      {DNNL_ARG_SCRATCHPAD,
                       memory(tile.description.scratchpad_desc(), lane.scratchpad.data())}});
    lane.stream.wait();
  }

  // Panels [group, panel_width] of 32-bit groups become the columns of one plain matrix.
  template <class Number>
  void spread(const std::byte* panel, std::size_t first_column, std::byte* plain) const {
    const auto* from = reinterpret_cast<const Number*>(panel);
    auto* const to = reinterpret_cast<Number*>(plain);
    const std::size_t in_group = product().group_numbers, width = product().panel_width;
    for (std::size_t group = 0; group < groups(); ++group)
      for (std::size_t column = 0; column < width; ++column)
        for (std::size_t i = 0; i < in_group; ++i)
          to[(group * in_group + i) * slice_features() + first_column + column] = *from++;
  }

  void pack_slice(const LinearSource& source, std::size_t slice) {
    const std::size_t width = product().panel_width;
    AlignedBuffer<float> rows(width * in_features());
    AlignedBuffer<std::byte> panel(panel_bytes()), plain(slice_panels_ * panel_bytes());
    std::fill_n(plain.data(), plain.size(), std::byte{0});
    for (std::size_t p = 0; p < slice_panels_ && slice * slice_panels_ + p < panel_count(); ++p) {
      pack_panel(source, slice * slice_panels_ + p, rows.data(), panel.data());
      switch (product().precision) {
        case Precision::f32:
        case Precision::automatic:  // which is none of a product's
          spread<std::uint32_t>(panel.data(), p * width, plain.data());
          break;
        case Precision::bf16:
          spread<std::uint16_t>(panel.data(), p * width, plain.data());
          break;
        case Precision::int8:
          spread<std::uint8_t>(panel.data(), p * width, plain.data());
          break;
      }
    }
    const OneOmpThread one_thread;
    dnnl::memory from(matrix(in_numbers(), slice_features(), slice_features(), types_.weights),
                      onednn_cpu(), plain.data());
    dnnl::memory to(packed_, onednn_cpu(), weights_.data() + slice * slice_bytes_);
    dnnl::stream& stream = OnednnLane::here().stream;
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }

  OnednnTypes types_;
  std::size_t slice_panels_, slices_;
  dnnl::memory::desc packed_;  // of a slice's weights
  std::size_t slice_bytes_ = 0;
  AlignedBuffer<std::byte> weights_;  // [slice]
  mutable std::shared_mutex mutex_;
  mutable std::map<std::pair<std::size_t, std::size_t>, Tile> tiles_;  // by rows and x_stride
};

}  // namespace

bool has_onednn() noexcept {
  return true;
}

std::unique_ptr<const Linear> make_onednn_linear(const kernels::Product& product,
                                                 const LinearSource& source,
                                                 const ThreadPool& pool) {
  try {
    return std::make_unique<OnednnLinear>(product, source, pool);
  } catch (const dnnl::error& error) {
    refuse_onednn(error);
  }
}

}  // namespace klue::detail
