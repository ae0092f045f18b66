#include "cli/verify/overlooked.hpp"

#include <algorithm>

#include "common/events/commit_metadata.hpp"

namespace tokenrail::verify {

Overlooked::Overlooked(const CheckOptions& options) : options_(options) {
  if (const auto metadata = events::decode_commit_metadata(options.metadata); metadata && options.committed)
    below_ = metadata->audit_offset.value();
}

bool Overlooked::note(std::int64_t source_offset, const Event& event) {
  if (!options_.committed || source_offset < *options_.committed || event.at >= below_ || first_) return false;
  if (source_offset < options_.requests_from) {
    first_ = event.at;
    return false;
  }
  if (options_.ends.requests && source_offset >= *options_.ends.requests) return false;
  // Of several about one request the newest: all before the topic was created again are older than that.
  waiting_.insert_or_assign(source_offset, Waiting{.at = event.at,
                                                   .broker_ms = event.broker_ms,
                                                   .org_id = event.about->org_id,
                                                   .request_id = event.about->request_id});
  return true;
}

void Overlooked::is_there(std::int64_t source_offset, const Subject& about, const Asked& asked) {
  const auto event = waiting_.find(source_offset);
  if (event == waiting_.end() || event->second.org_id != about.org_id || event->second.request_id != about.request_id)
    return;
  const bool older = event->second.broker_ms >= 0 && asked.broker_ms >= 0 &&
                     event->second.broker_ms + options_.clock_skew_ms < asked.broker_ms;
  if (!older) first_ = std::min(first_.value_or(event->second.at), event->second.at);
}

}  // namespace tokenrail::verify
