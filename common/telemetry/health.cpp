#include "common/telemetry/health.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/telemetry/text_escape.hpp"

namespace tokenrail::telemetry {

ReadyAnswer ready_answer(const std::vector<Condition>& conditions) {
  const bool ready = std::ranges::all_of(conditions, [](const Condition& c) { return c.problem.empty(); });
  ReadyAnswer out{.status = ready ? 200 : 503, .body = fmt::format(R"({{"ready":{},"conditions":[)", ready)};
  bool first = true;
  for (const Condition& condition : conditions) {
    if (!first) out.body += ',';
    first = false;
    out.body += fmt::format(R"({{"name":"{}","ok":{})", json_string(condition.name), condition.problem.empty());
    if (!condition.problem.empty()) out.body += fmt::format(R"(,"problem":"{}")", json_string(condition.problem));
    if (!condition.note.empty()) out.body += fmt::format(R"(,"note":"{}")", json_string(condition.note));
    out.body += '}';
  }
  out.body += "]}\n";
  return out;
}

}  // namespace tokenrail::telemetry
