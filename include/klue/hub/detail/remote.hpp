#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <klue/hub.hpp>
#include <klue/hub/detail/http.hpp>
#include <klue/hub/detail/name.hpp>
#include <klue/hub/detail/needed_files.hpp>

namespace klue::hub::detail {

/// What a revision of a repository is.
struct Listing {
  std::string commit;
  FileList files;
};

/// What the hub says of a file before it is downloaded.
struct FileInfo {
  std::string etag;  ///< its name among the blobs, and in most cases its hash
  std::optional<std::uint64_t> size;
};

/// One repository as the hub serves it: its API and its "resolve" addresses, with the headers that
/// huggingface_hub relies on. Throws Unreachable, IoError and FormatError as `fetch` says.
class Remote {
 public:
  /// The transport must outlive this.
  Remote(const Name& name, const Options& options, const Transport& transport);

  Listing list() const;
  FileInfo info(const std::string& commit, const std::string& file) const;

  /// Gives the bytes of a file from `offset` on to the sink: with status 206 these, with 200 all
  /// from the first. The status of an answer without a body that matters is returned: 416 where the
  /// file ends before the offset.
  long read(const std::string& commit, const std::string& file, std::uint64_t offset,
            const BodySink& sink) const;

  /// Where a file is, for messages.
  std::string url_of(const std::string& commit, const std::string& file) const;

 private:
  enum class Follow { within_host, everywhere };

  HttpResponse request(HttpMethod method, std::string url, Follow follow,
                       std::vector<std::string> headers, const BodySink& sink) const;
  void check(const HttpResponse& response) const;
  std::string next_url(const std::string& url, const std::string& location) const;
  Listing parse_listing(const std::string& url, const std::string& text) const;

  /// Throws FormatError where what a server said has the token in it. Names would carry it into
  /// messages and onto the disk.
  void refuse_token(std::string_view text, const std::string& url, const char* field) const;
  /// What a server said, for a message.
  std::string shown(std::string_view text) const;
  std::string shown_address(std::string_view url) const;

  Name name_;
  std::string endpoint_, origin_, token_;
  const Transport& transport_;
};

}  // namespace klue::hub::detail
