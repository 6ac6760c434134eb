#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <klue/checkpoint/detail/layout.hpp>
#include <klue/checkpoint/detail/pickle.hpp>
#include <klue/core/error.hpp>

namespace klue::detail {

enum class Unpickler::Function : std::int64_t {
  ordered_dict,
  rebuild_tensor,
  rebuild_parameter,
  storage_type  // + the DType
};

namespace {

using Value = Unpickler::Value;
using ValueKind = Unpickler::Kind;

constexpr int kNewestProtocol = 5;

struct StorageType {
  std::string_view name;
  DType dtype;
};
constexpr std::array kStorageTypes{
    StorageType{"DoubleStorage", DType::f64}, StorageType{"FloatStorage", DType::f32},
    StorageType{"HalfStorage", DType::f16},   StorageType{"BFloat16Storage", DType::bf16},
    StorageType{"LongStorage", DType::i64},   StorageType{"IntStorage", DType::i32},
    StorageType{"ShortStorage", DType::i16},  StorageType{"CharStorage", DType::i8},
    StorageType{"ByteStorage", DType::u8},    StorageType{"BoolStorage", DType::boolean},
};

}  // namespace

Unpickler::Unpickler(const std::filesystem::path& file, std::span<const std::byte> bytes,
                     std::size_t file_size)
    : file_(file), bytes_(bytes), reader_(file, "the pickle", bytes), budget_(file_size) {}

Value Unpickler::load() {
  constexpr std::uint8_t kStop = '.';
  stack_.clear();
  memo_.clear();
  for (auto opcode = reader_.number<std::uint8_t>(); opcode != kStop;
       opcode = reader_.number<std::uint8_t>())
    if (!step(opcode))
      throw UnsupportedError("the pickle does something that weights do not need",
                             {.file = file_.string(),
                              .actual = "opcode " + std::to_string(opcode) + " at byte " +
                                        std::to_string(reader_.position() - 1)});
  const Value result = pop();
  if (!stack_.empty()) fail("leaves objects behind");
  return result;
}

bool Unpickler::step(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      if (reader_.number<std::uint8_t>() > kNewestProtocol)
        throw UnsupportedError("the pickle is of a newer protocol", {.file = file_.string()});
      return true;
    case 0x95:  // FRAME: only a hint for those who read from a stream
      reader_.take(8);
      return true;
    case '0':  // POP
      pop();
      return true;
    case '1':  // POP_MARK
      stack_.resize(above_mark().keep);
      return true;
    case '2':  // DUP
      push(top());
      return true;
    default:
      return step_number(opcode) || step_string(opcode) || step_container(opcode) ||
             step_memo(opcode) || step_object(opcode);
  }
}

