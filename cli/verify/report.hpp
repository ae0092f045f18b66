// What a check found, as text and as JSON. Pure.
#pragma once

#include <string>

#include "cli/verify/findings.hpp"

namespace tokenrail::verify {

/// "P3 llm.audit 2:4,7  request r-1 of acme …" on one line: promise, topic, partition:offsets, text.
[[nodiscard]] std::string violation_line(const Violation& violation);
/// {"violation","topic","partition","offsets":[…],"text"}
[[nodiscard]] std::string violation_json(const Violation& violation);

/// One figure a line, those that are 0 and say nothing then left out.
[[nodiscard]] std::string figures_text(const Figures& figures);
/// {"figures":{…}} with every figure; `takeoverMs`: count, p50, max.
[[nodiscard]] std::string figures_json(const Figures& figures);

}  // namespace tokenrail::verify
