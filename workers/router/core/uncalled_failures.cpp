#include "workers/router/core/uncalled_failures.hpp"

#include <fmt/format.h>

namespace tokenrail::router {

using events::ErrorCode;
using events::Failure;

Failure too_many_lost(int lost) {
  return Failure::of(
      ErrorCode::internal,
      fmt::format("{} workers were lost while they ran this request, so it is not tried again. Report it "
                  "with its requestId; the workers' logs say how they ended.",
                  lost));
}

Failure cancelled() {
  return Failure::of(ErrorCode::cancelled, "The request was cancelled before it was started.");
}

Failure too_late() {
  return Failure::of(ErrorCode::deadline_exceeded,
                     "The request's time ran out before a worker could start it. Raise timeoutMs, or add workers or "
                     "provider capacity.");
}

}  // namespace tokenrail::router
