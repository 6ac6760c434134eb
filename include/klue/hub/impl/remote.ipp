#include <algorithm>
#include <charconv>
#include <utility>

#include <klue/core/detail/json.hpp>
#include <klue/core/error.hpp>
#include <klue/hub/detail/remote.hpp>
#include <klue/hub/detail/server_text.hpp>

namespace klue::hub::detail {
namespace {

constexpr int kMostRedirects = 10;
constexpr std::size_t kMostListing = std::size_t{16} << 20;  // bytes; large repositories have 1 MB

const BodySink kIgnoreBody = [](const HttpResponse&, std::span<const char>) {};

std::string without_trailing_slashes(std::string text) {
  while (text.ends_with('/'))
    text.pop_back();
  return text;
}

std::string checked_token(const std::string& token) {
  // It becomes a line of the request; and it is a secret, so the message does not repeat it.
  const bool plain = std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!plain)
    throw UsageError("no token: it has blanks or control characters in it", {.field = "HF_TOKEN"});
  return token;
}

std::string encoded_path(std::string_view path) {
  std::string encoded;
  while (true) {
    const std::size_t slash = path.find('/');
    encoded.append(percent_encoded(path.substr(0, slash)));
    if (slash == path.npos) return encoded;
    encoded.push_back('/');
    path.remove_prefix(slash + 1);
  }
}

/// W/"abc" and "abc" are abc.
std::string normalized_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.starts_with('"')) etag.remove_prefix(1);
  if (etag.ends_with('"')) etag.remove_suffix(1);
  return std::string(etag);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return std::nullopt;
  return size;
}

}  // namespace

Remote::Remote(const Name& name, const Options& options, const Transport& transport)
    : name_(name),
      endpoint_(without_trailing_slashes(options.endpoint)),
      origin_(origin_of(endpoint_)),
      token_(checked_token(options.token)),
      transport_(transport) {}

std::string Remote::shown(std::string_view text) const {
  return shown_text(text, token_);
}
std::string Remote::shown_address(std::string_view url) const {
  return shown_url(url, token_);
}

void Remote::refuse_token(std::string_view text, const std::string& url, const char* field) const {
  if (!token_.empty() && text.find(token_) != text.npos)
    throw FormatError("the hub repeats the token", {.file = shown_address(url), .field = field});
}

/// Where a redirect from a URL leads.
std::string Remote::next_url(const std::string& url, const std::string& location) const {
  std::optional<std::string> next = resolve_url(url, location);
  if (!next)
    throw FormatError("a redirect to no http address",
                      {.file = shown_address(url), .field = "Location", .actual = shown(location)});
  refuse_token(*next, url, "Location");
  if (origin_.starts_with("https:") && !origin_of(*next).starts_with("https:"))
    throw FormatError("a redirect from https to http",
                      {.file = shown_address(url), .actual = shown_address(*next)});
  return *std::move(next);
}

HttpResponse Remote::request(HttpMethod method, std::string url, Follow follow,
                             std::vector<std::string> headers, const BodySink& sink) const {
  headers.push_back("User-Agent: klue-roberta");
  headers.push_back("Accept-Encoding: identity");  // sizes are those of the file
  const std::size_t without_token = headers.size();
  for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
    headers.resize(without_token);
    if (!token_.empty() && origin_of(url) == origin_)
      headers.push_back("Authorization: Bearer " + token_);
    HttpResponse response = [&] {
      try {
        return transport_.request(method, url, headers, sink);
      } catch (const Unreachable& error) {  // which may have words of the other side in it
        throw Unreachable("cannot reach the hub",
                          {.file = shown_address(url), .actual = shown(error.actual())});
      }
    }();
    const std::string location = response.header("location");
    if (!response.is_redirect() || (follow == Follow::within_host && is_absolute_url(location)))
      return response;
    url = next_url(url, location);
  }
  throw FormatError("redirected in circles", {.file = shown_address(url)});
}

void Remote::check(const HttpResponse& response) const {
  const long status = response.status;
  if (status < 400) return;
  const std::string code = response.header("x-error-code");
  std::string said = "HTTP status " + std::to_string(status);
  if (const std::string message = response.header("x-error-message"); !message.empty())
    said += ", " + shown(message);
  const std::string what = name_.repository + "@" + name_.revision;
  // The storage behind the hub knows neither models nor tokens; its addresses expire, and new ones
  // may do.
  if (origin_of(response.url) != origin_ || status == 429 || status >= 500)
    throw Unreachable("the hub cannot give it now",
                      {.file = shown_address(response.url), .field = what, .actual = said});
  const auto refuse = [&](const char* message) {
    throw IoError(message, {.file = shown_address(response.url), .field = what, .actual = said});
  };
  if (status == 404 && code == "EntryNotFound") refuse("the hub has no such file of the model");
  if (status == 404 && code == "RevisionNotFound")
    refuse("the hub has no such revision of the model");
  if (status == 404 || code == "RepoNotFound") {
    if (token_.empty())
      refuse("the hub has no such model or revision; for one that is private set HF_TOKEN");
    refuse("the hub has no such model or revision that the token of HF_TOKEN may read");
  }
  if (status == 401 && token_.empty())
    refuse("there is no such model, or it may be read only with a token: set HF_TOKEN");
  if (status == 401) refuse("the hub does not accept the token: set HF_TOKEN to a valid one");
  if (status == 403)
    refuse(
        "the hub wants you to be allowed to read this model: ask for access on its page, and set "
        "HF_TOKEN to a token of yours");
  refuse("the hub refuses");
}

