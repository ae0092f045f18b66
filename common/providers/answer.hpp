// What a provider's answer consists of, whatever its wire format: a decoder turns bytes into these events, one after
// the other, and a sink takes them. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/events/errors.hpp"
#include "common/http/client.hpp"

namespace tokenrail::providers {

/// Why a call failed, and what that means for the route.
struct CallFailure {
  events::Failure failure;  ///< `provider` is left empty; the caller fills it in
  bool retry = false;       ///< the same deployment may be tried again
  bool try_next = false;    ///< another deployment may help
  std::optional<std::chrono::milliseconds> retry_after{};
  std::string error_class{};         ///< short word for the audit: auth, not_found_model, rate_limited, …
  std::optional<int> retries_max{};  ///< of the same deployment, where the provider's nature bounds them; unset: not
};

/// Views die with the call that delivers the event.
struct TextDelta {
  std::string_view text;
};
struct ReasoningDelta {
  std::string_view text;
};
/// A whole call: its fragments are assembled, its arguments are one valid JSON object.
struct ToolCallDone {
  events::ToolCall call;
};
/// Something that only this provider understands and wants back with the next request: a reasoning signature, say.
struct OpaqueBlock {
  events::ProviderBlock block;
};
/// May come more than once; a later one replaces an earlier one.
struct UsageReport {
  events::Usage usage;
  bool last = true;  ///< false: of what has come so far; there is more where the answer breaks off now
};
/// How the provider names this exchange, for its support.
struct ProviderRequestId {
  std::string_view id;
};
/// Something that the reader of the answer should know though the answer is whole; for the terminal chunk's `warnings`.
struct AnswerWarning {
  std::string_view text;
};
/// The provider said that the answer is whole. Nothing follows.
struct AnswerFinished {
  events::FinishReason reason;
};
/// The answer ended without being whole. Nothing follows.
struct AnswerFailed {
  CallFailure failure;
};

using AnswerEvent = std::variant<TextDelta, ReasoningDelta, ToolCallDone, OpaqueBlock, UsageReport, ProviderRequestId,
                                 AnswerWarning, AnswerFinished, AnswerFailed>;

/// Takes what a provider's bytes mean, in their order.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void on_event(AnswerEvent event) = 0;
};

/// Decodes the response to one chat call whose status is 2xx. Correct for every cut between feed() calls. Delivers
/// AnswerFinished or AnswerFailed exactly once, at the latest in end(); what comes after it is ignored.
class AnswerDecoder {
 public:
  virtual ~AnswerDecoder() = default;
  /// Before the first feed().
  virtual void head(const http::ResponseHead& /*head*/, AnswerSink& /*sink*/) {}
  virtual void feed(std::string_view bytes, AnswerSink& sink) = 0;
  /// The body ended. A stream without its terminal marker is a failure (PROVIDER_PROTOCOL), never an answer.
  virtual void end(AnswerSink& sink) = 0;
  /// Bytes taken so far of parts that are delivered whole at their end: arguments of a tool call, a signature. Only
  /// grows. Where it has grown, the provider goes on with its answer though no event came.
  [[nodiscard]] virtual std::uint64_t piece_bytes() const { return 0; }
  /// Events of the answer that could not be read and were left out.
  [[nodiscard]] virtual std::size_t skipped_events() const { return 0; }
  /// Memory that unfinished parts of the answer take now.
  [[nodiscard]] virtual std::size_t held_bytes() const = 0;
};

struct DecoderLimits {
  std::size_t item_bytes_max = 4 * 1024 * 1024;     ///< one line or event
  std::size_t answer_bytes_max = 64 * 1024 * 1024;  ///< all text, reasoning and tool calls; RESPONSE_TOO_LARGE
};

}  // namespace tokenrail::providers
