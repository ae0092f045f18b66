#include "workers/registry_sync/log_ends.hpp"

#include <spdlog/spdlog.h>

namespace tokenrail::registry_sync {

void LogEnds::note(const kafka::TopicPartition& partition, std::int64_t next, std::string_view what_now) {
  auto& known = ends_[partition];
  if (next < known)
    spdlog::warn("{} is another topic than was written before: it was created again, or its log went back; {}",
                 partition.topic, what_now);
  known = next;
}

}  // namespace tokenrail::registry_sync
