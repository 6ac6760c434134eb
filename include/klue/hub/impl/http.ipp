#include <algorithm>
#include <exception>
#include <utility>

#include <curl/curl.h>

#include <klue/hub/detail/http.hpp>
#include <klue/hub/detail/server_text.hpp>
#include <klue/hub/detail/sigpipe_blocker.hpp>

namespace klue::hub::detail {

struct FreeCurl {
  void operator()(char* text) const { curl_free(text); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

namespace {

/// Bytes of the heads of one answer; the hub's have 3 kB.
constexpr std::size_t kLongestHead = std::size_t{256} << 10;

using Url = std::unique_ptr<CURLU, FreeCurl>;
using UrlText = std::unique_ptr<char, FreeCurl>;

/// Once per process, before its first handle.
void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    throw IoError("cannot start libcurl", {.actual = curl_easy_strerror(started)});
}

std::string part_of(const Url& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  return UrlText(text).get();
}

bool parse(const Url& url, const std::string& text) {
  if (!url) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return false;
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  return scheme == "http" || scheme == "https";
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string_view trimmed_header(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// A transfer under way, as libcurl's callbacks see it. No exception may pass through libcurl.
struct Transfer {
  CURL* handle;
  HttpResponse response;
  const BodySink& sink;
  bool head_ended = false;
  std::exception_ptr failure{};

  template <class Work>
  std::size_t guarded(std::size_t size, Work work) noexcept {
    try {
      work();
      return size;
    } catch (...) {
      failure = std::current_exception();
      return 0;  // to libcurl: not taken, stop
    }
  }

  void add_body(std::span<const char> bytes) {
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response.status);
    sink(response, bytes);
  }
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  return self.guarded(size, [&] {
    self.head_ended = size <= 2;  // CR, LF
    self.response.add_head_line({data, size});
  });
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  return self.guarded(size, [&] { self.add_body({data, size}); });
}

/// CURLE_TOO_LARGE of libcurl 8.6.
constexpr auto kTooLarge = static_cast<CURLcode>(100);

/// A line of a head above 100 kB was out of memory to libcurl before it had a code of its own.
/// Whether there is memory can be tried.
[[noreturn]] void refuse_head(const Transfer& transfer, CURLcode result) {
  if (result == CURLE_OUT_OF_MEMORY) {
    curl_off_t sent = 0;  // microseconds until the request could be sent
    curl_easy_getinfo(transfer.handle, CURLINFO_PRETRANSFER_TIME_T, &sent);
    if (sent == 0 || transfer.head_ended) throw std::bad_alloc();
    ::operator delete(::operator new(kLongestHead));
  }
  throw FormatError("the answer has a header that does not end",
                    {.file = shown_url(transfer.response.url)});
}

}  // namespace

struct Http::Impl {
  std::unique_ptr<CURL, FreeCurl> handle;
  long timeout;

  template <class Value>
  void set(CURLoption option, Value value) const {
    if (curl_easy_setopt(handle.get(), option, value) != CURLE_OK)
      throw UnsupportedError("this libcurl cannot do what a download takes",
                             {.field = "option " + std::to_string(option)});
  }
};

Http::Http(std::chrono::seconds timeout) {
  start_curl();
  impl_.reset(new Impl{std::unique_ptr<CURL, FreeCurl>(curl_easy_init()), timeout.count()});
  if (!impl_->handle) throw std::bad_alloc();
}

Http::~Http() = default;

HttpResponse Http::request(HttpMethod method, const std::string& url,
                           const std::vector<std::string>& headers, const BodySink& sink) const {
  const Impl& curl = *impl_;
  curl_easy_reset(curl.handle.get());  // keeps the connections
  std::unique_ptr<curl_slist, FreeCurl> list;
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }
  Transfer transfer{curl.handle.get(), {}, sink};
  transfer.response.url = url;
  char problem[CURL_ERROR_SIZE] = "";
  curl.set(CURLOPT_ERRORBUFFER, static_cast<char*>(problem));
  curl.set(CURLOPT_URL, url.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_NOSIGNAL, 1L);  // signals belong to the program
  curl.set(CURLOPT_NOBODY, method == HttpMethod::head ? 1L : 0L);
  curl.set(CURLOPT_HTTPHEADER, list.get());
  curl.set(CURLOPT_CONNECTTIMEOUT, curl.timeout);
  curl.set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(kLeastSpeed));
  curl.set(CURLOPT_LOW_SPEED_TIME, curl.timeout);
  curl.set(CURLOPT_HEADERFUNCTION, &on_header);
  curl.set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  curl.set(CURLOPT_WRITEFUNCTION, &on_body);
  curl.set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));

  const CURLcode result = [&] {
    const SigpipeBlocker blocker;
    return curl_easy_perform(curl.handle.get());
  }();
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  if (result == CURLE_OUT_OF_MEMORY || result == kTooLarge) refuse_head(transfer, result);
  if (result != CURLE_OK)
    throw Unreachable(
        "cannot reach the hub",
        {.file = url, .actual = problem[0] != '\0' ? problem : curl_easy_strerror(result)});
  curl_easy_getinfo(curl.handle.get(), CURLINFO_RESPONSE_CODE, &transfer.response.status);
  return std::move(transfer.response);
}

void HttpResponse::add_head_line(std::string_view line) {
  header_bytes += line.size();
  if (header_bytes > kLongestHead)
    throw FormatError("the answer has a header that does not end", {.file = shown_url(url)});
  if (line.starts_with("HTTP/")) headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return;
  headers[lower_case(line.substr(0, colon))] = trimmed_header(line.substr(colon + 1));
}

std::string HttpResponse::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

bool HttpResponse::is_redirect() const {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& location) {
  const Url url(curl_url());
  // Relative to what the handle holds.
  if (!parse(url, base) || location.empty() || !parse(url, location)) return std::nullopt;
  return part_of(url, CURLUPART_URL);
}

std::string origin_of(const std::string& text) {
  const Url url(curl_url());
  if (!parse(url, text))
    throw UsageError("no http or https address", {.field = "endpoint", .actual = text});
  return lower_case(part_of(url, CURLUPART_SCHEME) + "://" + part_of(url, CURLUPART_HOST)) + ":" +
         part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

bool is_absolute_url(std::string_view location) {
  const std::size_t colon = location.find(':');
  return location.starts_with("//") ||
         (colon != location.npos && colon < location.find_first_of("/?#"));
}

std::string percent_encoded(std::string_view text) {
  if (text.empty()) return {};  // libcurl would take 0 for "measure it"
  const UrlText encoded(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
  if (!encoded) throw std::bad_alloc();
  return encoded.get();
}

}  // namespace klue::hub::detail
