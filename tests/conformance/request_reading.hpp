// A second reading of the requests that adapters write: the conversation that a provider finds in one, and what it
// would refuse about it. Shares no code with the adapters; the rules are those of the wire formats.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/speakers.hpp"

namespace tokenrail::conformance {

struct ReadCall {
  std::string id{};
  std::string name{};
  std::string arguments{};  ///< in one spelling; see tree::canonical()
  std::string result{};
  bool answered = false;
};

struct ReadTurn {
  std::string role{};  ///< system, user, assistant
  std::string text{};
  std::string reasoning{};
  std::vector<ReadCall> calls{};
};

struct RequestReading {
  std::vector<ReadTurn> turns{};
  std::vector<std::string> problems{};
};

[[nodiscard]] RequestReading read_request(const Speaker& speaker, std::string_view body);

}  // namespace tokenrail::conformance
