#include <utility>

#include <klue/core/files.hpp>

namespace klue {

Files::~Files() = default;

std::string Files::name() const {
  return "memory";
}

void MemoryFiles::add(std::string name, std::vector<std::byte> content) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(content));
  files_[std::move(name)] = {*owner, owner};
}

void MemoryFiles::add(std::string name, std::string content) {
  auto owner = std::make_shared<const std::string>(std::move(content));
  files_[std::move(name)] = {std::as_bytes(std::span(*owner)), owner};
}

void MemoryFiles::add_view(std::string name, std::span<const std::byte> bytes) {
  files_[std::move(name)] = {bytes, nullptr};
}

std::optional<FileBytes> MemoryFiles::find(std::string_view name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace klue
