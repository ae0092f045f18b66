#include "cli/verify/report.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::verify {
namespace {

struct Figure {
  std::string_view name;  ///< in JSON
  std::string_view text;
  std::int64_t Figures::* value;
  bool always = false;  ///< shown also where it is 0
};

constexpr std::array<Figure, 25> table{{
    {.name = "requests", .text = "requests", .value = &Figures::requests, .always = true},
    {.name = "deadLetters", .text = "in the dead-letter topic", .value = &Figures::dead_letters},
    {.name = "attempts", .text = "attempts", .value = &Figures::attempts, .always = true},
    {.name = "reruns", .text = "re-runs", .value = &Figures::reruns, .always = true},
    {.name = "recovered", .text = "recovered from their terminal chunk", .value = &Figures::recovered},
    {.name = "duplicates", .text = "duplicates answered", .value = &Figures::duplicates},
    {.name = "duplicatesRun", .text = "duplicates run (outside the window)", .value = &Figures::duplicates_run},
    {.name = "claims", .text = "claims", .value = &Figures::claims, .always = true},
    {.name = "claimsVoid", .text = "claims that lost", .value = &Figures::claims_void},
    {.name = "releases", .text = "hand-overs in order", .value = &Figures::releases},
    {.name = "ownersLost", .text = "owners lost", .value = &Figures::owners_lost},
    {.name = "voidEvents", .text = "void events", .value = &Figures::void_events},
    {.name = "lateResponses", .text = "responses behind one that counts", .value = &Figures::late_responses},
    {.name = "earlyClosings", .text = "closed while a renewed lease ran", .value = &Figures::early_closings},
    {.name = "openRequests", .text = "requests without an answer yet", .value = &Figures::open_requests},
    {.name = "openAttempts", .text = "attempts that run", .value = &Figures::open_attempts},
    {.name = "lost", .text = "offsets reported as lost", .value = &Figures::lost},
    {.name = "unknown", .text = "requests too old to be judged", .value = &Figures::unknown},
    {.name = "displaced", .text = "attempts of requests now elsewhere", .value = &Figures::displaced},
    {.name = "requestIdsShared", .text = "request ids on several partitions", .value = &Figures::names_shared},
    {.name = "unreadable", .text = "unreadable records", .value = &Figures::unreadable},
    {.name = "senderTimes", .text = "records with their sender's time", .value = &Figures::sender_times},
    {.name = "chunks", .text = "chunks", .value = &Figures::chunks},
    {.name = "auditEvents", .text = "audit events", .value = &Figures::audit_events},
    {.name = "auditTailMax", .text = "audit tail of the next claim, at most", .value = &Figures::audit_tail},
}};

constexpr std::size_t text_width = 38;

void append_line(std::string& out, std::string_view text, const std::string& value) {
  fmt::format_to(std::back_inserter(out), "{:<{}}{}\n", text, text_width, value);
}

struct Spread {
  std::int64_t median = 0;
  std::int64_t highest = 0;
};
Spread spread_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {.median = values[(values.size() - 1) / 2], .highest = values.back()};
}

}  // namespace

std::string violation_line(const Violation& violation) {
  return fmt::format("{} {} {}:{}  {}", name_of(violation.promise), violation.topic, violation.partition,
                     fmt::join(violation.offsets, ","), violation.text);
}

std::string violation_json(const Violation& violation) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("violation", name_of(violation.promise));
  json.field("topic", violation.topic);
  json.field("partition", static_cast<std::int64_t>(violation.partition));
  json.begin_array("offsets");
  for (const auto offset : violation.offsets) json.element(offset);
  json.end_array();
  json.field("text", violation.text);
  json.end_object();
  return out;
}

std::string figures_text(const Figures& figures) {
  std::string out;
  for (const auto& figure : table) {
    if (figures.*figure.value != 0 || figure.always)
      append_line(out, figure.text, fmt::format("{}", figures.*figure.value));
  }
  for (const auto& [cause, count] : figures.interrupted)
    append_line(out, fmt::format("interrupted ({})", cause), fmt::format("{}", count));
  if (!figures.takeover_ms.empty()) {
    const auto spread = spread_of(figures.takeover_ms);
    append_line(out, "claim to first dispatch after a loss",
                fmt::format("p50 {} ms, at most {} ms", spread.median, spread.highest));
  }
  return out;
}

std::string figures_json(const Figures& figures) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.begin_object("figures");
  for (const auto& figure : table) json.field(figure.name, figures.*figure.value);
  json.begin_object("interrupted");
  for (const auto& [cause, count] : figures.interrupted) json.field(cause, count);
  json.end_object();
  const auto spread = spread_of(figures.takeover_ms);
  json.begin_object("takeoverMs");
  json.field("count", static_cast<std::int64_t>(figures.takeover_ms.size()));
  json.field("p50", spread.median);
  json.field("max", spread.highest);
  json.end_object();
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace tokenrail::verify
