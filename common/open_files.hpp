// How many files and sockets this process may hold open. The limit that a process starts with is 1,024 on most systems
// (so that programs with select() survive). That is far below one socket a stream and below what the system allows.
// None of our programs uses select().
#pragma once

#include <cstdint>

#include <sys/resource.h>

namespace tokenrail {

/// Raises the soft limit to the hard one and returns what holds now. For the start of main(), before any thread.
inline std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace tokenrail
