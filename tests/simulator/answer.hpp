// What goes over the wire for one call, as a list of steps: these bytes, after that wait. Pure; the session sends them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/behaviour.hpp"

namespace tokenrail::simulator {

/// The k-th word (from 0) of the answer to `message`, the blank before it included. This function is the contract with
/// tests: docs/how-to/provider-simulator.md has it in words and in Python.
[[nodiscard]] std::string answer_token(std::string_view message, const Behaviour& behaviour, std::uint64_t index);

/// The whole text of an undisturbed answer (without thinking) to `message`, its directive taken out.
[[nodiscard]] std::string answer_text(std::string_view message, std::string_view model, const Behaviour& behaviour);

/// What the answer needs to know of the call.
struct ChatCall {
  std::string model{};
  std::string message{};  ///< the last user message without its directive
  bool stream = true;
  bool stream_usage = false;  ///< the stream is to end with its usage
  bool has_messages = false;
  bool ends_with_assistant = false;
  std::string prefill{};          ///< the assistant's message at the end: the answer goes on behind it
  bool asks_to_continue = false;  ///< vLLM's continue_final_message
  bool marks_prefix = false;      ///< Mistral's prefix, of the message at the end
  int user_messages = 0;          ///< with a text
  int think = -1;                 ///< -1: not said; 0: off; 1: on
  std::string first_tool{};       ///< of those offered
  std::int64_t tokens_max = -1;
  std::int64_t input_tokens = 0;  ///< of the usage
  std::int64_t created_s = 0;     ///< Unix time
  std::size_t request_bytes = 0;
};

struct Step {
  enum class Then {
    more,
    complete,  ///< the body ends in order
    reset,
    close,
    hang,
  };
  std::string bytes{};
  std::chrono::milliseconds wait{0};  ///< before these bytes
  std::string text{};                 ///< the answer's text among them
  std::size_t stamp_at = 0;           ///< where in `bytes` the time of sending goes, as digits; 0: nowhere
  int tokens = 0;
  bool fault = false;  ///< this is where it goes wrong
  Then then = Then::more;
};

/// How many digits the time of sending has.
inline constexpr std::size_t stamp_digits = 19;

/// Gives the steps of one answer in order; the last has `then` other than `more`.
class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  virtual void next(Step& step) = 0;
};

/// RFC 3339 with microseconds, as Ollama writes it; called once a line.
using CreatedAt = std::function<std::string_view()>;

class Dialect;

/// A streamed answer, or the one object of an answer that is not, as `call.stream` says.
[[nodiscard]] std::unique_ptr<AnswerSource> make_chat_source(const Dialect& dialect, ChatCall call, Behaviour behaviour,
                                                             CreatedAt created_at);

/// The bytes of `source` with a fault at a byte instead of at a token: `hang-at`, `reset-at`, `close-at`, `eof-at` and
/// `drip` of the behaviour. Another fault: `source` itself.
[[nodiscard]] std::unique_ptr<AnswerSource> with_byte_faults(std::unique_ptr<AnswerSource> source,
                                                             const Behaviour& behaviour);

/// What follows the bytes that such a fault leaves.
[[nodiscard]] Step::Then end_of(Fault fault);

/// A fixed body: by lines (each at the behaviour's pace) where `lines`, else whole.
[[nodiscard]] std::unique_ptr<AnswerSource> make_body_source(std::string body, bool lines, Behaviour behaviour);

}  // namespace tokenrail::simulator
