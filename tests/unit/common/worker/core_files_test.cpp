#include "common/core_files.hpp"

#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tokenrail {
namespace {

/// A process cannot take this back, so each test has a child of its own. Its exit code is what `body` returns.
int in_a_child(const std::function<int()>& body) {
  const auto child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// "Max core file size" of /proc/self/limits: soft and hard limit.
std::string core_limits() {
  std::ifstream file("/proc/self/limits");
  constexpr std::string_view name = "Max core file size";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    line.erase(0, line.find_first_not_of(' ', name.size()));
    const auto soft = line.substr(0, line.find(' '));
    line.erase(0, line.find_first_not_of(' ', soft.size()));
    return soft + " " + line.substr(0, line.find(' '));
  }
  return "not found";
}

/// So that there is something to take away.
bool raise_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0) return false;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_CORE, &limit) == 0;
}

TEST(CoreFiles, AreSwitchedOffAtOnceAndForGood) {
  EXPECT_EQ(in_a_child([] {
              const CoreFiles files;
              if (!core_limits().starts_with("0 ")) return 1;
              if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 2;
              files.settle(false);
              return core_limits() == "0 0" ? 0 : 3;
            }),
            0);
}

TEST(CoreFiles, AreAsBeforeWhereTheyAreWanted) {
  EXPECT_EQ(in_a_child([] {
              if (!raise_limit()) return 0;  // the hard limit is 0 already: there is nothing to restore
              const auto before = core_limits();
              const CoreFiles files;
              if (core_limits() == before) return 1;
              files.settle(true);
              if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) return 2;
              return core_limits() == before ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace tokenrail
