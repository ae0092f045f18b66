// For checks that stay on in release builds. What they find is a fault of this program: it ends, and the next owner
// recovers from the log, as after any other end.
#pragma once

#include <string_view>

namespace tokenrail::router {

/// Writes the reason to the log and ends the process.
[[noreturn]] void invariant_broken(std::string_view what);

}  // namespace tokenrail::router