std::string Remote::url_of(const std::string& commit, const std::string& file) const {
  return endpoint_ + "/" + name_.repository + "/resolve/" + commit + "/" + encoded_path(file);
}

Listing Remote::parse_listing(const std::string& url, const std::string& text) const {
  const klue::detail::JsonNode root = klue::detail::parse_json(text, url);
  const auto refuse = [&](const char* message, const char* field, std::string_view actual = {}) {
    throw FormatError(message, {.file = url, .field = field, .actual = shown(actual)});
  };
  Listing listing;
  listing.commit = root.at("sha").string();
  if (!is_commit(listing.commit)) refuse("no commit of 40 hexadecimal digits", "sha");
  for (const klue::detail::JsonNode& entry : root.at("siblings").elements()) {
    const std::string path = entry.at("rfilename").string();
    if (!is_safe_path(path)) refuse("a file's path leaves its repository", "rfilename", path);
    refuse_token(path, url, "rfilename");
    listing.files.insert(path);
  }
  return listing;
}

Listing Remote::list() const {
  const std::string url = endpoint_ + "/api/models/" + name_.repository + "/revision/" +
                          percent_encoded(name_.revision);
  std::string body;
  const HttpResponse response =
      request(HttpMethod::get, url, Follow::everywhere, {},
              [&](const HttpResponse& answer, std::span<const char> bytes) {
                if (answer.status != 200) return;
                if (body.size() + bytes.size() > kMostListing)
                  throw FormatError("the description of a model does not end", {.file = url});
                body.append(bytes.data(), bytes.size());
              });
  check(response);
  if (response.status != 200)
    throw FormatError("no answer to work with",
                      {.file = url, .actual = "HTTP status " + std::to_string(response.status)});
  Listing listing = [&] {
    try {
      return parse_listing(url, body);
    } catch (const FormatError& error) {  // which says what it found
      refuse_token(error.what(), url, "");
      throw;
    }
  }();
  if (is_commit(name_.revision) && listing.commit != name_.revision)
    throw FormatError("another commit than was asked for",
                      {.file = url, .expected = name_.revision, .actual = listing.commit});
  return listing;
}

FileInfo Remote::info(const std::string& commit, const std::string& file) const {
  const std::string url = url_of(commit, file);
  // The first answer that leads to another host describes the file; what that host would say of it
  // is in its own terms.
  const HttpResponse response =
      request(HttpMethod::head, url, Follow::within_host, {}, kIgnoreBody);
  check(response);
  const auto refuse = [&](const char* message, const char* field, std::string_view actual) {
    throw FormatError(message, {.file = url, .field = field, .actual = shown(actual)});
  };
  if (const std::string served = response.header("x-repo-commit");
      !served.empty() && served != commit)
    refuse("the file of another commit", "X-Repo-Commit", served);
  const std::string linked = response.header("x-linked-etag");
  FileInfo info{.etag = normalized_etag(linked.empty() ? response.header("etag") : linked),
                .size = parse_size(response.header("x-linked-size"))};
  if (!is_safe_file_name(info.etag) || info.etag.size() > 128)
    refuse("no ETag that a file can be kept under", "ETag", info.etag);
  refuse_token(info.etag, url, "ETag");
  if (!info.size && !response.is_redirect())
    info.size = parse_size(response.header("content-length"));
  return info;
}

long Remote::read(const std::string& commit, const std::string& file, std::uint64_t offset,
                  const BodySink& sink) const {
  std::vector<std::string> headers;
  if (offset != 0) headers.push_back("Range: bytes=" + std::to_string(offset) + "-");
  const HttpResponse response =
      request(HttpMethod::get, url_of(commit, file), Follow::everywhere, std::move(headers),
              [&](const HttpResponse& answer, std::span<const char> bytes) {
                if (answer.status == 200 || answer.status == 206) sink(answer, bytes);
              });
  if (response.status == 416) return 416;
  check(response);
  if (response.status != 200 && response.status != 206)
    throw FormatError("no answer to work with",
                      {.file = shown_address(response.url),
                       .actual = "HTTP status " + std::to_string(response.status)});
  return response.status;
}

}  // namespace klue::hub::detail
