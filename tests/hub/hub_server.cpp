#include "hub/hub_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <klue/hub/detail/digest.hpp>

#include "checkpoint/scratch_directory.hpp"

namespace klue::test {
using namespace hub::detail;
namespace {

namespace fs = std::filesystem;

bool is_large(const std::string& file) {
  return file.ends_with(".safetensors") || file.ends_with(".bin");
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' && i + 2 < text.size()) {
      plain.push_back(
          static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  return plain;
}

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<Request> read_request(int connection, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == buffer.npos) {
    char part[4096];
    const ssize_t size = ::recv(connection, part, sizeof part, 0);
    if (size <= 0) return std::nullopt;
    buffer.append(part, static_cast<std::size_t>(size));
  }
  std::string_view head = std::string_view(buffer).substr(0, end);
  Request request;
  const std::size_t first = head.find(' '), second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.path = head.substr(first + 1, second - first - 1);
  for (std::size_t line = head.find("\r\n"); line != head.npos;) {
    const std::size_t next = head.find("\r\n", line + 2);
    const std::string_view field =
        head.substr(line + 2, next == head.npos ? next : next - line - 2);
    const std::size_t colon = field.find(':');
    std::string name(field.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = field.substr(std::min(field.size(), colon + 2));
    line = next;
  }
  request.host = request.headers["host"];
  buffer.erase(0, end + 4);
  return request;
}

template <class Hash>
std::string hash_of_text(std::string_view text, Hash hash) {
  const ScratchDirectory directory;
  return hash(directory.write("content", text));
}

}  // namespace

std::string sha256_of_text(std::string_view text) {
  return hash_of_text(text, hub::detail::sha256_of);
}
std::string git_hash_of_text(std::string_view text) {
  return hash_of_text(text, hub::detail::git_hash_of);
}

struct HubServer::Answer {
  int status = 200;
  std::map<std::string, std::string> headers{};
  std::string body{};
  bool is_file = false;  // which the faults of a body are for
};

HubServer::HubServer() {
  for (Listener* listener : {&hub_, &storage_}) {
    open(*listener);
    listener->thread = std::thread([this, listener] { accept_on(*listener); });
  }
}

HubServer::~HubServer() {
  stopping_ = true;
  for (Listener* listener : {&hub_, &storage_}) {
    listener->thread.join();
    ::close(listener->descriptor);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : open_connections_)
      ::shutdown(connection, SHUT_RDWR);
  }
  for (std::thread& connection : connections_)
    connection.join();
}

void HubServer::open(Listener& listener) {
  listener.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.descriptor, raw, size) != 0 || ::listen(listener.descriptor, 64) != 0 ||
      ::getsockname(listener.descriptor, raw, &size) != 0)
    throw std::runtime_error("cannot listen on the loopback address");
  listener.port = ntohs(address.sin_port);
}

void HubServer::accept_on(Listener& listener) {
  while (!stopping_) {
    pollfd waiting{listener.descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, 50) <= 0) continue;
    const int connection = ::accept4(listener.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    open_connections_.push_back(connection);
    connections_.emplace_back(
        [this, connection, port = listener.port] { serve(connection, port); });
  }
}

void HubServer::serve(int connection, std::uint16_t port) {
  std::string buffer;
  while (const auto request = read_request(connection, buffer)) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    if (!send_answer(connection, *request, answer(*request, port))) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_connections_, connection);
  ::close(connection);
}

std::string HubServer::publish(const std::string& repository, const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(directory).generic_string()] = read_bytes(entry.path());
  return publish(repository, std::move(files));
}

std::string HubServer::publish(const std::string& repository,
                               std::map<std::string, std::string> files,
                               const std::string& revision) {
  std::string all = repository;
  std::map<std::string, std::string> large;
  for (const auto& [name, content] : files) {
    all += name + git_hash_of_text(content);
    if (is_large(name)) large[sha256_of_text(content)] = content;
  }
  const std::string commit = git_hash_of_text(all);
  const std::lock_guard lock(mutex_);
  commits_[commit] = {std::move(files)};
  revisions_[repository][revision] = commit;
  revisions_[repository][commit] = commit;
  blobs_.merge(large);
  return commit;
}

std::string HubServer::endpoint() const {
  return "http://127.0.0.1:" + std::to_string(hub_.port);
}
std::string HubServer::storage() const {
  return "127.0.0.1:" + std::to_string(storage_.port);
}

void HubServer::require_token(std::string token) {
  const std::lock_guard lock(mutex_);
  token_ = std::move(token);
}
void HubServer::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  revisions_[to] = std::move(revisions_[from]);
  revisions_.erase(from);
  renamed_[from] = to;
}
void HubServer::set_faults(const Faults& faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

std::vector<Request> HubServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}
void HubServer::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
  downloads_.clear();
}
std::vector<std::string> HubServer::downloads() const {
  const std::lock_guard lock(mutex_);
  return downloads_;
}

