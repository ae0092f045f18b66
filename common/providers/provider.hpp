// What a provider adapter is: pure functions from a chat request to HTTP bytes, and from HTTP bytes to what they mean.
// No I/O, no clock. One folder a provider; what differs little between providers is a row of data, not a class.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/events/errors.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

/// Where a call goes. Owned by the caller; views nothing.
struct Target {
  std::string base_url;       ///< without trailing slash
  std::string upstream_name;  ///< the model's name there
  std::string secret{};       ///< opened credential; empty: none
  std::string auth_type = "none";
};

/// Receives what a provider's bytes mean, in their order. Views die with the call.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void on_text(std::string_view text) = 0;
  virtual void on_reasoning(std::string_view text) = 0;
  virtual void on_tool_call(events::ToolCall call) = 0;
  /// Usage and the model's own name may come before the finish; later ones replace earlier ones.
  virtual void on_usage(const events::Usage& usage) = 0;
  /// Something that the reader of the answer should know though the answer is whole; for the terminal chunk's
  /// `warnings`. Before the finish.
  virtual void on_warning(std::string_view /*text*/) {}
  /// The provider said that the answer is whole. Nothing follows.
  virtual void on_finish(events::FinishReason reason) = 0;
  /// The stream is at its end without an answer that is whole. Nothing follows.
  virtual void on_failure(const events::Failure& failure) = 0;
};

/// Decodes the body of one successful (2xx) response. Correct for every cut between feed() calls. Calls on_finish or
/// on_failure exactly once, at the latest in end(); anything after that is ignored.
class AnswerDecoder {
 public:
  virtual ~AnswerDecoder() = default;
  virtual void feed(std::string_view bytes, AnswerSink& sink) = 0;
  /// The body ended. A stream without its terminal marker is a failure (PROVIDER_PROTOCOL), never an answer.
  virtual void end(AnswerSink& sink) = 0;
  /// Memory that unfinished parts of the answer take now.
  [[nodiscard]] virtual std::size_t held_bytes() const = 0;
};

struct DecoderLimits {
  std::size_t item_bytes_max = 4 * 1024 * 1024;     ///< one line or event
  std::size_t answer_bytes_max = 64 * 1024 * 1024;  ///< all text, reasoning and tool calls; RESPONSE_TOO_LARGE
};

/// What a response that is not 2xx, or a connection that failed, means for the route.
struct Classified {
  events::Failure failure;
  bool retry = false;     ///< the same deployment may be tried again
  bool try_next = false;  ///< another deployment may help
  std::optional<std::chrono::milliseconds> retry_after{};
  std::string error_class;           ///< short word for the audit: auth, not_found_model, rate_limited, …
  std::optional<int> retries_max{};  ///< of the same deployment, where the provider's nature bounds them; unset: not
};

/// A model as the provider lists it; what could not be learnt is unset.
struct ListedModel {
  std::string name;  ///< exact bytes as upstream
  std::string digest{};
  std::string family{};
  std::string parameter_size{};
  std::string quantization{};
  std::int64_t size_bytes = 0;
  std::string modified_at{};
  std::vector<std::string> capabilities{};  ///< the provider's own words; empty: not told
  std::optional<std::int64_t> context_length{};
};

class Provider {
 public:
  virtual ~Provider() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Errors: invalid_input, with a message for the sender, for what this provider cannot express at all (an image by
  /// URL, say). What it merely ignores is named in `warnings`.
  struct ChatCall {
    http::Request request;
    std::vector<std::string> warnings{};
  };
  [[nodiscard]] virtual Result<ChatCall> chat(const events::ChatRequest& request, const Target& target) const = 0;

  /// `stream`: as the call was made. `tools_offered`: calls to tools nobody offered are still passed on.
  [[nodiscard]] virtual std::unique_ptr<AnswerDecoder> decoder(bool stream, const DecoderLimits& limits) const = 0;

  /// `body` may be cut; `headers` as received. Status and text of the provider are carried on in the failure.
  [[nodiscard]] virtual Classified classify(const http::ResponseHead& head, std::string_view body) const = 0;

  /// A transfer that ended without a whole response.
  [[nodiscard]] virtual Classified classify(const http::End& end, const Target& target) const = 0;
};

/// The adapter of that name ("ollama"), or nothing. Lives as long as the process.
[[nodiscard]] const Provider* find_provider(std::string_view adapter);

/// The names that find_provider() knows.
[[nodiscard]] std::vector<std::string> adapter_names();

}  // namespace tokenrail::providers
