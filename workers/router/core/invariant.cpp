#include "workers/router/core/invariant.hpp"

#include <cstdlib>

#include <spdlog/spdlog.h>

namespace tokenrail::router {

void invariant_broken(std::string_view what) {
  spdlog::critical("this is a fault of the router, and it ends here: {}. Report it with the log above.", what);
  std::abort();
}

}  // namespace tokenrail::router
