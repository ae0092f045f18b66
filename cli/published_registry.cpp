#include "cli/published_registry.hpp"

#include <fmt/format.h>

#include "cli/log_walk.hpp"

namespace tokenrail::cli {

Result<registry::Projection> read_published_registry(const Context& context, std::chrono::seconds patience) {
  registry::Projection projection;
  const LogWalk walk{.topic = context.topic_names().registry,
                     .partition = {},
                     .from_beginning = true,
                     .until_end = true,
                     .timeout = patience};
  const auto end = walk_log(context.kafka_properties(), walk, [&](const kafka::Record& record) {
    if (record.key) projection.apply(*record.key, record.value);
    return true;
  });
  if (!end) return std::unexpected(end.error());
  if (*end == WalkEnd::timed_out)
    return fail(ErrorKind::timed_out,
                fmt::format("{} could not be read to its end within {} s", walk.topic, patience.count()));
  if (*end == WalkEnd::interrupted) return fail(ErrorKind::cancelled, "ended before the registry was read");
  return projection;
}

}  // namespace tokenrail::cli
