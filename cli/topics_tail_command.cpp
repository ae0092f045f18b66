// `tokenrail topics tail`: the records of a topic as they come.
#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/log_walk.hpp"
#include "cli/record_text.hpp"

namespace tokenrail::cli {

int run_topics_tail(const Context& context) {
  const Call& call = context.call;
  const std::string& name = call.arguments.front();
  const std::string& prefix = context.values.text("topic.prefix");
  LogWalk walk{.topic = !prefix.empty() && name.starts_with(prefix) ? name : context.topic(name),
               .partition = {},
               .from_beginning = call.has("from-beginning"),
               .until_end = call.has("until-end"),
               .timeout = {}};
  std::optional<std::int32_t> count;
  if (const auto text = call.value("count")) {
    count = parse_count(*text);
    if (!count)
      return context.failed(
          {ErrorKind::invalid_input, fmt::format("--count {}: a whole number above 0 is needed", *text)});
  }
  if (const auto text = call.value("partition")) {
    walk.partition = *text == "0" ? 0 : parse_count(*text);
    if (!walk.partition)
      return context.failed({ErrorKind::invalid_input, fmt::format("--partition {}: a whole number is needed", *text)});
  }
  if (const auto text = call.value("timeout")) {
    const auto timeout = duration_flag("timeout", *text);
    if (!timeout) return context.failed(timeout.error());
    walk.timeout = *timeout;
  }
  Terminal& terminal = context.terminal;
  const auto key = call.value("key");
  const auto contains = call.value("contains");

  std::int32_t shown = 0;
  const auto end = walk_log(context.kafka_properties(), walk, [&](const kafka::Record& record) {
    if (key && record.key != *key) return true;
    if (contains && (!record.value || record.value->find(*contains) == std::string::npos)) return true;
    terminal.out_line(context.json() ? record_json(record) : record_line(record));
    return terminal.out_error() == 0 && !(count && ++shown >= *count);
  });
  if (!end) return context.failed(end.error());
  if (*end == WalkEnd::timed_out) {
    terminal.note(fmt::format("{} record{} in time", shown, shown == 1 ? "" : "s"));
    return exit_timed_out;
  }
  return *end == WalkEnd::interrupted ? exit_interrupted : exit_done;
}

}  // namespace tokenrail::cli
