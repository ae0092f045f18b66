// A provider's wire format, as the simulator speaks it: how a request is read, and which bytes each part of an answer
// is. Pace, faults and the journal know nothing of it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/models.hpp"

namespace tokenrail::simulator {

struct ToolCall {
  int index = 0;
  std::string id{};
  std::string name{};
  std::string arguments{};  ///< a JSON object
};

/// One of `parts` pieces of a text, from 0 on.
[[nodiscard]] std::string_view piece_of(std::string_view text, std::size_t part, std::size_t parts);

/// How an answer ends.
struct Ending {
  std::string reason{};  ///< "stop", "length", "content_filter", or what the behaviour says
  bool calls = false;    ///< with tool calls
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t thinking_tokens = 0;  ///< among the output tokens
};

struct WholeAnswer {
  std::string thinking{};
  std::string text{};
  std::vector<ToolCall> calls{};
  Ending ending{};
};

/// Writes the frames of one streamed answer, or one whole answer. Each call appends to `out`.
class Frames {
 public:
  virtual ~Frames() = default;
  /// What comes before the first piece.
  virtual void begin(std::string& /*out*/) {}
  virtual void keepalive(std::string& out) { out += ": keep-alive\n\n"; }
  virtual void thinking(std::string& out, std::string_view piece) = 0;
  virtual void text(std::string& out, std::string_view piece) = 0;
  /// One of `parts` pieces of a call, from 0 on; the first begins it. An API that sends calls whole writes all of it
  /// with the last one.
  virtual void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) = 0;
  virtual void end(std::string& out, const Ending& ending) = 0;
  /// An error item inside the 200. The stream ends after it.
  virtual void error(std::string& out, std::string_view text) = 0;
  /// A frame whose payload is no JSON.
  virtual void malformed(std::string& out) { out += "data: {\"malformed\": this event is not JSON\n\n"; }
  virtual void whole(std::string& out, const WholeAnswer& answer) = 0;
  /// The answer to a call without messages, where the API has one.
  virtual void loaded(std::string& /*out*/) {}
};

/// Why a call is refused.
enum class Why {
  status,          ///< only the status counts
  unknown_model,   ///< `text` is the model
  wrong_key,       ///< 401
  context_length,  ///< the prompt is too long
  content_filter,  ///< the prompt is not allowed
  prefill,         ///< the last message is the assistant's
  invalid,         ///< `text` says what is wrong
};
struct Problem {
  int status = 400;
  Why why = Why::status;
  std::string text{};
  std::string retry_after{};  ///< seconds; for dialects that have it in the body
};

struct Refusal {
  std::string body{};
  bool has_delay = false;  ///< `retry_after` is in the body, so there is no header for it
};

struct Asked {
  std::string path{};  ///< decoded
  std::string query{};
  std::string body{};
};

/// A chat request as far as the simulator cares.
struct ChatRequest {
  ChatCall call{};
  std::string directive_message{};  ///< the last user message as received
  std::int64_t messages = 0;
  bool offers_tools = false;
};

/// A page of the list of models, as the query asks for it.
struct ModelQuery {
  const std::vector<Model>& models;
  std::string query{};
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view stream_type() const { return "text/event-stream"; }
  [[nodiscard]] virtual std::string_view json_type() const { return "application/json"; }
  /// Error: what is wrong with the request, in the provider's words.
  [[nodiscard]] virtual Result<ChatRequest> read(const Asked& asked) const = 0;
  /// Keeps a reference to `call` and to `now`.
  [[nodiscard]] virtual std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& now) const = 0;
  [[nodiscard]] virtual Refusal refusal(const Problem& problem) const = 0;
  [[nodiscard]] virtual std::string models(const ModelQuery& query) const = 0;
  /// What this model cannot do of what is asked; the provider's words.
  [[nodiscard]] virtual std::string lacks(const Model& /*model*/, const ChatRequest& /*request*/) const { return ""; }
};

[[nodiscard]] const Dialect& ollama_dialect();
[[nodiscard]] const Dialect& openai_dialect();
[[nodiscard]] const Dialect& azure_dialect();
[[nodiscard]] const Dialect& responses_dialect();
[[nodiscard]] const Dialect& anthropic_dialect();
[[nodiscard]] const Dialect& gemini_dialect();
[[nodiscard]] const Dialect& cohere_dialect();

/// What a path of a provider's API is.
struct Endpoint {
  enum class Kind { chat, models };
  Kind kind = Kind::chat;
  const Dialect* dialect = nullptr;
};
/// By the end of the path, so that a base URL may have a path of its own. `anthropic`: the call has that API's version
/// header; three APIs share /v1/models.
[[nodiscard]] std::optional<Endpoint> find_endpoint(std::string_view method, std::string_view path,
                                                    std::string_view query, bool anthropic);

/// "a%3Ab" as "a:b".
[[nodiscard]] std::string percent_decoded(std::string_view text);
/// A value of "a=1&b=2", decoded; empty where it is missing.
[[nodiscard]] std::string query_value(std::string_view query, std::string_view name);
[[nodiscard]] std::uint64_t query_number(std::string_view query, std::string_view name, std::uint64_t otherwise);

/// A JSON string.
[[nodiscard]] std::string json_string(std::string_view text);
/// An id that is the same for the same call.
[[nodiscard]] std::string id_of(const ChatCall& call, std::string_view prefix, int digits);

/// A page of a list, and where the next begins.
struct Page {
  std::size_t first = 0;
  std::size_t last = 0;  ///< one behind the last
  bool more = false;
};
[[nodiscard]] Page page_of(std::size_t size, std::size_t first, std::size_t limit);

/// What a refusal says for a status and a reason: the first row that fits counts.
struct ProblemRow {
  int status;  ///< 0: any
  Why why;
  std::string_view type;
  std::string_view code;
  std::string_view text;  ///< {} is Problem::text; empty: only that
};
struct ProblemWords {
  std::string type{};
  std::string code{};
  std::string text{};
};
/// Of a table whose last row has status 0.
template <std::size_t Size>
[[nodiscard]] ProblemWords words_of(const ProblemRow (&rows)[Size], const Problem& problem);
[[nodiscard]] ProblemWords words_of(const ProblemRow* rows, std::size_t size, const Problem& problem);
template <std::size_t Size>
ProblemWords words_of(const ProblemRow (&rows)[Size], const Problem& problem) {
  return words_of(static_cast<const ProblemRow*>(rows), Size, problem);
}

}  // namespace tokenrail::simulator
