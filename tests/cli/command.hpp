#pragma once

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" char** environ;

namespace klue::test {

/// What a run of a command left behind.
struct Result {
  int status = 0;  ///< exit status; 128 + the signal's number where one ended the program
  std::string out, err;
};

namespace detail {

class TemporaryFile {
 public:
  TemporaryFile() : file_(std::tmpfile()) {
    if (!file_) throw std::runtime_error("cannot make a temporary file");
  }

  int descriptor() const { return ::fileno(file_.get()); }

  void fill(std::string_view content) const {
    // An empty view may point nowhere, which fwrite does not take.
    if (!content.empty()) std::fwrite(content.data(), 1, content.size(), file_.get());
    std::rewind(file_.get());  // flushes, too
  }

  std::string content() const {
    std::string content;
    std::rewind(file_.get());
    for (int byte = std::fgetc(file_.get()); byte != EOF; byte = std::fgetc(file_.get()))
      content.push_back(static_cast<char>(byte));
    return content;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace detail

/// A run of a program under way.
class Running {
 public:
  /// Its standard output goes to the file `out`, where one is named.
  explicit Running(const char* program, const std::vector<std::string>& arguments,
                   std::string_view input = {}, const char* out = nullptr)
      : program_(program) {
    in_file_.fill(input);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in_file_.descriptor(), STDIN_FILENO);
    if (out != nullptr)
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY, 0);
    else
      posix_spawn_file_actions_adddup2(&actions, out_file_.descriptor(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_file_.descriptor(), STDERR_FILENO);

    std::vector<std::string> words = arguments;
    words.insert(words.begin(), program_);
    std::vector<char*> pointers;
    for (std::string& word : words)
      pointers.push_back(word.data());
    pointers.push_back(nullptr);

    const int error = posix_spawn(&child_, program, &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot run " + program_);
  }

  void send(int signal) const { ::kill(child_, signal); }

  /// Waits for its end. To be called once.
  Result wait() const {
    int status = 0;
    if (::waitpid(child_, &status, 0) != child_)
      throw std::runtime_error("cannot wait for " + program_);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out_file_.content(),
            err_file_.content()};
  }

 private:
  std::string program_;
  detail::TemporaryFile in_file_, out_file_, err_file_;
  pid_t child_ = 0;
};

/// Runs a program with these arguments and this standard input to its end.
inline Result run(const char* program, const std::vector<std::string>& arguments,
                  std::string_view input = {}, const char* out = nullptr) {
  return Running(program, arguments, input, out).wait();
}

#ifdef KLUE_EMBED
/// Runs the built `embed`.
inline Result embed(const std::vector<std::string>& arguments, std::string_view input = {},
                    const char* out = nullptr) {
  return run(KLUE_EMBED, arguments, input, out);
}
#endif

/// The directory of a model that the build made for the tests.
inline std::filesystem::path fixture(std::string_view name) {
  return std::filesystem::path(KLUE_FIXTURE_DIR) / name;
}

#ifdef KLUE_EMBED
/// Runs `embed` on the fixture tiny-11.
inline Result embed_tiny(std::vector<std::string> arguments, std::string_view input = {},
                         const char* out = nullptr) {
  arguments.insert(arguments.begin(), {"--model", fixture("tiny-11").string()});
  return embed(arguments, input, out);
}
#endif

inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

/// The numbers of a line; whatever is none fails the test.
std::vector<float> numbers_of(std::string_view line, char separator = ' ');

/// Raw little-endian floats.
std::vector<float> floats_of(std::string_view bytes);

}  // namespace klue::test
