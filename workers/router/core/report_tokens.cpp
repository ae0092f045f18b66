#include "workers/router/core/report_tokens.hpp"

namespace tokenrail::router {

std::optional<Sent> ReportTokens::take(std::uint64_t token) {
  const auto it = sent_.find(token);
  if (it == sent_.end()) return std::nullopt;
  const auto sent = it->second;
  sent_.erase(it);
  return sent;
}

kafka::Report ReportTokens::placed(const Sent& sent, const kafka::Report& report) {
  if (sent.purpose == Purpose::terminal || sent.purpose == Purpose::dlq || !report.ok) return report;
  auto with_offset = report;
  with_offset.offset = batches_[sent.partition].offset_of(report.offset).value_or(-1);
  return with_offset;
}

void ReportTokens::clear() {
  sent_.clear();
  batches_.clear();
}

}  // namespace tokenrail::router
