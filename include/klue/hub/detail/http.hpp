#pragma once

#include <chrono>
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

struct HttpResponse {
  long status = 0;
  std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
  std::string url;                                          ///< that was asked

  /// Empty where there is none.
  std::string header(std::string_view name) const;
  bool is_redirect() const;
};

/// Takes a part of a body; the response has its status and headers by then. What it throws ends the
/// transfer and reaches the caller.
using BodySink = std::function<void(const HttpResponse&, std::span<const char>)>;

enum class HttpMethod { head, get };

/// libcurl, one request at a time over connections that are kept. Follows no redirect: who may see
/// which header is for the caller to say. Not for several threads at once.
class Http {
 public:
  /// `timeout`: for a connection to be made, and for silence within one.
  explicit Http(std::chrono::seconds timeout);
  ~Http();

  /// Throws Unreachable, with the URL as its file. `headers`: "Name: value".
  HttpResponse request(HttpMethod method, const std::string& url,
                       const std::vector<std::string>& headers, const BodySink& sink) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Where a redirect leads. Throws FormatError where that is no http or https address.
std::string resolve_url(const std::string& base, const std::string& location);

/// Scheme, host and port: who gets what is sent to a URL. Throws UsageError for no such URL.
std::string origin_of(const std::string& url);

/// Whether a location names a host of its own.
bool is_absolute_url(std::string_view location);

/// For one segment of a URL's path.
std::string percent_encoded(std::string_view text);

}  // namespace klue::hub::detail