bool Unpickler::step_number(std::uint8_t opcode) {
  switch (opcode) {
    case 'N':
      push({ValueKind::none});
      return true;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      push({ValueKind::boolean, 0, opcode == 0x88});
      return true;
    case 'J':
      push({ValueKind::integer, 0, reader_.number<std::int32_t>()});
      return true;
    case 'K':
      push({ValueKind::integer, 0, reader_.number<std::uint8_t>()});
      return true;
    case 'M':
      push({ValueKind::integer, 0, reader_.number<std::uint16_t>()});
      return true;
    case 'G':  // BINFLOAT
      reader_.take(8);
      push({ValueKind::other_number});
      return true;
    case 0x8a:  // LONG1
      push_long(reader_.number<std::uint8_t>());
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_string(std::uint8_t opcode) {
  switch (opcode) {
    case 'X':  // BINUNICODE
    case 'T':  // BINSTRING, of Python 2
    case 'B':  // BINBYTES
      push_string(reader_.number<std::uint32_t>());
      return true;
    case 0x8c:  // SHORT_BINUNICODE
    case 'U':   // SHORT_BINSTRING
    case 'C':   // SHORT_BINBYTES
      push_string(reader_.number<std::uint8_t>());
      return true;
    case 0x8d:  // BINUNICODE8
    case 0x8e:  // BINBYTES8
      push_string(reader_.number<std::uint64_t>());
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case '(':
      push({ValueKind::mark});
      return true;
    case ')':
      push_tuple(topmost(0));
      return true;
    case 't':
      push_tuple(above_mark());
      return true;
    case 0x85:  // TUPLE1
    case 0x86:
    case 0x87:
      push_tuple(topmost(opcode - 0x84u));
      return true;
    case ']':
      push(make_container(ValueKind::list));
      return true;
    case '}':
      push(make_container(ValueKind::dict));
      return true;
    case 'a':  // APPEND
      extend(ValueKind::list, topmost(1));
      return true;
    case 'e':  // APPENDS
      extend(ValueKind::list, above_mark());
      return true;
    case 's':  // SETITEM
      extend(ValueKind::dict, topmost(2));
      return true;
    case 'u':  // SETITEMS
      extend(ValueKind::dict, above_mark());
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_memo(std::uint8_t opcode) {
  switch (opcode) {
    case 'q':  // BINPUT
      memoize(reader_.number<std::uint8_t>());
      return true;
    case 'r':  // LONG_BINPUT
      memoize(reader_.number<std::uint32_t>());
      return true;
    case 0x94:  // MEMOIZE
      memoize(memo_.size());
      return true;
    case 'h':  // BINGET
      recall(reader_.number<std::uint8_t>());
      return true;
    case 'j':  // LONG_BINGET
      recall(reader_.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool Unpickler::step_object(std::uint8_t opcode) {
  switch (opcode) {
    case 'c':    // GLOBAL
    case 'i': {  // INST, which would also call what it names
      const std::string_view module = reader_.line();
      push_function(module, reader_.line());
      return opcode == 'c';
    }
    case 0x93: {  // STACK_GLOBAL
      const Value name = pop();
      push_function(string(pop()), string(name));
      return true;
    }
    case 'R':  // REDUCE
      call();
      return true;
    case 'b':  // BUILD: attributes of a dictionary, "_metadata" of a state dict
      pop();
      if (top().kind != ValueKind::dict) fail("sets the state of something that has none");
      return true;
    case 'Q':  // BINPERSID
      load_storage();
      return true;
    default:
      return false;
  }
}

void Unpickler::push(Value value) {
  if (stack_.size() == stack_.capacity()) spend((stack_.capacity() + 1) * sizeof(Value));
  stack_.push_back(value);
}

Value Unpickler::pop() {
  const Value value = top();
  stack_.pop_back();
  return value;
}

const Value& Unpickler::top() const {
  if (stack_.empty() || stack_.back().kind == ValueKind::mark)
    fail("takes an object that is not there");
  return stack_.back();
}

Unpickler::Items Unpickler::above_mark() const {
  for (std::size_t i = stack_.size(); i-- > 0;)
    if (stack_[i].kind == ValueKind::mark) return {i, i + 1};
  fail("closes what it never opened");
}

Unpickler::Items Unpickler::topmost(std::size_t count) const {
  if (stack_.size() < count) fail("takes an object that is not there");
  const std::size_t begin = stack_.size() - count;
  for (std::size_t i = begin; i < stack_.size(); ++i)
    if (stack_[i].kind == ValueKind::mark) fail("takes an object that is not there");
  return {begin, begin};
}

void Unpickler::push_string(std::uint64_t size) {
  const std::size_t offset = reader_.position();
  if (reader_.take(size).size() > std::numeric_limits<std::uint32_t>::max())
    fail("has a string of more than 4 GiB");
  push({ValueKind::string, static_cast<std::uint32_t>(size), static_cast<std::int64_t>(offset)});
}

void Unpickler::push_long(std::size_t size) {
  const auto digits = reader_.take(size);  // two's complement, little-endian
  if (size > sizeof(std::int64_t)) return push({ValueKind::other_number});
  const bool negative = size > 0 && (digits.back() & std::byte{0x80}) != std::byte{};
  std::int64_t value = negative ? -1 : 0;
  std::memcpy(&value, digits.data(), size);
  push({ValueKind::integer, 0, value});
}

void Unpickler::push_tuple(Items items) {
  const std::size_t size = stack_.size() - items.begin, offset = tuple_items_.size();
  if (size > std::numeric_limits<std::uint32_t>::max()) fail("has a tuple that is too long");
  spend(2 * size * sizeof(Value));
  tuple_items_.insert(tuple_items_.end(), stack_.end() - static_cast<std::ptrdiff_t>(size),
                      stack_.end());
  stack_.resize(items.keep);
  push({ValueKind::tuple, static_cast<std::uint32_t>(size), static_cast<std::int64_t>(offset)});
}

Value Unpickler::make_container(Kind kind) {
  spend(2 * sizeof containers_.front());
  containers_.emplace_back();
  return {kind, 0, std::ssize(containers_) - 1};
}

/// Moves items to the end of the list or dictionary below them.
void Unpickler::extend(Kind kind, Items items) {
  if (items.keep == 0 || stack_[items.keep - 1].kind != kind)
    fail("fills something that is no list or dictionary");
  const std::size_t size = stack_.size() - items.begin;
  if (kind == ValueKind::dict && size % 2 != 0) fail("has a key without a value");
  spend(2 * size * sizeof(Value));
  auto& container = containers_[static_cast<std::size_t>(stack_[items.keep - 1].number)];
  container.insert(container.end(), stack_.end() - static_cast<std::ptrdiff_t>(size), stack_.end());
  stack_.resize(items.keep);
}

void Unpickler::memoize(std::uint64_t index) {
  constexpr std::size_t kMemoNode = 64;  // with its share of the table
  if (index > std::numeric_limits<std::uint32_t>::max()) fail("remembers too many objects");
  const Value value = top();
  if (memo_.insert_or_assign(static_cast<std::uint32_t>(index), value).second) spend(kMemoNode);
}

void Unpickler::recall(std::uint64_t index) {
  const auto found = memo_.find(static_cast<std::uint32_t>(index));
  if (found == memo_.end()) fail("recalls an object that it never remembered");
  push(found->second);
}

void Unpickler::push_function(std::string_view module, std::string_view name) {
  const auto push_known = [&](Function function, DType dtype = {}) {
    push({ValueKind::function, 0,
          static_cast<std::int64_t>(function) + static_cast<std::int64_t>(dtype)});
  };
  if (module == "collections" && name == "OrderedDict") return push_known(Function::ordered_dict);
  if (module == "torch._utils") {
    if (name == "_rebuild_tensor" || name == "_rebuild_tensor_v2")
      return push_known(Function::rebuild_tensor);
    if (name == "_rebuild_parameter") return push_known(Function::rebuild_parameter);
  }
  if (module == "torch" || module == "torch.cuda")
    for (const StorageType& type : kStorageTypes)
      if (type.name == name) return push_known(Function::storage_type, type.dtype);
  throw UnsupportedError(
      "the pickle names something that plain weights do not need; it was not run",
      {.file = file_.string(), .actual = std::string(module).append(".").append(name)});
}

void Unpickler::call() {
  const Value arguments = pop(), function = require(ValueKind::function, pop());
  switch (static_cast<Function>(function.number)) {
    case Function::ordered_dict:
      return push(ordered_dict(tuple(arguments)));
    case Function::rebuild_tensor:
      return push(rebuild_tensor(tuple(arguments)));
    case Function::rebuild_parameter:
      if (arguments.size == 0) fail("rebuilds a parameter from nothing");
      return push(require(ValueKind::tensor, tuple(arguments).front()));
    case Function::storage_type:
      break;
  }
  fail("makes a storage of its own");
}

/// OrderedDict() or, from Python 2, OrderedDict([[key, value], …]).
Value Unpickler::ordered_dict(std::span<const Value> arguments) {
  const Value result = make_container(ValueKind::dict);
  if (arguments.empty()) return result;
  const std::size_t pairs = list(arguments.front()).size();
  spend(4 * pairs * sizeof(Value));
  for (std::size_t i = 0; i < pairs; ++i) {
    const Value pair = list(arguments.front())[i];
    const std::span<const Value> items = pair.kind == ValueKind::tuple ? tuple(pair) : list(pair);
    if (items.size() != 2) fail("has a dictionary entry that is no pair");
    auto& container = containers_[static_cast<std::size_t>(result.number)];
    container.insert(container.end(), items.begin(), items.end());
  }
  return result;
}

/// (storage, offset, shape, strides, …); the rest concerns training.
Value Unpickler::rebuild_tensor(std::span<const Value> arguments) {
  if (arguments.size() < 4) fail("rebuilds a tensor from too little");
  const Value& storage = require(ValueKind::storage, arguments[0]);
  PickledTensor tensor{.storage = storages_[static_cast<std::size_t>(storage.number)],
                       .offset = integer(arguments[1]),
                       .shape = integers(arguments[2]),
                       .strides = integers(arguments[3])};
  spend(2 * sizeof tensor + 16 * tensor.shape.size() + 16 * tensor.strides.size());
  tensors_.push_back(std::move(tensor));
  return {ValueKind::tensor, 0, std::ssize(tensors_) - 1};
}

/// ("storage", type, key, location, elements[, view]), the view being None or (key, offset, size).
void Unpickler::load_storage() {
  const std::span<const Value> id = tuple(pop());
  if (id.empty() || string(id.front()) != "storage")
    throw UnsupportedError("the pickle holds a whole model object; save its state_dict() instead",
                           {.file = file_.string()});
  if (id.size() != 5 && id.size() != 6) fail("describes a storage in an unknown way");
  const std::int64_t dtype = require(ValueKind::function, id[1]).number -
                             static_cast<std::int64_t>(Function::storage_type);
  if (dtype < 0) fail("describes a storage without its type");
  PickledStorage storage{static_cast<DType>(dtype), string(id[2]), integer(id[4]), 0};
  if (id.size() == 6 && id[5].kind != ValueKind::none) {
    const std::span<const Value> view = tuple(id[5]);
    if (view.size() != 3) fail("describes a view of a storage in an unknown way");
    storage.offset = integer(view[1]);
  }
  spend(2 * sizeof storage);
  storages_.push_back(storage);
  push({ValueKind::storage, 0, std::ssize(storages_) - 1});
}

const Value& Unpickler::require(Kind kind, const Value& value) const {
  if (value.kind != kind) fail("uses an object of the wrong kind");
  return value;
}

std::string_view Unpickler::string(const Value& value) const {
  require(ValueKind::string, value);
  return as_text(bytes_.subspan(static_cast<std::size_t>(value.number), value.size));
}

std::span<const Value> Unpickler::tuple(const Value& value) const {
  require(ValueKind::tuple, value);
  return std::span(tuple_items_).subspan(static_cast<std::size_t>(value.number), value.size);
}

const std::vector<Value>& Unpickler::list(const Value& value) const {
  return containers_[static_cast<std::size_t>(require(ValueKind::list, value).number)];
}

const std::vector<Value>& Unpickler::dict(const Value& value) const {
  return containers_[static_cast<std::size_t>(require(ValueKind::dict, value).number)];
}

const PickledTensor& Unpickler::tensor(const Value& value) const {
  return tensors_[static_cast<std::size_t>(require(ValueKind::tensor, value).number)];
}

std::int64_t Unpickler::integer(const Value& value) const {
  return require(ValueKind::integer, value).number;
}

std::vector<std::int64_t> Unpickler::integers(const Value& value) const {
  const std::span<const Value> items = tuple(value);
  if (items.size() > kMaxRank) fail("has a tensor of too many dimensions");
  std::vector<std::int64_t> numbers;
  for (const Value& item : items)
    numbers.push_back(integer(item));
  return numbers;
}

void Unpickler::spend(std::size_t bytes) {
  if (!budget_.spend(bytes)) fail("is too large for what it holds");
}

void Unpickler::fail(const char* problem) const {
  reader_.fail(problem, {}, "at byte " + std::to_string(reader_.position()));
}

}  // namespace klue::detail
