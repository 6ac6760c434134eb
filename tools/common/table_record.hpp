#pragma once

#include <memory>

#include "common/record_parser.hpp"

namespace tools {

/// Tab-separated lines as they stand, or comma-separated values with quotes (RFC 4180) and a
/// header. A tsv file has a header where a column is named.
std::unique_ptr<RecordParser> make_table_parser(char separator, const RecordFormat& options,
                                                LineReader& lines);

}  // namespace tools
