#include <utility>

#include <klue/core/error.hpp>

namespace klue {
namespace {

std::string error_line(std::string_view message, const ErrorContext& context) {
  std::string line;
  if (!context.file.empty()) line.append(context.file).append(": ");
  if (!context.field.empty()) line.append(context.field).append(": ");
  line.append(message);
  const bool expected = !context.expected.empty(), actual = !context.actual.empty();
  if (expected || actual) {
    line.append(" (");
    if (expected) line.append("expected ").append(context.expected);
    if (expected && actual) line.append(", ");
    if (actual) line.append("found ").append(context.actual);
    line.append(")");
  }
  return line;
}

}  // namespace

Error::Error(std::string_view message, ErrorContext context)
    : std::runtime_error(error_line(message, context)), context_(std::move(context)) {}

}  // namespace klue