HubServer::Answer HubServer::answer(const Request& request, std::uint16_t port) {
  const std::lock_guard lock(mutex_);
  if (faults_.status != 0)
    return {.status = faults_.status, .body = std::string(faults_.status == 200 ? "{}" : "")};
  const std::string path = decoded(request.path);
  if (port == storage_.port) {
    // As storage behind a signed address does, it refuses who brings a token of another.
    if (request.headers.contains("authorization")) return {.status = 400};
    const auto blob = blobs_.find(path.substr(1));
    if (blob == blobs_.end()) return {.status = 403};
    return {.headers = {{"ETag", "\"of-the-storage\""}}, .body = blob->second, .is_file = true};
  }
  if (!token_.empty()) {
    const auto sent = request.headers.find("authorization");
    if (sent == request.headers.end() || sent->second != "Bearer " + token_)
      return {.status = 401, .headers = {{"X-Error-Message", "Invalid username or password."}}};
  }
  for (const auto& [from, to] : renamed_)
    for (const std::string& start : {"/api/models/" + from + "/", "/" + from + "/"})
      if (path.starts_with(start)) {
        std::string moved = path;
        return {.status = 307,
                .headers = {{"Location", moved.replace(moved.find(from), from.size(), to)}}};
      }
  for (const auto& [repository, revisions] : revisions_) {
    const std::string api = "/api/models/" + repository + "/revision/";
    if (path.starts_with(api)) return answer_api(request, repository, path.substr(api.size()));
    const std::string resolve = "/" + repository + "/resolve/";
    if (!path.starts_with(resolve)) continue;
    const std::string rest = path.substr(resolve.size());
    const std::size_t slash = rest.find('/');
    return answer_file(request, repository, rest.substr(0, slash), rest.substr(slash + 1));
  }
  return {.status = 404, .headers = {{"X-Error-Code", "RepoNotFound"}}};
}

HubServer::Answer HubServer::answer_api(const Request&, const std::string& repository,
                                        const std::string& revision) {
  const auto found = revisions_[repository].find(revision);
  if (found == revisions_[repository].end())
    return {.status = 404, .headers = {{"X-Error-Code", "RevisionNotFound"}}};
  nlohmann::json answer{{"id", repository}, {"sha", found->second}};
  answer["siblings"] = nlohmann::json::array();
  for (const auto& [name, content] : commits_[found->second].files)
    answer["siblings"].push_back({{"rfilename", name}});
  return {.body = faults_.listing.empty() ? answer.dump() : faults_.listing};
}

HubServer::Answer HubServer::answer_file(const Request& request, const std::string& repository,
                                         const std::string& revision, const std::string& file) {
  const auto commit = revisions_[repository].find(revision);
  if (commit == revisions_[repository].end()) return {.status = 404};
  const auto& files = commits_[commit->second].files;
  const auto found = files.find(file);
  if (found == files.end()) return {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}};
  const std::string& content = found->second;
  Answer answer{.headers = {{"X-Repo-Commit", commit->second}}};
  const std::size_t size = content.size() + (faults_.wrong_size ? 1 : 0);
  if (!is_large(file)) {
    if (!faults_.no_etag) answer.headers["ETag"] = "W/\"" + git_hash_of_text(content) + "\"";
    answer.body = content;
    answer.is_file = true;
    return answer;
  }
  const std::string hash = sha256_of_text(content);
  answer.status = 302;
  answer.headers["X-Linked-Etag"] = "\"" + hash + "\"";
  answer.headers["X-Linked-Size"] =
      faults_.linked_size.empty() ? std::to_string(size) : faults_.linked_size;
  answer.headers["Location"] =
      "http://" + (faults_.storage_over_http ? "127.0.0.1:1" : storage()) + "/" + hash;
  static_cast<void>(request);
  return answer;
}

bool HubServer::send_answer(int connection, const Request& request, const Answer& given) {
  Faults faults;
  {
    const std::lock_guard lock(mutex_);
    faults = faults_;
    if (given.is_file && request.method == "GET") {
      downloads_.push_back(request.path);
      if (faults_.break_after != Faults::kNever && faults_.breaks-- <= 0)
        faults.break_after = Faults::kNever;
    }
  }
  Answer answer = given;
  const bool large = answer.is_file && answer.body.size() > 10'000;
  if (faults.damage && large) answer.body[answer.body.size() / 3] ^= 1;
  std::string_view body = answer.body;
  const auto range = request.headers.find("range");
  if (answer.is_file && range != request.headers.end() && !faults.ignore_ranges) {
    std::size_t first = std::stoul(range->second.substr(std::strlen("bytes=")));
    if (faults.wrong_range) first = 0;
    if (first >= body.size()) {
      answer = {.status = 416};
      body = {};
    } else {
      answer.status = 206;
      answer.headers["Content-Range"] = "bytes " + std::to_string(first) + "-" +
                                        std::to_string(body.size() - 1) + "/" +
                                        std::to_string(body.size());
      body.remove_prefix(first);
    }
  }
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Whatever\r\n";
  for (const auto& [name, value] : answer.headers)
    head += name + ": " + value + "\r\n";
  head += faults.header;
  const bool sized = !answer.is_file || large || !(faults.no_size || faults.endless);
  if (sized) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!send_all(connection, head + "\r\n")) return false;
  if (request.method == "HEAD") return true;
  if (!sized) {
    const std::string zeros(1 << 16, '\0');
    while (send_all(connection, body) && faults.endless && !stopping_)
      body = zeros;
    return false;  // the end of the connection is that of the body
  }
  const bool broken = answer.is_file && body.size() > faults.break_after;
  if (broken) body = body.substr(0, faults.break_after);
  if (faults.stall && body.size() > 200'000) {
    if (!send_all(connection, body.substr(0, body.size() / 2))) return false;
    char nothing = 0;
    while (::recv(connection, &nothing, 1, 0) > 0) {
    }
    return false;
  }
  const bool slow = large || (faults.slow_listing && !answer.is_file && answer.status == 200);
  if (faults.bytes_per_second == 0 || !slow) return send_all(connection, body) && !broken;
  const std::size_t kPartsPerSecond = faults.bytes_per_second < 200 ? 1 : 200;
  while (!body.empty() && !stopping_) {
    const std::string_view part = body.substr(0, faults.bytes_per_second / kPartsPerSecond);
    if (!send_all(connection, part)) return false;
    body.remove_prefix(part.size());
    std::this_thread::sleep_for(std::chrono::milliseconds(1000 / kPartsPerSecond));
  }
  return !broken;
}

}  // namespace klue::test
