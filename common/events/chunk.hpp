// Chunks: the pieces of an attempt's answer on `chat.chunks` (schemas/chat-chunk.schema.json).
//
// The reader's rule: per (orgId, requestId) the highest attempt wins; when a higher attempt appears, drop what you
// have; within an attempt `seq` is contiguous from 0; a terminal chunk with finishReason "error" is an answer too.
// Attempt 0 answers a duplicate and never displaces another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/errors.hpp"
#include "common/result.hpp"

namespace tokenrail::events {

enum class FinishReason { stop, length, tool_calls, content_filter, cancelled, duplicate, error };
[[nodiscard]] std::string_view name_of(FinishReason reason);

struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<std::int64_t> cached_input_tokens{};
  std::optional<std::int64_t> cache_write_input_tokens{};
  std::optional<std::int64_t> reasoning_tokens{};
  bool estimated = false;

  // Parts of the counts above that have prices of their own. Only the cost is computed from them: no record has them.
  std::int64_t cache_write_1h_tokens = 0;
  std::int64_t audio_input_tokens = 0;
  std::int64_t audio_output_tokens = 0;
  std::int64_t image_input_tokens = 0;
  std::int64_t image_output_tokens = 0;
};

struct Timing {
  std::int64_t queued_ms = 0;                    ///< from the record's timestamp to dispatch
  std::optional<std::int64_t> first_token_ms{};  ///< from dispatch
  std::int64_t total_ms = 0;                     ///< from dispatch to the terminal chunk
};

struct AnsweringModel {
  std::string provider;
  std::string name;
};

struct TerminalChunk {
  std::int64_t seq = 0;
  FinishReason finish_reason = FinishReason::stop;
  std::optional<Usage> usage{};
  std::optional<AnsweringModel> model{};
  Timing timing{};
  std::int64_t source_offset = 0;
  std::optional<std::int64_t> cost_micros{};  ///< micro-dollars; nothing: the price is unknown
  std::string price_version{};
  std::string provider_request_id{};
  std::vector<std::string> warnings{};
  int continued = 0;  ///< times that the provider was asked to go on from what it had said
  bool recovered = false;
  std::optional<std::int64_t> duplicate_of_offset{};
  std::optional<std::int64_t> duplicate_of_attempt{};
  std::string reply_topic{};
  std::optional<Failure> failure{};  ///< finish_reason error (and cancelled, where there is something to say)
};

/// Writes the chunks of one attempt. The part that all chunks of an attempt share is made once, so that writing a delta
/// costs one copy and one escaping pass. Not thread-safe; one a attempt.
class ChunkWriter {
 public:
  ChunkWriter(std::string_view request_id, std::string_view org_id, std::int64_t attempt);

  struct Delta {
    std::string_view text{};       ///< empty: `delta` is null
    std::string_view reasoning{};  ///< empty: left out
    const std::vector<ToolCall>* tool_calls = nullptr;
    const std::vector<ProviderBlock>* provider_blocks = nullptr;  ///< their `data` is written as it is: valid JSON
  };
  /// Replaces what is in `out`. Text that is not valid UTF-8 has its bad bytes replaced by U+FFFD.
  void write(std::string& out, std::int64_t seq, const Delta& delta) const;
  void write(std::string& out, const TerminalChunk& terminal) const;
  /// The same in at most `bytes_max`: what does not fit is taken from `terminal`, its warnings first, the newest before
  /// the older ones, then the end of its message. The rest is written in any case.
  void write_within(std::string& out, TerminalChunk& terminal, std::size_t bytes_max) const;

  /// An upper bound of the record size for a text of that many bytes, before escaping widens it.
  [[nodiscard]] std::size_t overhead_bytes() const { return prefix_.size() + 128; }
  /// What every chunk of the attempt begins with, up to the number of its seq.
  [[nodiscard]] std::string_view attempt_prefix() const { return prefix_; }

 private:
  std::string prefix_;
};

/// A chunk as a reader sees it (tolerant).
struct Chunk {
  std::string request_id;
  std::string org_id;
  std::int64_t attempt = 0;
  std::int64_t seq = 0;
  std::optional<std::string> delta{};
  std::string reasoning{};
  std::vector<ToolCall> tool_calls{};
  std::vector<ProviderBlock> provider_blocks{};
  bool done = false;
  // Of a terminal chunk:
  std::string finish_reason{};
  std::optional<std::int64_t> chunks{};  ///< how many the attempt has, as its writer counted
  std::optional<Usage> usage{};
  std::optional<AnsweringModel> model{};
  Timing timing{};
  std::int64_t source_offset = -1;
  std::optional<std::int64_t> cost_micros{};
  std::string price_version{};
  std::string provider_request_id{};
  std::vector<std::string> warnings{};
  std::string error_code{};
  std::string error_message{};
  bool error_retryable = false;
  std::string error_provider{};
  std::optional<int> error_status{};
  std::int64_t continued = 0;
  bool recovered = false;
  std::optional<std::int64_t> duplicate_of_offset{};
  std::optional<std::int64_t> duplicate_of_attempt{};
  std::string reply_topic{};
};
/// Errors: invalid_input, for what is not JSON or lacks requestId, orgId, attempt or seq.
[[nodiscard]] Result<Chunk> parse_chunk(std::string_view value);

}  // namespace tokenrail::events
