#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace klue::hub::detail {

/// A repository of the hub and what of it is meant.
struct Name {
  std::string repository;         ///< "klue/roberta-base"
  std::string revision = "main";  ///< branch, tag or commit
};

/// By huggingface_hub's own rules for the repository and git's for the revision; nothing where the
/// text is no name.
std::optional<Name> parse_name(std::string_view text);

/// A full commit hash in lower case.
bool is_commit(std::string_view text);

/// Whether a path from a server stays below the directory it is put into: not absolute, no "..",
/// no empty part and nothing that no file name can hold.
bool is_safe_path(std::string_view path);

/// The same for the name of one file.
bool is_safe_file_name(std::string_view name);

}  // namespace klue::hub::detail
