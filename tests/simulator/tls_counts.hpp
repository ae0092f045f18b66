// Connections of the port with TLS, which the front counts and the hub reports.
#pragma once

#include <cstdint>

namespace tokenrail::simulator {

struct TlsCounts {
  std::uint64_t handshakes = 0;  ///< that were finished
  std::uint64_t resumed = 0;     ///< of these, with the session of an earlier one
};

}  // namespace tokenrail::simulator
