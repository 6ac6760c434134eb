// The input is what a hub answers, one answer after another: two bytes of status, two of the length
// of the head, three of that of the body, head, body. What a fetch asks of it is asked: the list of
// files, what is said of each, the content of one. No request may have the token where it is for
// another host, and no error message may have it or more than one line.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <klue/hub/detail/remote.hpp>

namespace {

using namespace klue::hub::detail;

constexpr std::string_view kToken = "hf_secret_token";

void require_that(bool holds) {
  if (!holds) std::abort();
}

class Answers final : public Transport {
 public:
  explicit Answers(std::string_view input) : left_(input) {}

  HttpResponse request(HttpMethod method, const std::string& url,
                       const std::vector<std::string>& headers,
                       const BodySink& sink) const override {
    require_that(url.starts_with("http://") || url.starts_with("https://"));
    for (const std::string& header : headers) {
      require_that(header.find_first_of("\r\n") == header.npos);
      if (header.find(kToken) != header.npos)
        require_that(origin_of(url) == "https://hub.test:443");
    }
    if (left_.size() < 7) throw Unreachable("cannot reach the hub", {.file = url});
    HttpResponse response;
    response.url = url;
    response.status = static_cast<long>(number(2) % 600);
    const std::size_t head_size = number(2), body_size = number(3);
    std::string_view head = take(head_size);
    while (!head.empty()) {
      const std::string_view line = head.substr(0, std::min(head.size(), head.find('\n') + 1));
      const std::string_view whole = line.empty() ? head : line;
      response.add_head_line(whole);
      head.remove_prefix(whole.size());
    }
    const std::string_view body = take(body_size);
    if (method == HttpMethod::get)
      for (std::size_t first = 0; first < body.size(); first += 1000)
        sink(response, body.substr(first, 1000));
    return response;
  }

 private:
  std::size_t number(std::size_t bytes) const {
    std::size_t number = 0;
    for (const char byte : take(bytes))
      number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }
  std::string_view take(std::size_t size) const {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(taken.size());
    return taken;
  }

  mutable std::string_view left_;
};

template <class Work>
void refused_in_one_line(const Work& work) {
  try {
    work();
  } catch (const klue::Error& error) {
    const std::string_view message = error.what();
    require_that(message.find(kToken) == message.npos);
    require_that(message.size() < 4000);
    require_that(std::ranges::none_of(
        message, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  klue::hub::Options options;
  options.endpoint = "https://hub.test";
  options.token = kToken;
  const Answers answers({reinterpret_cast<const char*>(data), size});
  const Remote remote({.repository = "klue/roberta-base", .revision = "main"}, options, answers);
  refused_in_one_line([&] {
    const Listing listing = remote.list();
    require_that(is_commit(listing.commit));
    for (const std::string& file : listing.files) {
      require_that(is_safe_path(file));
      refused_in_one_line([&] {
        const FileInfo info = remote.info(listing.commit, file);
        require_that(is_safe_file_name(info.etag) && info.etag.size() <= 128);
        std::size_t bytes = 0;
        remote.read(listing.commit, file, info.size.value_or(0) / 2,
                    [&](const HttpResponse&, std::span<const char> part) { bytes += part.size(); });
        require_that(bytes <= size);
      });
    }
  });
  return 0;
}
