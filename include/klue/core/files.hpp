#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/language.hpp>

namespace klue {

/// The content of a file that is in memory.
struct FileBytes {
  std::span<const std::byte> bytes{};  ///< all of it
  /// What the bytes belong to: a model keeps it as long as it reads them. Empty: they outlive every
  /// model that is made of them.
  std::shared_ptr<const void> owner{};
};

/// A model directory that is not on a disk: name → bytes. For models that a program carries inside
/// itself, that lie in an archive of its own or have to be decrypted first.
///
///     struct Vault : klue::Files {
///       std::optional<klue::FileBytes> find(std::string_view name) const override {
///         const Entry* entry = index.lookup(name);
///         if (entry == nullptr) return std::nullopt;
///         auto text = std::make_shared<const std::vector<std::byte>>(decrypt(*entry));
///         return klue::FileBytes{*text, text};
///       }
///     };
///     auto model = klue::Model::load(Vault(…));
class KLUE_EXPORT Files {
 public:
  virtual ~Files();

  /// The file of that name, nothing where there is none. Names are those of a model directory, with
  /// "/" between folders: "config.json", "1_Pooling/config.json". A load asks on the thread that
  /// called it, and at most once for each name. What this throws ends the load.
  virtual std::optional<FileBytes> find(std::string_view name) const = 0;

  /// What errors call the directory: "memory" makes "memory/config.json".
  virtual std::string name() const;

 protected:
  Files() = default;
  Files(const Files&) = default;
  Files& operator=(const Files&) = default;
};

/// Files that are in memory already.
class KLUE_EXPORT MemoryFiles final : public Files {
 public:
  /// Takes the content over. A name that is there is replaced.
  void add(std::string name, std::vector<std::byte> content);
  /// The same for text.
  void add(std::string name, std::string content);

  /// Copies nothing: the bytes must outlive this and every model made of it, as those that a
  /// program is linked with do.
  void add_view(std::string name, std::span<const std::byte> bytes);

  std::optional<FileBytes> find(std::string_view name) const override;

 private:
  std::map<std::string, FileBytes, std::less<>> files_;
};

}  // namespace klue
