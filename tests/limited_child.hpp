#pragma once

#include <cstddef>
#include <cstdio>
#include <exception>
#include <fstream>
#include <new>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klue/core/error.hpp>

#include "child.hpp"

namespace klue::test {

/// Sanitizers map terabytes, so that nothing else can be limited under them.
inline constexpr bool memory_can_be_limited = !under_sanitizer;

/// How a piece of work ended.
enum class Ending { done, klue_error, no_memory, other_exception, killed };

inline const char* ending_name(Ending ending) {
  constexpr const char* names[]{"done", "klue::Error", "std::bad_alloc", "another exception",
                                "killed by a signal"};
  return names[static_cast<int>(ending)];
}

inline std::ostream& operator<<(std::ostream& out, Ending ending) {
  return out << ending_name(ending);
}

/// Runs `work` here and says how it ended.
template <class Work>
Ending ending_of(const Work& work) {
  try {
    work();
    return Ending::done;
  } catch (const Error&) {
    return Ending::klue_error;
  } catch (const std::bad_alloc&) {
    return Ending::no_memory;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "another exception: %s\n", error.what());
  } catch (...) {
  }
  return Ending::other_exception;
}

struct Limits {
  std::size_t more_memory = std::size_t{512} << 20;  ///< bytes, beyond what the process has
  unsigned seconds = 20;                             ///< of CPU time, and six times that in all
};

/// The same in a child process that can be killed.
template <class Work>
Ending ending_within(const Limits& limits, const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (memory_can_be_limited) {
      std::size_t pages = 0;
      std::ifstream("/proc/self/statm") >> pages;
      const rlim_t most =
          pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + limits.more_memory;
      const rlimit memory{most, most};
      ::setrlimit(RLIMIT_AS, &memory);
    }
    const rlimit cpu{limits.seconds, limits.seconds}, no_core{0, 0};
    ::setrlimit(RLIMIT_CPU, &cpu);
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(6 * limits.seconds);  // for what waits instead of working
    ::_exit(static_cast<int>(ending_of(work)));
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status))
    return Ending::killed;
  return static_cast<Ending>(WEXITSTATUS(status));
}

}  // namespace klue::test
