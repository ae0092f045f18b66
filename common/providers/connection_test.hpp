// A test of a connection, stage by stage: can its host be found, be reached, does TLS work, is the key taken, can the
// models be listed, does a model answer. The requests are those that routing and sync make. Pure: requests out, answers
// in, stages out. The caller makes the HTTP exchanges.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/fetcher.hpp"
#include "common/providers/provider.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

enum class TestStage : std::uint8_t { dns, tcp, tls, auth, list, call };
enum class StageStatus : std::uint8_t { ok, failed, skipped };
enum class TestCause : std::uint8_t {
  unreachable,
  tls,
  auth,
  forbidden,
  not_found_model,
  rate_limited,
  quota,
  bad_request,
  upstream_5xx,
  timeout,
  not_json,
  refused_address,
};
[[nodiscard]] std::string_view name_of(TestStage stage);
[[nodiscard]] std::string_view name_of(StageStatus status);
[[nodiscard]] std::string_view name_of(TestCause cause);

struct StageResult {
  TestStage stage = TestStage::dns;
  StageStatus status = StageStatus::skipped;
  std::optional<std::chrono::milliseconds> latency{};  ///< nothing: it was not tried, or is part of another stage
  std::optional<TestCause> cause{};                    ///< of a failure
  int http_status = 0;                                 ///< 0: none
  std::string message{};                               ///< what happened, or why the stage was skipped; no secret
  std::string fix{};                                   ///< what to do about a failure
};

/// What one exchange came to.
struct Probe {
  http::End end{};
  std::chrono::milliseconds took{0};
  int http_status = 0;
  std::optional<TestCause> cause{};  ///< nothing: it is what was wanted
  std::string message{};
};

/// The answer to lister().list(). `page`, where not null, gets what was listed.
[[nodiscard]] Probe judge_list(const Provider& provider, const Target& target, const http::Fetched& fetched,
                               std::chrono::milliseconds took, ModelPage* page = nullptr);

/// Any answer: it shows that the host can be reached.
[[nodiscard]] Probe judge_reach(const Target& target, const http::Fetched& fetched, std::chrono::milliseconds took);

/// A tiny call of the target's model: a completion of one token, an embedding, or a rerank of one document.
struct TestCall {
  http::Request request{};
  std::string kind{};
  std::unique_ptr<AnswerDecoder> decoder{};  ///< of a completion
};
/// `kind`: of the model, in the registry's words. Errors (invalid_input): the provider has no such call.
[[nodiscard]] Result<TestCall> make_test_call(const Provider& provider, const Target& target, std::string_view kind);
[[nodiscard]] Probe judge_call(const Provider& provider, const Target& target, const TestCall& call,
                               const http::Fetched& fetched, std::chrono::milliseconds took);

/// What was found out, and why the rest was not.
struct TestEvidence {
  bool key_sent = false;
  std::optional<Probe> reached{};  ///< an exchange of which only the connection counts, where there is no other
  std::optional<Probe> list{};
  std::string list_skipped{};  ///< why there is no `list`
  std::optional<Probe> call{};
  std::string call_skipped{};  ///< why there is no `call`
};

/// Whether a call of a model can show more after that list.
[[nodiscard]] bool call_is_worthwhile(const Probe& list);

/// All six stages, in their order.
[[nodiscard]] std::vector<StageResult> stages_of(const Target& target, const TestEvidence& evidence);

/// "ok", or the cause of the first stage that failed.
[[nodiscard]] std::string_view outcome_of(std::span<const StageResult> stages);

/// A JSON array: stage, status, latencyMs, cause, httpStatus, message, fix.
[[nodiscard]] std::string stages_json(std::span<const StageResult> stages);

}  // namespace tokenrail::providers
