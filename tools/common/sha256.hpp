#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace tools {

/// SHA-256 of bytes that come in parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);

  /// Of what was added so far, in hexadecimal, as sha256sum prints it; more may be added.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of a whole file. Throws klue::IoError.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace tools
