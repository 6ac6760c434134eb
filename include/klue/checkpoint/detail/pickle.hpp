#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <klue/checkpoint/checkpoint.hpp>
#include <klue/checkpoint/detail/byte_reader.hpp>
#include <klue/checkpoint/detail/memory_budget.hpp>

namespace klue::detail {

/// The block of numbers that PyTorch tensors are windows on; several tensors may share one.
struct PickledStorage {
  DType dtype;
  std::string_view key;   ///< names its bytes in the archive
  std::int64_t elements;  ///< of the whole storage
  std::int64_t offset;    ///< where the view begins, for files of very old versions; else 0
};

/// A tensor as torch.save describes it; nothing here has been checked against the storage.
struct PickledTensor {
  PickledStorage storage;
  std::int64_t offset;  ///< in elements, as the strides
  std::vector<std::int64_t> shape, strides;
};

/// Interprets Python pickles, but can make nothing out of them except numbers, strings, tuples,
/// lists, dictionaries and descriptions of tensors. A pickle is a program that may name any
/// function and call it; here the few functions that torch.save uses are known by name and
/// imitated, any other is refused by name at once, and nothing is ever called.
///
/// Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py. Without recursion;
/// memory is bounded by the size of the file. The values are valid as long as this and `bytes` are.
class Unpickler {
 public:
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    other_number,  ///< a float, or an integer of more than 64 bits: never needed here
    string,
    tuple,
    list,
    dict,
    function,
    storage,
    tensor,
    mark
  };

  /// One Python object. What does not fit in 16 bytes is kept by the unpickler.
  struct Value {
    Kind kind = Kind::none;
    std::uint32_t size = 0;   ///< of strings and tuples
    std::int64_t number = 0;  ///< the integer, or where the object's content is kept
  };

  Unpickler(const std::filesystem::path& file, std::span<const std::byte> bytes,
            std::size_t file_size);

  /// Interprets up to the end of the next pickle and gives its object.
  Value load();

  /// Bytes read so far.
  std::size_t position() const noexcept { return reader_.position(); }

  std::string_view string(const Value& value) const;
  std::span<const Value> tuple(const Value& value) const;
  const std::vector<Value>& list(const Value& value) const;
  /// Keys and values in turn, in the order they were set.
  const std::vector<Value>& dict(const Value& value) const;
  const PickledTensor& tensor(const Value& value) const;

  /// All that were mentioned so far, each as often as it was.
  const std::vector<PickledStorage>& storages() const noexcept { return storages_; }

  /// Takes memory for what is made of the values. Throws FormatError where the pickle describes
  /// more than a file of its size can hold.
  void spend(std::size_t bytes);

 private:
  enum class Function : std::int64_t;

  /// The topmost objects of the stack, and how many objects stay below when they are taken.
  struct Items {
    std::size_t keep, begin;
  };

  bool step(std::uint8_t opcode);
  bool step_number(std::uint8_t opcode);
  bool step_string(std::uint8_t opcode);
  bool step_container(std::uint8_t opcode);
  bool step_memo(std::uint8_t opcode);
  bool step_object(std::uint8_t opcode);

  void push(Value value);
  Value pop();
  const Value& top() const;
  Items above_mark() const;
  Items topmost(std::size_t count) const;
  void push_string(std::uint64_t size);
  void push_long(std::size_t size);
  void push_tuple(Items items);
  Value make_container(Kind kind);
  void extend(Kind kind, Items items);
  void memoize(std::uint64_t index);
  void recall(std::uint64_t index);
  void push_function(std::string_view module, std::string_view name);
  void call();
  Value ordered_dict(std::span<const Value> arguments);
  Value rebuild_tensor(std::span<const Value> arguments);
  void load_storage();
  const Value& require(Kind kind, const Value& value) const;
  std::int64_t integer(const Value& value) const;
  std::vector<std::int64_t> integers(const Value& value) const;

  [[noreturn]] void fail(const char* problem) const;

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
  ByteReader reader_;
  MemoryBudget budget_;
  std::vector<Value> stack_;
  std::vector<Value> tuple_items_;
  std::vector<std::vector<Value>> containers_;  // lists and dictionaries
  std::vector<PickledStorage> storages_;
  std::deque<PickledTensor> tensors_;  // which callers refer to
  std::unordered_map<std::uint32_t, Value> memo_;
};

}  // namespace klue::detail
