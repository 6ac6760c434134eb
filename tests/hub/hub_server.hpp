#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace klue::test {

/// A request as the server got it.
struct Request {
  std::string method, path, host;                           ///< host: "127.0.0.1:PORT"
  std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
};

/// What goes wrong. Everything may be changed while the server runs, between requests.
struct Faults {
  static constexpr std::size_t kNever = ~std::size_t{0};

  /// Breaks every connection that sends a file's body after this many bytes of it.
  std::size_t break_after = kNever;
  int breaks = 1 << 30;              ///< connections that are broken so, then no more
  bool ignore_ranges = false;        ///< answers them with the whole file
  bool wrong_range = false;          ///< sends another part than was asked for
  bool damage = false;               ///< flips a bit of every large file
  bool stall = false;                ///< sends half of a large file, then nothing
  std::size_t bytes_per_second = 0;  ///< of the storage; 0: as fast as it goes
  int status = 0;                    ///< of every answer, where not 0
  bool storage_over_http = false;    ///< says that storage is at a host that is not there
  bool wrong_size = false;           ///< promises a byte more than there is
  bool no_etag = false;
  bool no_size = false;       ///< does not say how long small files are
  bool endless = false;       ///< small files, without a size, go on for ever
  bool slow_listing = false;  ///< the description of a model at bytes_per_second
  std::string header{};       ///< further lines of every head, each with CR LF
  std::string linked_size{};  ///< what is promised for large files, where not empty
  std::string listing{};      ///< instead of the description of a model, where not empty
};

/// The hub of Hugging Face as far as downloads go, on two ports of the loopback address: the hub
/// itself, and the storage that it redirects large files to. Serves models from memory.
class HubServer {
 public:
  HubServer();
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;
  ~HubServer();

  /// Makes the files of a directory the model's revision "main"; those that hold weights
  /// are kept as with git LFS. Returns the commit.
  std::string publish(const std::string& repository, const std::filesystem::path& directory);
  std::string publish(const std::string& repository, std::map<std::string, std::string> files,
                      const std::string& revision = "main");

  std::string endpoint() const;
  std::string storage() const;  ///< "127.0.0.1:PORT" of the storage

  /// Only who sends this token may read; empty: everybody.
  void require_token(std::string token);
  /// Renames a model: the old name redirects to the new one.
  void rename(const std::string& from, const std::string& to);
  void set_faults(const Faults& faults);

  std::vector<Request> requests() const;
  void forget_requests();
  /// Paths of the requests that had a body to send.
  std::vector<std::string> downloads() const;

 private:
  struct Listener {
    int descriptor = -1;
    std::uint16_t port = 0;
    std::thread thread;
  };
  struct Commit {
    std::map<std::string, std::string> files;
  };
  struct Answer;

  static void open(Listener& listener);
  void accept_on(Listener& listener);
  void serve(int connection, std::uint16_t port);
  Answer answer(const Request& request, std::uint16_t port);
  Answer answer_api(const Request& request, const std::string& repository,
                    const std::string& revision);
  Answer answer_file(const Request& request, const std::string& repository,
                     const std::string& revision, const std::string& file);
  bool send_answer(int connection, const Request& request, const Answer& answer);

  Listener hub_, storage_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>>
      revisions_;  // repository → name → commit
  std::map<std::string, Commit> commits_;
  std::map<std::string, std::string> renamed_, blobs_;  // blobs: by sha256
  std::string token_;
  Faults faults_;
  std::vector<Request> requests_;
  std::vector<std::string> downloads_;
  std::vector<std::thread> connections_;
  std::vector<int> open_connections_;
};

/// The hub's ETag of such a content.
std::string sha256_of_text(std::string_view text);
std::string git_hash_of_text(std::string_view text);

}  // namespace klue::test
