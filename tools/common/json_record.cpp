#include "common/json_record.hpp"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace tools {
namespace {

using Json = nlohmann::json;

// Takes up the top-level members that are asked for and lets everything else pass.
class RecordHandler final : public nlohmann::json_sax<Json> {
 public:
  struct Value {
    enum class Kind { absent, null, text, number, other } kind = Kind::absent;
    std::string text{};  // of strings; of numbers as they stand
  };

  RecordHandler(const std::string& text, const std::string& pair, const std::string& id)
      : keys_{&text, &pair, &id} {}

  Value& text() { return values_[0]; }
  Value& pair() { return values_[1]; }
  Value& id() { return values_[2]; }
  bool is_object() const { return is_object_; }
  std::size_t error_position() const { return error_position_; }

  bool null() override { return take(Value::Kind::null, {}); }
  bool boolean(bool value) override { return take(Value::Kind::other, value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override {
    return take(Value::Kind::number, std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) override {
    return take(Value::Kind::number, std::to_string(value));
  }
  bool number_float(double, const std::string& text) override {
    return take(Value::Kind::number, text);
  }
  bool string(std::string& value) override { return take(Value::Kind::text, std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (depth_ == 0) is_object_ = true;
    take(Value::Kind::other, {});
    return ++depth_ < kDeepest;
  }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override {
    take(Value::Kind::other, {});
    return ++depth_ < kDeepest;
  }
  bool end_array() override { return --depth_, true; }
  bool key(std::string& value) override {
    wanted_ = nullptr;
    if (depth_ == 1)
      for (std::size_t i = 0; i < 3; ++i)
        if (!keys_[i]->empty() && value == *keys_[i]) wanted_ = &values_[i];
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    error_position_ = position;
    return false;
  }

 private:
  static constexpr std::size_t kDeepest = 1000;

  bool take(Value::Kind kind, std::string text) {
    if (depth_ == 1 && wanted_ != nullptr)
      *std::exchange(wanted_, nullptr) = {kind, std::move(text)};
    return true;
  }

  const std::string* keys_[3];
  Value values_[3];
  Value* wanted_ = nullptr;
  std::size_t depth_ = 0, error_position_ = 0;
  bool is_object_ = false;
};

class JsonParser final : public RecordParser {
 public:
  explicit JsonParser(const RecordFormat& options)
      : text_(options.field.empty() ? options.usual_text : options.field),
        // A pair is taken unasked only where everything has its usual name.
        pair_(options.field.empty() && options.pair_field.empty() ? options.usual_pair
                                                                  : options.pair_field),
        id_(options.id_field),
        expected_("{\"" + text_ + "\": \"…\"}") {
    if (!pair_.empty()) expected_ += " or {\"" + text_ + "\": \"…\", \"" + pair_ + "\": \"…\"}";
  }

  bool next(LineReader& lines, Record& record) override {
    std::string_view line;
    if (!lines.next(line)) return false;
    try {
      parse(line, record);
    } catch (LineError& error) {
      error.line = lines.line();
      throw;
    }
    return true;
  }

  void parse(std::string_view line, Record& record) const {
    std::string repaired;
    if (!is_utf8(line)) line = repaired = valid_utf8(line);
    RecordHandler handler(text_, pair_, id_);
    const bool whole = Json::sax_parse(line.begin(), line.end(), &handler);
    if (!whole) fail("is no JSON", std::max<std::size_t>(handler.error_position(), 1));
    using Kind = RecordHandler::Value::Kind;
    if (!handler.is_object()) fail("is no JSON object", 1);
    if (handler.text().kind == Kind::absent) fail("has no \"" + text_ + "\" (--field)", 0);
    if (handler.text().kind != Kind::text) fail("\"" + text_ + "\" is no string", 0);
    record.text = std::move(handler.text().text);
    if (handler.pair().kind == Kind::text)
      record.text_pair = std::move(handler.pair().text);
    else if (handler.pair().kind != Kind::absent && handler.pair().kind != Kind::null)
      fail("\"" + pair_ + "\" is no string", 0);
    if (id_.empty()) return;
    record.id_is_number = handler.id().kind == Kind::number;
    if (record.id_is_number || handler.id().kind == Kind::text)
      record.id = std::move(handler.id().text);
    else
      fail("has no \"" + id_ + "\" that is a string or a number", 0);
  }

 private:
  [[noreturn]] void fail(std::string message, std::size_t column) const {
    throw LineError{0, column, std::move(message), expected_};
  }

  std::string text_, pair_, id_, expected_;
};

}  // namespace

std::unique_ptr<RecordParser> make_json_parser(const RecordFormat& options) {
  return std::make_unique<JsonParser>(options);
}

bool is_json_object(std::string_view line) {
  if (!line.starts_with('{') || line.find('"') == line.npos) return false;
  const std::string valid = valid_utf8(line), none;
  RecordHandler handler(none, none, none);
  return Json::sax_parse(valid, &handler);
}

std::string json_string(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tools
