#include "workers/router/core/tail_locator.hpp"

#include "common/kafka/consumer.hpp"

namespace tokenrail::router {

namespace {

constexpr int refusals_max = 3;
constexpr Millis ask_again{1'000};

}  // namespace

void TailLocator::begin() {
  audit_ = {};
  chunks_ = {};
  refused_ = 0;
  ask_at_ = Millis::max();
}

std::vector<Log> TailLocator::to_ask() {
  ask_at_ = Millis::max();
  std::vector<Log> logs;
  if (!audit_.answer) logs.push_back(Log::audit);
  if (!chunks_.answer) logs.push_back(Log::chunks);
  return logs;
}

TailLocator::Step TailLocator::answered(std::uint32_t question, const Result<LogPlaces>& answer, Millis now) {
  auto* const asked = question == audit_.question ? &audit_ : question == chunks_.question ? &chunks_ : nullptr;
  if (asked == nullptr) return Step::waits;
  asked->question = 0;
  if (answer) {
    asked->answer = *answer;
  } else if (++refused_ >= refusals_max) {
    return Step::given_up;
  }
  if (audit_.question != 0 || chunks_.question != 0) return Step::waits;
  if (!audit_.answer || !chunks_.answer) {
    ask_at_ = now + ask_again;
    return Step::waits;
  }
  // No chunk is that new: there is nothing to be read, unless somebody goes on writing. Where the log begins behind the
  // time, newer ones may have been deleted.
  const auto& chunks = *chunks_.answer;
  find({.audit = events::AuditOffset(audit_.answer->at.value_or(kafka::offset_beginning)),
        .chunk = events::ChunkOffset(chunks.at.value_or(chunks.next)),
        .chunk_may_be_cut = chunks.at.value_or(chunks.next) <= chunks.first});
  return Step::found;
}

void TailLocator::find(const Tails& tails) {
  audit_.question = chunks_.question = 0;
  found_ = tails;
}

}  // namespace tokenrail::router
