#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <klue/core/error.hpp>

namespace klue::hub::detail {

/// The network, not the server's answer, failed: no such host, refused, silent, broken off.
class Unreachable : public IoError {
  using IoError::IoError;
};

/// Bytes a second, on the average of a time that is the caller's to choose, below which a transfer
/// counts as broken off: else a few bytes now and then would keep it open for ever.
inline constexpr std::uint64_t kLeastSpeed = 1024;

struct HttpResponse {
  long status = 0;
  std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
  std::string url;                                          ///< that was asked

  std::size_t header_bytes = 0;  ///< of all headers, kept or not

  /// Takes a line of the answer's head; the status line of another answer, which comes after an
  /// interim one, begins anew. Throws FormatError where the head gets too long.
  void add_head_line(std::string_view line);

  /// Empty where there is none.
  std::string header(std::string_view name) const;
  bool is_redirect() const;
};

/// Takes a part of a body; the response has its status and headers by then. What it throws ends the
/// transfer and reaches the caller.
using BodySink = std::function<void(const HttpResponse&, std::span<const char>)>;

enum class HttpMethod { head, get };

/// Who asks the hub; tests answer themselves.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Throws Unreachable, with the URL as its file. `headers`: "Name: value".
  virtual HttpResponse request(HttpMethod method, const std::string& url,
                               const std::vector<std::string>& headers,
                               const BodySink& sink) const = 0;
};

/// libcurl, one request at a time over connections that are kept. Follows no redirect: who may see
/// which header is for the caller to say. Not for several threads at once.
class Http final : public Transport {
 public:
  /// `timeout`: for a connection to be made, and for silence, or less than kLeastSpeed, within one.
  explicit Http(std::chrono::seconds timeout);
  ~Http() override;

  HttpResponse request(HttpMethod method, const std::string& url,
                       const std::vector<std::string>& headers,
                       const BodySink& sink) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Where a redirect leads; nothing where that is no http or https address.
std::optional<std::string> resolve_url(const std::string& base, const std::string& location);

/// Scheme, host and port: who gets what is sent to a URL. Throws UsageError for no such URL.
std::string origin_of(const std::string& url);

/// Whether a location names a host of its own.
bool is_absolute_url(std::string_view location);

/// For one segment of a URL's path.
std::string percent_encoded(std::string_view text);

}  // namespace klue::hub::detail
