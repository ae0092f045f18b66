// A chat request as `chat.requests` contains it (schemas/chat-request.schema.json). Reading is tolerant: unknown fields
// are ignored and counted; a field that is there but wrong is an INVALID_REQUEST that names it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/events/errors.hpp"

namespace tokenrail::events {

enum class Role { system, user, assistant, tool };
[[nodiscard]] std::string_view name_of(Role role);

/// A piece of a message. `type` is "text", "image", "file", "audio" or a name this version does not know (kept, so that
/// admission can refuse it by name).
struct ContentPart {
  std::string type = "text";
  std::string text{};        ///< of type "text"
  std::string data{};        ///< of the other types: bare base64
  std::string url{};         ///< of the other types: https:// instead of data
  std::string media_type{};  ///< "image/png"; may be empty
  std::string filename{};    ///< of types "file" and "audio"; may be empty
};

/// What one provider sent beside its answer and wants back with the next request: a reasoning signature, encrypted
/// reasoning. Only that provider can read it; for every other one it is left out.
struct ProviderBlock {
  std::string provider;
  std::string data;  ///< a JSON object or array as text
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  ///< a JSON document as text
};

struct Message {
  Role role = Role::user;
  std::vector<ContentPart> content{};
  std::vector<ToolCall> tool_calls{};            ///< role assistant
  std::string tool_call_id{};                    ///< role tool
  std::string name{};                            ///< role tool: the tool's name, where the sender gave it
  std::string reasoning{};                       ///< role assistant: replayed thinking
  std::vector<ProviderBlock> provider_blocks{};  ///< role assistant: as they came with the answer
};

struct Tool {
  std::string name;
  std::string description{};
  std::string parameters{};  ///< JSON Schema as text; empty: none
};

struct ToolChoice {
  enum class Mode { automatic, none, required, named };
  Mode mode = Mode::automatic;
  std::string name{};  ///< Mode::named
};

struct ResponseFormat {
  enum class Kind { text, json, json_schema };
  Kind kind = Kind::text;
  std::string schema{};  ///< Kind::json_schema: JSON text
};

/// `reasoning`: true | false | "low" | "medium" | "high" | {enabled?, effort?, maxTokens?}.
struct Reasoning {
  std::optional<bool> enabled{};
  std::string effort{};
  std::optional<std::int64_t> tokens_max{};
};

struct ModelReference {
  std::string provider;  ///< empty: `name` is an alias
  std::string name;
};

/// How modelName "auto" selects among the models that can answer. Prices are micro-dollars per million tokens; a model
/// of which a limited value is unknown is not selected.
struct AutoSelection {
  enum class Prefer { quality, price, speed };
  std::optional<std::int64_t> input_micros_max{};
  std::optional<std::int64_t> output_micros_max{};
  std::optional<double> quality_min{};  ///< 0 to 1
  std::string quality_metric{};         ///< the score that is the quality, such as "coding"; empty: the mean of all
  std::string view{};                   ///< the saved view to select from; empty: the view that its scope sets
  Prefer prefer = Prefer::quality;
  friend bool operator==(const AutoSelection&, const AutoSelection&) = default;
};
[[nodiscard]] std::string_view name_of(AutoSelection::Prefer prefer);

enum class OnInterrupt { error, restart, resume };  ///< `resume` is "continue" on the wire

struct ChatRequest {
  std::string request_id;
  std::string org_id;
  std::string user_id{};
  std::vector<std::string> groups{};      ///< of the user, as the sender knows them; grants may name them
  std::optional<ModelReference> model{};  ///< nothing: the default
  AutoSelection auto_selection{};         ///< of the model "auto"
  std::vector<Message> messages{};
  std::optional<double> temperature{};
  std::optional<double> top_p{};
  std::optional<std::int64_t> top_k{};
  std::optional<std::int64_t> tokens_max{};
  std::vector<std::string> stop{};
  std::optional<std::int64_t> seed{};
  bool stream = true;
  std::vector<Tool> tools{};
  std::optional<ToolChoice> tool_choice{};
  std::optional<ResponseFormat> response_format{};
  std::optional<Reasoning> reasoning{};
  std::map<std::string, std::string> provider_config{};  ///< by provider name: a JSON object as text
  std::vector<ModelReference> fallbacks{};
  OnInterrupt on_interrupt = OnInterrupt::error;
  std::optional<std::chrono::milliseconds> timeout{};
  std::map<std::string, std::string> metadata{};  ///< conversationId, messageId, chatProfileId and free strings

  std::size_t unknown_fields = 0;
  std::size_t value_bytes = 0;  ///< of the whole record value
};

/// Not JSON, or without the ids that an answer needs: it cannot be answered, so it goes to the DLQ untouched.
struct Unanswerable {
  std::string reason;
};

/// The ids are known, so the sender gets a terminal chunk that says what is wrong.
struct InvalidRequest {
  std::string request_id;
  std::string org_id;
  std::string user_id{};
  Failure failure;
};

using ParsedRequest = std::variant<ChatRequest, InvalidRequest, Unanswerable>;

struct RequestLimits {
  std::size_t value_bytes_max = 8 * 1024 * 1024;  ///< larger: InvalidRequest, where its ids can be read
  std::size_t id_bytes_max = 256;  ///< requestId, orgId: longer is Unanswerable; userId: longer is InvalidRequest
  /// Limit of the record's key, which chunks and audit events carry. With a longer key they would lack room for their
  /// content, so the request is a dead letter.
  std::size_t key_bytes_max = 4'096;
  std::size_t name_bytes_max = 255;  ///< names of providers, models, tools; keys of metadata and providerConfig
  std::size_t messages_max = 10'000;
  std::size_t tools_max = 512;
  std::size_t provider_blocks_max = 512;  ///< of one message; their bytes count as part of the value
  std::size_t stop_max = 64;
  std::size_t fallbacks_max = 32;
  std::size_t groups_max = 256;
  std::size_t metadata_max = 256;                         ///< entries
  std::size_t depth_max = 64;                             ///< containers inside each other; deeper: InvalidRequest
  std::chrono::milliseconds timeout_max{31'536'000'000};  ///< a year, so that adding it to a timestamp cannot overflow
};

/// Reads one record value (`std::nullopt` for a null value: Unanswerable). Never throws for what the bytes are.
///
/// If a field of the first level occurs twice, every occurrence is checked and the last counts, as in JSON.parse.
/// In inner objects the first counts for some fields. A null in an optional field is the same as leaving it out. Half a
/// surrogate pair (`\ud83d` alone) reads as U+FFFD.
/// Memory while reading: at most about 14 times the value (`value_bytes_max` bounds it); of a larger value only its ids
/// are looked for, in place.
[[nodiscard]] ParsedRequest parse_chat_request(std::optional<std::string_view> value, const RequestLimits& limits);

/// Writes a request as the schema has it; what `tokenrail chat` and the tests produce.
[[nodiscard]] std::string to_json(const ChatRequest& request);

}  // namespace tokenrail::events
