#pragma once

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

/// Runs a program with these arguments and this standard input. Its standard output goes to the
/// file `out`, where one is named.
inline Result run(const char* program, const std::vector<std::string>& arguments,
                  std::string_view input = {}, const char* out = nullptr) {
  const detail::TemporaryFile in_file, out_file, err_file;
  in_file.fill(input);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in_file.descriptor(), STDIN_FILENO);
  if (out != nullptr)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY, 0);
  else
    posix_spawn_file_actions_adddup2(&actions, out_file.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err_file.descriptor(), STDERR_FILENO);

  std::vector<std::string> words = arguments;
  words.insert(words.begin(), program);
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);

  pid_t child = 0;
  const int error = posix_spawn(&child, program, &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(std::string("cannot run ") + program);
  int status = 0;
  if (::waitpid(child, &status, 0) != child)
    throw std::runtime_error(std::string("cannot wait for ") + program);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out_file.content(),
          err_file.content()};
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
