// Core files of a process that holds keys: none is written, unless an operator wants one. Linux only.
#pragma once

#include <sys/prctl.h>
#include <sys/resource.h>

namespace tokenrail {

/// At the start of main(), before any thread and any secret. From here on a crash writes no core file: not as a file
/// (RLIMIT_CORE), and not into a program that /proc/sys/kernel/core_pattern names, which does not mind that limit
/// (PR_SET_DUMPABLE). Only root can attach a debugger then, and /proc/PID belongs to root.
class CoreFiles {
 public:
  CoreFiles() {
    known_ = getrlimit(RLIMIT_CORE, &before_) == 0;
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    if (known_) setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }

  /// Once the settings are read. `wanted`: everything is as it was when the process started. Otherwise the limit is 0
  /// for good, for the process and for those that it starts.
  void settle(bool wanted) const {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (known_) setrlimit(RLIMIT_CORE, wanted ? &before_ : &none);
    if (wanted) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }

 private:
  rlimit before_{};
  bool known_ = false;
};

}  // namespace tokenrail
