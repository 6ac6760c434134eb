#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <klue/core/detail/json.hpp>

namespace klue::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

JsonNode parse(std::string_view text) {
  return parse_json(text, "file.json");
}

template <class Call>
void expect_wrong(Call call, const std::string& field, const std::string& expected,
                  const std::string& actual) {
  try {
    call();
    ADD_FAILURE() << "no error for " << field;
  } catch (const FormatError& error) {
    EXPECT_EQ(error.file(), "file.json");
    EXPECT_EQ(error.field(), field);
    EXPECT_EQ(error.expected(), expected);
    EXPECT_EQ(error.actual(), actual);
  }
}

TEST(Json, GivesValuesByTheirType) {
  const JsonNode root = parse(R"({"a":"글\n","b":true,"c":7,"d":-3,"e":2.5,"f":[1,2],"g":null})");
  EXPECT_EQ(root.at("a").string(), "글\n");
  EXPECT_TRUE(root.at("b").boolean());
  EXPECT_EQ(root.at("c").integer(0, 7), 7u);
  EXPECT_EQ(root.at("d").number(), -3.0);
  EXPECT_EQ(root.at("e").number(), 2.5);
  EXPECT_EQ(root.at("f").size(), 2u);
  EXPECT_FALSE(root.find("g"));
  EXPECT_FALSE(root.find("h"));
  EXPECT_EQ(root.size(), 7u);
  EXPECT_EQ(root.boolean_or("b", false), true);
  EXPECT_EQ(root.boolean_or("none", true), true);
  EXPECT_EQ(root.string_or("none", "other"), "other");
  EXPECT_EQ(parse("18446744073709551615").natural(), 18446744073709551615u);
  EXPECT_EQ(parse("-1").natural(), std::nullopt);
  EXPECT_EQ(parse("1.0").natural(), std::nullopt);
}

TEST(Json, SaysWhereAWrongValueIs) {
  const JsonNode root = parse(R"({"a":{"list":[0,{"id":2.0}]},"b":"x"})");
  const JsonNode id = (*++root.at("a").at("list").elements().begin()).at("id");
  expect_wrong([&] { id.integer(0, 9); }, "a.list[1].id", "a whole number from 0 to 9", "2.0");
  expect_wrong([&] { root.at("b").boolean(); }, "b", "true or false", "\"x\"");
  expect_wrong([&] { root.at("a").string(); }, "a", "a string", "an object");
  expect_wrong([&] { root.at("a").at("none"); }, "a.none", "", "");
  expect_wrong([&] { root.string(); }, "", "a string", "an object");
  expect_wrong([&] { parse("1e400"); }, "", "", "an error at byte 5");
  expect_wrong([&] { parse("{\"a\":}"); }, "", "", "an error at byte 6");
}

TEST(Json, CutsLongValuesBetweenCharacters) {
  std::string text = "\"";
  for (int i = 0; i < 100; ++i)
    text += "글";
  const std::string shown = parse(text + "\"").shown();
  EXPECT_LT(shown.size(), 90u);
  EXPECT_THAT(shown, testing::EndsWith("글...\""));
}

TEST(Json, TakesTheLastOfTwoMembersOfOneName) {
  const JsonNode root = parse(R"({"a":1,"b":{"x":1},"a":{"y":2},"c":3})");
  EXPECT_EQ(root.size(), 3u);
  EXPECT_TRUE(root.at("a").is_object());
  std::vector<std::string> keys;
  for (const JsonMember& member : root.members())
    keys.emplace_back(member.key);
  EXPECT_THAT(keys, ElementsAre("b", "a", "c"));
}

TEST(Json, FindsMembersOfLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i)
    text += "\"k" + std::to_string(i * 7919 % 5000) + "\":[" + std::to_string(i) + "],";
  const JsonNode root = parse(text + "\"k0\":\"last\"}");
  EXPECT_EQ(root.size(), 5000u);
  EXPECT_EQ(root.at("k0").string(), "last");
  for (int i = 1; i < 5000; ++i)
    EXPECT_TRUE(root.at("k" + std::to_string(i)).is_array());
  EXPECT_FALSE(root.find("k5000"));
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\" 1}", "NaN", "nul", "\"\xff\"", "[1] 2",
                           "{'a':1}", "\"\\ud800\"", "01", "[1", ",,,,,,,,"})
    EXPECT_THROW(parse(text), FormatError) << text;
  EXPECT_NO_THROW(parse("\xEF\xBB\xBF{}"));
}

TEST(Json, BoundsNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse(nested(JsonDocument::kMostDepth)));
  EXPECT_THROW(parse(nested(JsonDocument::kMostDepth + 1)), FormatError);
  EXPECT_THROW(parse(std::string(10'000'000, '[')), FormatError);
}

/// The oracle.
void expect_equal(const JsonNode& node, const nlohmann::json& value) {
  if (value.is_object()) {
    ASSERT_TRUE(node.is_object());
    ASSERT_EQ(node.size(), value.size());
    for (const JsonMember& member : node.members()) {
      ASSERT_TRUE(value.contains(std::string(member.key)));
      expect_equal(member.value, value[std::string(member.key)]);
      if (const auto found = node.find(member.key)) expect_equal(*found, value[member.key]);
    }
  } else if (value.is_array()) {
    ASSERT_EQ(node.size(), value.size());
    std::size_t i = 0;
    for (const JsonNode& element : node.elements())
      expect_equal(element, value[i++]);
    EXPECT_EQ(i, value.size());
  } else if (value.is_string()) {
    EXPECT_EQ(node.string(), value.get<std::string>());
  } else if (value.is_boolean()) {
    EXPECT_EQ(node.boolean(), value.get<bool>());
  } else if (value.is_number()) {
    EXPECT_EQ(node.number(), value.get<double>());
  } else {
    EXPECT_TRUE(node.is_null());
  }
}

std::string random_json(std::mt19937& random, int depth) {
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const unsigned kind = depth > 4 ? pick(5) : pick(8);
  if (kind == 0) return pick(2) == 0 ? "true" : "null";
  if (kind == 1) return std::to_string(random());
  if (kind == 2) return "-" + std::to_string(random());
  if (kind == 3) return std::to_string(pick(1000)) + ".25e" + std::to_string(pick(9));
  if (kind == 4) return pick(2) == 0 ? "\"\\u00e9\\\"]\"" : "\"글" + std::to_string(pick(9)) + "\"";
  const bool object = kind > 5;
  std::string text(1, object ? '{' : '[');
  for (unsigned i = 0, n = pick(pick(9) == 0 ? 60 : 5); i < n; ++i) {
    if (i > 0) text += ", ";
    if (object) text += "\"" + std::to_string(pick(40)) + "\":";
    text += random_json(random, depth + 1);
  }
  return text + (object ? "}" : "]");
}

TEST(Json, AgreesWithALibraryOnRandomTexts) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string text = random_json(random, 0);
    expect_equal(parse(text), nlohmann::json::parse(text));
    if (HasFailure()) FAIL() << text;
    text[random() % text.size()] = static_cast<char>(" {}[],:\"\\0x"[random() % 11]);
    const nlohmann::json damaged = nlohmann::json::parse(text, nullptr, false);
    if (damaged.is_discarded())
      EXPECT_THROW(parse(text), FormatError) << text;
    else
      expect_equal(parse(text), damaged);
  }
}

}  // namespace
}  // namespace klue::detail
