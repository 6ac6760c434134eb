#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <klue/core/language.hpp>

/// Models by name, from the cache that Hugging Face's own tools keep, or from the hub itself.
///
///     #include <klue/hub.hpp>
///     #include <klue/klue.hpp>
///
///     auto model = klue::Model::load(klue::hub::fetch("klue/roberta-base"));
///
/// In a library of its own, `klue::hub`: who links only `klue::roberta` gets nothing that knows the
/// network. A name is `organisation/model` or `model`, with `@revision` behind it where another
/// branch, tag or commit than `main` is meant: `klue/roberta-base@refs/pr/1`.
namespace klue::hub {

/// How far a download is. Bytes count for all files of the call, as far as they are known yet.
struct Progress {
  std::string_view file;       ///< in the repository: "model.safetensors"
  std::uint64_t received = 0;  ///< bytes on disk, those of an earlier, interrupted call included
  std::uint64_t total = 0;     ///< bytes there will be
};

/// Where models are looked for; defaults are those of huggingface_hub.
struct Options {
  /// Where the models are kept, one folder models--organisation--name each, laid out as
  /// huggingface_hub does it and shared with it.
  std::filesystem::path cache{};
  std::string endpoint = "https://huggingface.co";  ///< the hub, or a mirror of it
  std::string token{};   ///< sent to the endpoint and to no other host; empty: none
  bool offline = false;  ///< only the cache, never the network
  /// Longest wait for a connection, and longest time with less than 1 kB a second within one.
  std::chrono::seconds timeout{10};
  /// Called in the thread that called `fetch`, a few times a second at most while bytes arrive. An
  /// exception from it ends the download, which a later call takes up again, and reaches the
  /// caller.
  std::function<void(const Progress&)> progress{};

  /// The defaults, changed by the variables that huggingface_hub reads: HF_HUB_CACHE (or the old
  /// HUGGINGFACE_HUB_CACHE, or HF_HOME/hub, or XDG_CACHE_HOME/huggingface/hub, or
  /// ~/.cache/huggingface/hub), HF_ENDPOINT, HF_TOKEN (or the file HF_TOKEN_PATH, or
  /// HF_HOME/token), HF_HUB_OFFLINE (1, ON, YES, TRUE) and HF_HUB_DOWNLOAD_TIMEOUT (seconds).
  /// Throws UsageError for a timeout that is no number, and where not even HOME says where the
  /// cache is.
  KLUE_EXPORT static Options from_environment();
};

/// Whether a text could be the name of a model, with or without a revision. Asks nobody: a
/// directory may have such a name, too.
KLUE_EXPORT bool is_name(std::string_view text);

/// The cached snapshot of a model, a directory for `Model::load`, where everything that loading it
/// takes is there; else nothing. Asks no network. Throws UsageError for what is no name.
KLUE_EXPORT std::optional<std::filesystem::path> find_cached(
    std::string_view name, const Options& options = Options::from_environment());

/// The snapshot of a model, a directory for `Model::load`. What is cached completely is used as it
/// is, without asking the network, even where the hub has a newer commit by now; remove the model's
/// refs/main, or name the commit, to get that. Otherwise the files that `Model::load` reads are
/// downloaded: configuration, tokenizer, modules, and the weights in one format. Their sizes and
/// hashes are verified, and what was interrupted is continued. Processes may call this at once.
///
/// Only where a cache that another program made does not tell whether the repository has a
/// modules.json, which decides how vectors are pooled, is the hub asked although all else is there;
/// where it cannot be reached, the cache is used as it is.
///
/// Throws UsageError for what is no name and for an option that cannot be; IoError where the hub
/// cannot be reached, refuses, or has no such model or revision, where the model is not cached and
/// `offline` is set, and where the cache cannot be written or has no room left; FormatError for an
/// answer that makes no sense or a file that is not what the hub promised; UnsupportedError for a
/// model without weights that this library reads, and where something has to be downloaded by a
/// library that was built without libcurl.
KLUE_EXPORT std::filesystem::path fetch(std::string_view name,
                                        const Options& options = Options::from_environment());

}  // namespace klue::hub
