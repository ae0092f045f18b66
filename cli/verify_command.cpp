// `tokenrail verify`: checks the promises from the topics.
#include <chrono>

#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/verify/report.hpp"
#include "cli/verify_reading.hpp"

namespace tokenrail::cli {
namespace {

Result<VerifyCall> verify_call(const Context& context) {
  const Call& call = context.call;
  const auto wrong = [](std::string text) { return fail(ErrorKind::invalid_input, std::move(text)); };
  VerifyCall asked{.topics = context.topic_names(),
                   .group = call.value("group").value_or("tokenrail-router"),
                   .at_rest = call.has("at-rest")};
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  for (const auto& [flag, place] : {std::pair("from", &asked.from_ms), std::pair("to", &asked.to_ms)}) {
    const auto text = call.value(flag);
    if (!text) continue;
    const auto moment = moment_flag(flag, *text, now.count());
    if (!moment) return std::unexpected(moment.error());
    *place = *moment;
  }
  if (asked.from_ms && asked.to_ms && *asked.from_ms >= *asked.to_ms) return wrong("--from must be earlier than --to");
  if (asked.at_rest && asked.to_ms)
    return wrong("--at-rest and --to exclude each other: what had not ended at a time may have ended since");
  if (const auto text = call.value("partition")) {
    asked.partition = *text == "0" ? 0 : parse_count(*text);
    if (!asked.partition) return wrong(fmt::format("--partition {}: a whole number is needed", *text));
  }
  if (const auto text = call.value("dedupe-window")) {
    const auto window = duration_flag("dedupe-window", *text, Zero::allowed);
    if (!window) return std::unexpected(window.error());
    asked.dedupe_window = *window;
  }
  if (const auto text = call.value("timeout")) {
    const auto patience = duration_flag("timeout", *text);
    if (!patience) return std::unexpected(patience.error());
    asked.patience = *patience;
  }
  return asked;
}

}  // namespace

int run_verify(const Context& context) {
  const auto asked = verify_call(context);
  if (!asked) return context.failed(asked.error());
  const auto verified = verify_topics(context.kafka_properties(), *asked);
  if (!verified) return context.failed(verified.error());

  Terminal& terminal = context.terminal;
  for (const auto& violation : verified->violations)
    terminal.out_line(context.json() ? verify::violation_json(violation)
                                     : without_controls(verify::violation_line(violation)));
  if (context.json()) {
    terminal.out_line(verify::figures_json(verified->figures));
  } else {
    terminal.out(verify::figures_text(verified->figures));
  }
  for (const auto& note : verified->notes) terminal.note(note);
  const auto broken = static_cast<std::int64_t>(verified->violations.size()) + verified->figures.violations_left;
  const auto partitions = fmt::format("{} partition{}", verified->partitions, verified->partitions == 1 ? "" : "s");
  if (broken == 0) {
    terminal.note(fmt::format("clean: no promise is broken on {}", partitions));
    return exit_done;
  }
  if (verified->figures.violations_left > 0)
    terminal.note(fmt::format("{} further violations are not listed", verified->figures.violations_left));
  terminal.error(fmt::format("{} violation{} on {}", broken, broken == 1 ? "" : "s", partitions));
  return exit_bad;
}

}  // namespace tokenrail::cli
