#include "workers/router/core/record_output.hpp"

namespace tokenrail::router {

std::optional<RecordOutput::NotTaken> RecordOutput::send(Output output, const std::optional<std::string>& key,
                                                         std::optional<std::string_view> value,
                                                         const kafka::Headers* headers, const Sent& what) {
  Sent sent = what;
  sent.partition = partition_;
  sent.generation = generation_;
  sent.bytes = static_cast<std::uint32_t>(value ? value->size() : 0);
  if (kept_.empty()) {
    const auto produced = io_.send(output, key, value, headers, sent);
    if (produced == kafka::Produced::accepted) {
      ++unreported_;
      return std::nullopt;
    }
    if (produced != kafka::Produced::queue_full) return NotTaken{.sent = sent, .why = produced};
  }
  kept_.push_back({.output = output,
                   .key = key,
                   .value = value ? std::optional<std::string>(*value) : std::nullopt,
                   .headers = headers != nullptr ? std::optional(*headers) : std::nullopt,
                   .sent = sent});
  return std::nullopt;
}

std::optional<RecordOutput::NotTaken> RecordOutput::send_kept() {
  while (!kept_.empty()) {
    const auto& next = kept_.front();
    const auto value = next.value ? std::optional<std::string_view>(*next.value) : std::nullopt;
    const auto produced = io_.send(next.output, next.key, value, next.headers ? &*next.headers : nullptr, next.sent);
    if (produced == kafka::Produced::queue_full) return std::nullopt;
    const auto sent = next.sent;
    kept_.pop_front();
    if (produced != kafka::Produced::accepted) return NotTaken{.sent = sent, .why = produced};
    ++unreported_;
  }
  return std::nullopt;
}

void RecordOutput::drop_kept_of(std::uint64_t unit) {
  std::erase_if(kept_, [&](const Kept& kept) { return kept.sent.unit == unit; });
}

}  // namespace tokenrail::router
