// The records of `llm.audit`: llm.request and llm.response about attempts, router.claimed, router.released and
// router.continuing about who owns a partition, requests.lost about requests that could not be read any more
// (schemas/llm-request.schema.json and kin). Every one carries the epoch of the ownership under which its writer runs
// the attempt; the order of the log decides which of them count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/events/chunk.hpp"
#include "common/events/offsets.hpp"
#include "common/events/redaction_patterns.hpp"
#include "common/result.hpp"

namespace tokenrail::events {

/// The `type` field and the ce_type header of each event.
inline constexpr std::string_view llm_request_type = "llm.request";
inline constexpr std::string_view llm_response_type = "llm.response";
inline constexpr std::string_view router_claimed_type = "router.claimed";
inline constexpr std::string_view router_released_type = "router.released";
inline constexpr std::string_view router_continuing_type = "router.continuing";
inline constexpr std::string_view requests_lost_type = "requests.lost";

/// What every event about an attempt has.
struct AttemptIds {
  std::int64_t epoch = 0;  ///< of the writer's ownership
  std::string instance{};  ///< unique per claim: WORKER-N, see worker_of()
  std::int32_t source_partition = 0;
  RequestOffset source_offset{};
  std::string org_id{};
  std::string request_id{};
  std::string user_id{};
  std::int64_t attempt = 0;
  std::int64_t source_ms = -1;  ///< Unix; the request record's timestamp; -1: it has none, or an older writer
};

/// How much of the texts the audit log contains: nothing, an excerpt of each text, or all that the record's size
/// allows. Secrets and configured patterns are removed in any case.
enum class ContentPolicy { none, truncated, full };

/// Text as the policy lets it through, with the SHA-256 and the size of the whole.
struct AuditedContent {
  std::optional<std::string> text{};  ///< nothing where the policy is `none`
  bool truncated = false;
  bool redacted = false;
  std::string sha256{};  ///< lower-case hex, of the whole text before redaction
  std::int64_t bytes = 0;
};
/// What the policy `truncated` keeps of one text.
inline constexpr std::size_t audit_excerpt_bytes_max = 2000;
/// `text_bytes_max` bounds the kept text under every policy, so that the record fits its topic's limit; a cut never
/// splits a UTF-8 sequence. What looks like a secret (redaction.hpp) and what `patterns` match is replaced.
[[nodiscard]] AuditedContent audited(std::string_view text, ContentPolicy policy, std::size_t text_bytes_max,
                                     const RedactionPatterns& patterns = {});

struct AuditedMessage {
  std::string role;
  AuditedContent content;
  std::int64_t parts = 1;
  std::int64_t tool_calls = 0;
};

/// A deployment of the route, in the order in which it would be tried.
struct RouteStep {
  std::string deployment_id;
  std::string provider;
  std::string model_name;
};

/// Which model was chosen for the request, and why.
struct Routing {
  std::string asked{};   ///< the model or alias that the request names; empty: none
  std::string chosen{};  ///< provider/name
  std::string alias{};
  std::string variant{};  ///< of an alias with several targets: the one that was drawn
  std::string view{};     ///< the saved view that "auto" selected from; empty: the whole registry
  std::string reason{};   ///< named | alias | default | first | auto | fallback; empty: nothing was chosen
  std::string detail{};
};

struct LlmRequest {
  AttemptIds ids;
  std::optional<ModelReference> model_asked{};
  std::optional<AnsweringModel> model_resolved{};
  std::vector<RouteStep> route{};
  Routing routing{};
  // parameters of the first deployment of the route: as asked, else its defaults
  std::optional<double> temperature{};
  std::optional<double> top_p{};
  std::optional<std::int64_t> top_k{};
  std::optional<std::int64_t> tokens_max{};
  std::optional<std::int64_t> seed{};
  bool stream = true;
  std::vector<std::string> tool_names{};
  std::int64_t message_count = 0;
  std::int64_t content_bytes = 0;
  std::vector<AuditedMessage> messages{};
  std::string conversation_id{};
  std::map<std::string, std::string> metadata{};  ///< without conversationId; see fill_metadata()
  std::int64_t metadata_omitted = 0;
};

/// What of a request's metadata is recorded: every value to at most 256 bytes and with its secrets replaced, and as
/// many entries, in the order of their names, as 4 KiB hold. The rest is counted.
inline constexpr std::size_t metadata_value_bytes_max = 256;
inline constexpr std::size_t metadata_bytes_max = 4'096;
void fill_metadata(LlmRequest& event, const std::map<std::string, std::string>& metadata,
                   const RedactionPatterns& patterns = {});

/// `bytes_max`: the record is kept within it by cutting the messages from the oldest on (first their texts, then the
/// messages themselves), flagged as `truncated`; then the names of the tools and the metadata. What is left, ids, model
/// and route, is written in any case.
[[nodiscard]] std::string to_json(const LlmRequest& event, std::size_t bytes_max);

enum class Outcome { completed, failed, cancelled, interrupted, duplicate, rejected };
[[nodiscard]] std::string_view name_of(Outcome outcome);

/// One HTTP exchange with a provider.
struct Call {
  std::string provider;
  std::string deployment_id;
  std::optional<int> status{};
  std::int64_t ms = 0;
  std::string error_class{};  ///< empty: it went well
  std::string key{};          ///< where the connection has several: the variable that the key came from
};

struct LlmResponse {
  AttemptIds ids;
  Outcome outcome = Outcome::completed;
  std::string cause{};                       ///< of `interrupted`: lost | repair | refused | cut | drain | restart
  bool called = false;                       ///< whether a provider was called
  std::optional<std::vector<Call>> calls{};  ///< nothing (null): not known, because another process made them
  bool recovered = false;
  std::optional<FinishReason> finish_reason{};
  std::optional<AnsweringModel> model{};
  std::optional<Usage> usage{};
  std::optional<std::int64_t> cost_micros{};
  std::string price_version{};
  Timing timing{};
  std::int64_t chunks = 0;
  std::optional<AuditedContent> content{};
  std::int64_t tool_calls = 0;
  std::string provider_request_id{};
  std::optional<Failure> failure{};
  std::optional<std::int64_t> duplicate_of_offset{};
  std::optional<std::int64_t> duplicate_of_attempt{};
};
/// `bytes_max`: where the record would be larger, the content's text is left out, flagged as truncated; what is left is
/// written in any case.
[[nodiscard]] std::string to_json(const LlmResponse& event, std::size_t bytes_max);

/// Why an attempt was `interrupted`. `lost`: its worker was lost. `repair`: its worker went on, but could no longer
/// rely on what it had sent. `refused`: the brokers refused one of its chunks for good; the request is not run again,
/// the next attempt answers with the response's error. `cut`: its worker was lost, and the chunk log was cut where it
/// may have ended, so that its end is unknown; the request is not run again.
inline constexpr std::string_view cause_lost = "lost";
inline constexpr std::string_view cause_repair = "repair";
inline constexpr std::string_view cause_refused = "refused";
inline constexpr std::string_view cause_cut = "cut";
inline constexpr std::string_view cause_restart = "restart";

struct RouterClaimed {
  std::int64_t epoch = 0;
  std::string instance;
  std::int32_t partition = 0;
};
struct ContinuedAttempt {
  RequestOffset offset{};
  std::int64_t attempt = 0;
};
struct RouterReleased {
  std::int64_t epoch = 0;
  std::string instance;
  std::int32_t partition = 0;
  std::vector<ContinuedAttempt> continuing{};
  std::int64_t lease_ms = 0;
};
struct RouterContinuing {
  std::int64_t epoch = 0;
  std::string instance;
  std::int32_t partition = 0;
  std::vector<ContinuedAttempt> continuing{};
  std::int64_t lease_ms = 0;
};
/// Requests of the partition were deleted before the group had completed them. Some of the range may have been answered
/// all the same: the range is from the committed offset to the beginning of the log. May come twice with the
/// same range.
struct RequestsLost {
  std::int64_t epoch = 0;
  std::string instance;
  std::int32_t partition = 0;
  RequestOffset from{};
  RequestOffset to{};  ///< one past the last
};
[[nodiscard]] std::string to_json(const RouterClaimed& event);
[[nodiscard]] std::string to_json(const RouterReleased& event);
[[nodiscard]] std::string to_json(const RouterContinuing& event);
[[nodiscard]] std::string to_json(const RequestsLost& event);

/// What a reader of the log needs of an event to fold it: tolerant; the kind is read from the record's own `type`
/// field, so that a record without headers can be judged too.
struct AuditFacts {
  enum class Kind { request, response, claimed, released, continuing, lost, unknown };
  Kind kind = Kind::unknown;
  AttemptIds ids{};                            ///< request, response
  std::int64_t epoch = 0;                      ///< all
  std::string instance{};                      ///< all
  std::int32_t partition = 0;                  ///< ownership events, lost
  std::string outcome{};                       ///< response
  std::string cause{};                         ///< response
  std::string error_code{};                    ///< response with the cause `refused`: how the request is to end
  std::string error_message{};                 ///< the same
  bool recovered = false;                      ///< response
  bool called = false;                         ///< response
  std::string finish_reason{};                 ///< response; empty: it has none
  std::optional<std::int64_t> chunks{};        ///< response
  std::optional<std::int64_t> text_bytes{};    ///< response; of the whole text, where it says anything of that
  std::optional<std::int64_t> duplicate_of{};  ///< response; source offset of the first
  std::optional<AnsweringModel> routed_to{};   ///< request; the model of the first deployment of its route
  std::vector<ContinuedAttempt> continuing{};
  std::int64_t lease_ms = 0;
  RequestOffset lost_from{};  ///< lost
  RequestOffset lost_to{};    ///< lost; one past the last
};
/// The worker process that an instance belongs to: all claims of one process share it.
[[nodiscard]] std::string_view worker_of(std::string_view instance);
/// The `type` of such events; empty: unknown.
[[nodiscard]] std::string_view name_of(AuditFacts::Kind kind);
[[nodiscard]] AuditFacts::Kind audit_kind(std::string_view type);
/// An event of an attempt, not of an ownership.
[[nodiscard]] bool about_attempt(const AuditFacts& facts);
/// The partition of chat.requests that it is about; -1: of an unknown kind.
[[nodiscard]] std::int32_t source_partition(const AuditFacts& facts);

/// Errors: invalid_input, for what is not JSON, has no `type`, or is of a known kind and lacks what folding needs. An
/// event of another type is `Kind::unknown`, not an error.
[[nodiscard]] Result<AuditFacts> parse_audit(std::string_view value);

}  // namespace tokenrail::events
