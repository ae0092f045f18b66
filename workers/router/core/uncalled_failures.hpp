// Why a request ends without a call, for its sender. Pure.
#pragma once

#include "common/events/errors.hpp"

namespace tokenrail::router {

[[nodiscard]] events::Failure too_many_lost(int lost);
[[nodiscard]] events::Failure cancelled();
[[nodiscard]] events::Failure too_late();

}  // namespace tokenrail::router
