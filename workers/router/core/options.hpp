// The router's options as plain values, with their defaults. workers/router/settings.cpp declares them as settings and
// takes the defaults from here.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/events/audit.hpp"
#include "common/events/chat_request.hpp"
#include "common/providers/provider.hpp"
#include "common/registry/resolution.hpp"
#include "common/topics/names.hpp"
#include "common/topics/record_size.hpp"
#include "workers/router/core/circuit.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/hedge_policy.hpp"
#include "workers/router/core/retry_policy.hpp"

namespace tokenrail::router {

struct RouterOptions {
  topics::Names topics{};
  events::RequestLimits request_limits{};
  providers::DecoderLimits decoder_limits{.answer_bytes_max = 16 * 1024 * 1024};
  registry::ResolutionRules resolution{};
  RetryRules retry{};
  HedgeRules hedge{};
  CircuitRules circuits{};
  int restarts_max = 2;  ///< of a request whose answer broke off (onInterrupt: restart)

  // How much runs and waits at a time.
  std::size_t in_flight_max = 10'000;            ///< attempts of the process
  std::size_t org_in_flight_max = 5'000;         ///< attempts of one organisation
  std::map<std::string, int> org_weights{};      ///< requests an organisation starts in its turn; others: 1
  std::size_t connection_in_flight_max = 2'500;  ///< attempts that call one connection
  std::size_t window_requests_max = 20'000;      ///< read and not complete; beyond it reading stops
  std::size_t window_bytes_max = 256 * 1024 * 1024;
  std::size_t answers_bytes_max = 256 * 1024 * 1024;  ///< held of answers of providers, over all attempts
  std::int64_t partition_span_max = 100'000;          ///< offsets from the oldest incomplete to the newest read

  // The clocks of a call.
  Millis connect_timeout{5'000};
  Millis first_token_timeout{300'000};  ///< a local model may have to be loaded first
  Millis idle_timeout{60'000};
  Millis total_timeout{900'000};
  Millis request_timeout_default{900'000};  ///< deadline of a request that names none, from its timestamp

  std::size_t partition_attempts_max = 15'000;  ///< see attempts_listed_max()

  Millis commit_interval{500};
  Millis unreported_max{120'000};  ///< our clock over the oldest record without a delivery report
  Millis lease{30'000};            ///< a worker that goes on with attempts after a hand-over renews within this
  Millis drain_grace{10'000};      ///< behind the drain deadline, for the brokers to acknowledge what ended at it
  Millis release_wait{5'000};      ///< for `released` to be known to count; then the partition is given up without it
  Millis session_timeout{15'000};  ///< a loop that stood still longer than this cannot rely on what it owns
  int lost_attempts_max = 5;       ///< workers lost over a request before it is ended as INTERNAL

  // Requests of late: seen again they are not run again.
  Millis dedupe_window{600'000};
  std::size_t dedupe_requests_max = 100'000;        ///< a partition
  std::size_t dedupe_bytes_max = 64 * 1024 * 1024;  ///< of the audit tail that a successor reads for it
  /// Where the logs are read from a time because there is no metadata: so much earlier, and the dedupe window.
  Millis tail_margin{600'000};
  Millis cancellation_window{600'000};  ///< how long a cancellation is remembered
  Millis cancellations_wait{15'000};    ///< for cancellations to be read at a start; then it goes on without them
  Millis look_interval{5'000};          ///< how often the brokers are asked whether the logs are still the same
  std::size_t cancellations_max = 100'000;

  std::size_t record_bytes_max = topics::record_bytes_default;  ///< of a value on chat.chunks and llm.audit
  events::ContentPolicy content_policy = events::ContentPolicy::truncated;
  std::size_t content_bytes_max = 2'048;  ///< of one audited text where the policy is `truncated`
  events::RedactionPatterns redaction{};  ///< what is taken out of audited texts beside secrets
};

/// How many attempts a partition may run at a time: each is listed in `router.released` and `router.continuing`, and
/// either has to fit a record of that size. At most `wanted`, at least 1.
[[nodiscard]] constexpr std::size_t attempts_listed_max(std::size_t record_bytes_max, std::size_t wanted) {
  constexpr std::size_t rest = 1'024;
  constexpr std::size_t each = 61;  // two numbers of 19 digits and their names
  return std::clamp<std::size_t>((record_bytes_max - std::min(record_bytes_max, rest)) / each, 1, wanted);
}

}  // namespace tokenrail::router
