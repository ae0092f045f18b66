// How the simulator answers one call: what it says, at which pace, and what goes wrong. The same keys are written in a
// script, posted to /_sim/behaviour, or put into the last user message as `[[sim key=value …]]`. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::simulator {

enum class Fault {
  none,
  status,        ///< an error status instead of an answer
  reset,         ///< the connection is reset after N tokens
  close,         ///< the connection is closed in the middle of the body after N tokens
  eof,           ///< the body ends in order after N tokens, without a done line
  error,         ///< an error line after N tokens
  malformed,     ///< a line that is not JSON after N tokens
  endless,       ///< tokens without end
  hang,          ///< nothing more after N tokens (head and tokens are sent before)
  silent,        ///< nothing at all, not even a head
  huge_line,     ///< one line of N megabytes as the first token
  slow_headers,  ///< one byte of the head each N ms
  newlines,      ///< nothing but line ends, one each N ms

  reset_at_once,   ///< the connection is reset before the head
  context_length,  ///< status 400 in the provider's words: the prompt is too long
  content_filter,  ///< … the prompt is not allowed
  garbled,         ///< an item that is not JSON after N tokens, then the rest of the answer
  garbled_twice,   ///< two of them
  no_end,          ///< the very last frame of the answer is missing; the body ends in order
  hang_at,         ///< as above, after N bytes of the body instead of tokens
  reset_at,
  close_at,
  eof_at,
  drip,  ///< one byte of the body each N ms
};
[[nodiscard]] std::string_view name_of(Fault fault);

/// What becomes of a conversation that ends with an assistant message.
enum class Continues {
  on,     ///< the answer goes on behind it
  off,    ///< it is answered from the beginning
  asked,  ///< as vLLM and Mistral do it: refused unless the request asks for it; where it marks the message as a
          ///< prefix, the answer repeats that text first
};

struct Behaviour {
  int tokens = 12;
  std::chrono::milliseconds pace_min{0};  ///< between two tokens
  std::chrono::milliseconds pace_max{0};
  std::chrono::milliseconds first{0};      ///< before the first token
  std::chrono::milliseconds keepalive{0};  ///< line ends at that pace while waiting for the first token; 0: none
  std::uint64_t seed = 0;
  bool utf8 = false;   ///< words of several bytes a character
  bool stamp = false;  ///< say the time of sending instead of words: '@' and CLOCK_MONOTONIC in ns, 19 digits
  std::string text{};  ///< what to say, with {message} and {model} filled in; empty: made from the message
  int thinking = -1;   ///< tokens of thinking; -1: four where the request asks for thinking, else none
  std::string tool{};  ///< call this tool; "auto": the first one offered
  std::string tool_arguments = "{}";
  int tool_calls = 1;
  int fragments = 0;  ///< in which the arguments of a call come, each at the pace of a token; 0: two, at once
  std::string done_reason = "stop";
  std::int64_t input_tokens = -1;   ///< -1: a quarter of the request's bytes
  std::int64_t output_tokens = -1;  ///< -1: what was sent
  std::size_t split = 0;            ///< pieces of that many bytes instead of lines; 0: whole lines
  Fault fault = Fault::none;
  int fault_at = 0;        ///< after so many tokens, or the status, megabytes or ms of the fault
  int times = -1;          ///< the fault happens only the first so many times that this message comes; -1: always
  int flap = 0;            ///< … so many times, then so many times not, and so on; 0: always
  bool keep_alive = true;  ///< false: the connection is closed after the answer
  bool prefill = true;     ///< false: a conversation that ends with an assistant message is refused
  Continues continues = Continues::on;
  std::string error = "an error was encountered while running the model: simulated";
  std::string body{};            ///< of Fault::status; empty: {"error":"simulated status N"}
  std::string retry_after{};     ///< header of Fault::status; in the body where the provider has it there
  std::string retry_after_ms{};  ///< header of Fault::status
  std::string should_retry{};    ///< header x-should-retry of Fault::status
  std::string location{};        ///< header of Fault::status
  std::string content_type{};    ///< of the response; empty: the dialect's
  std::string replay{};          ///< answer with this recording: "ollama/stream-text"
  std::string id{};              ///< for the journal

  /// Sets one key from its text. Errors: invalid_input, naming the key and what is allowed.
  [[nodiscard]] Result<void> set(std::string_view key, std::string_view value);
  /// Sets every key of a JSON object.
  [[nodiscard]] Result<void> set_all(std::string_view json);
};

/// A message without its directive and the blanks around it; the directive's keys are set in `behaviour`.
[[nodiscard]] Result<std::string> take_directive(std::string_view message, Behaviour& behaviour);

}  // namespace tokenrail::simulator
