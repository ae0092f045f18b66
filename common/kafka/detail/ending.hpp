// The threads on which clients end (endings.hpp). Any thread.
#pragma once

#include <functional>

namespace tokenrail::kafka::detail {

/// Runs `end` on a thread of its own, and forgets it there before that counts as ended.
void end_beside(std::function<void()> end);

}  // namespace tokenrail::kafka::detail
