#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"

/// Runs of the built `predict`.
namespace klue::test {

inline Result predict(std::string_view model, std::vector<std::string> arguments,
                      std::string_view input = {}, const char* out = nullptr) {
  arguments.insert(arguments.begin(), {"--model", fixture(model).string()});
  return run(KLUE_PREDICT, arguments, input, out);
}

/// The lines of JSON that it answers lines of JSON with.
inline std::vector<nlohmann::ordered_json> predict_json(std::string_view model,
                                                        const std::string& task,
                                                        std::vector<std::string> arguments,
                                                        const nlohmann::json& lines) {
  arguments.insert(arguments.begin(), {"--task", task, "--input", "-", "--input-format", "jsonl",
                                       "--format", "jsonl"});
  std::string input;
  for (const auto& line : lines)
    input.append(line.dump()).append("\n");
  const Result result = predict(model, std::move(arguments), input);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  std::vector<nlohmann::ordered_json> out;
  for (const std::string& line : lines_of(result.out))
    out.push_back(nlohmann::ordered_json::parse(line));
  EXPECT_EQ(out.size(), lines.size());
  return out;
}

/// The names of an object's members, in their order.
inline std::vector<std::string> keys_of(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items())
    keys.push_back(item.key());
  return keys;
}

}  // namespace klue::test
