#include "common/providers/connection_test.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/profile.hpp"
#include "common/url.hpp"

namespace tokenrail::providers {

namespace {

using events::ErrorCode;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, 6> stage_names{"dns", "tcp", "tls", "auth", "list", "call"};
constexpr std::array<std::string_view, 3> status_names{"ok", "failed", "skipped"};
constexpr std::array<std::string_view, 12> cause_names{
    "unreachable", "tls",         "auth",         "forbidden", "not_found_model", "rate_limited",
    "quota",       "bad_request", "upstream_5xx", "timeout",   "not_json",        "refused_address"};

/// Refusals whose words say more than their status, and that routing does not need to distinguish.
struct Words {
  int status_first;
  int status_last;
  std::string_view needle;  ///< in lower case, of the whole body
  TestCause cause;
};
constexpr std::array words{
    Words{401, 403, "insufficient permission", TestCause::forbidden},
    Words{401, 403, "missing scopes", TestCause::forbidden},
    Words{400, 403, "unable to authenticate", TestCause::auth},
    Words{403, 403, "not authenticated", TestCause::auth},
    Words{403, 403, "invalid authentication", TestCause::auth},
    Words{403, 403, "check the api-key", TestCause::auth},
    Words{400, 404, "supported api model names", TestCause::not_found_model},
    Words{400, 404, "not supported model", TestCause::not_found_model},
    Words{400, 404, "unexpected model name", TestCause::not_found_model},
};

TestCause cause_of(const CallFailure& failure, int status) {
  const auto& error_class = failure.error_class;
  if (error_class == "quota" || error_class == "payment") return TestCause::quota;
  if (failure.failure.code == ErrorCode::provider_rate_limited) return TestCause::rate_limited;
  if (failure.failure.code == ErrorCode::model_not_found) return TestCause::not_found_model;
  if (failure.failure.code == ErrorCode::provider_auth) return status == 403 ? TestCause::forbidden : TestCause::auth;
  if (status >= 500 && status <= 599) return TestCause::upstream_5xx;
  if (failure.failure.code == ErrorCode::provider_timeout) return TestCause::timeout;
  if (failure.failure.code == ErrorCode::provider_unavailable) return TestCause::upstream_5xx;
  if (failure.failure.code == ErrorCode::provider_protocol) return TestCause::not_json;
  return TestCause::bad_request;
}

TestCause cause_of(const Provider& provider, const Target& target, const http::ResponseHead& head,
                   std::string_view body) {
  const auto* const found = std::ranges::find_if(words, [&](const Words& row) {
    return head.status >= row.status_first && head.status <= row.status_last && contains_folded(body, row.needle);
  });
  if (found != words.end()) return found->cause;
  return cause_of(provider.classify(target, head, body), head.status);
}

TestCause cause_of(const http::End& end) {
  switch (end.ending) {
    case http::Ending::connect_timeout:
    case http::Ending::total_timeout:
      return TestCause::timeout;
    case http::Ending::invalid_request:
      return TestCause::bad_request;
    case http::Ending::too_large:
      return TestCause::not_json;
    default:
      break;
  }
  if (end.address_refused) return TestCause::refused_address;
  return end.step == http::Step::tls ? TestCause::tls : TestCause::unreachable;
}

/// Before a part of it is quoted, which may end within the key.
std::string redacted(std::string text, const Target& target) {
  redact_credential(text, target.credential);
  return text;
}

std::string message_of(const Target& target, const http::End& end) {
  // The addresses behind a name inside are none of an organisation's business.
  if (end.address_refused) return "The base URL leads to an address that connections of this scope may not reach.";
  const auto detail = quotable(redacted(end.detail, target), 300);
  const auto host = split_url(target.base_url).host_port;
  switch (end.ending) {
    case http::Ending::connect_timeout:
      return fmt::format("{} did not accept a connection in time ({}).", host, detail);
    case http::Ending::total_timeout:
      return fmt::format("{} did not answer in time ({}).", host, detail);
    case http::Ending::connect_failed:
      return fmt::format("No connection to {} ({}).", host, detail);
    case http::Ending::too_large:
      return fmt::format("{} sent a larger answer than a test takes ({}).", host, detail);
    case http::Ending::invalid_request:
      return fmt::format("The request cannot be sent ({}).", detail);
    default:
      return fmt::format("{} ended the connection within its answer ({}).", host, detail);
  }
}

std::string message_of(const Target& target, int status, const std::string& body) {
  const auto text = quotable(redacted(read_error_body(body).text, target), 300);
  const auto title = title_of(target.provider);
  if (text.empty()) return fmt::format("{} answered {}.", title, status);
  if (text.starts_with('<')) return fmt::format("{} answered {} with a web page.", title, status);
  return fmt::format("{} answered {} \"{}\".", title, status, text);
}

/// Everything but what a 2xx body says.
Probe probe_of(const Provider& provider, const Target& target, const http::Fetched& fetched, milliseconds took) {
  Probe probe{.end = fetched.end, .took = took, .http_status = fetched.head.status};
  if (fetched.end.ending != http::Ending::complete) {
    probe.cause = cause_of(fetched.end);
    probe.message = message_of(target, fetched.end);
  } else if (fetched.head.status < 200 || fetched.head.status > 299) {
    const auto body = redacted(fetched.body, target);
    probe.cause = cause_of(provider, target, fetched.head, body);
    probe.message = message_of(target, fetched.head.status, body);
  }
  return probe;
}

void not_understood(Probe& probe, const Target& target, const std::string& why) {
  probe.cause = TestCause::not_json;
  probe.message = fmt::format("{} answered {}, but the answer cannot be read: {}.", title_of(target.provider),
                              probe.http_status, quotable(redacted(why, target), 300));
}

struct Outcome final : AnswerSink {
  void on_event(AnswerEvent event) override {
    if (std::holds_alternative<AnswerFinished>(event)) finished = true;
    if (auto* const failed = std::get_if<AnswerFailed>(&event)) failure = std::move(failed->failure);
  }
  bool finished = false;
  std::optional<CallFailure> failure{};
};

void judge_completion(Probe& probe, const Target& target, const TestCall& call, const http::Fetched& fetched) {
  Outcome outcome;
  call.decoder->head(fetched.head, outcome);
  call.decoder->feed(fetched.body, outcome);
  call.decoder->end(outcome);
  if (outcome.finished && !outcome.failure) return;
  if (!outcome.failure) return not_understood(probe, target, "it has no end");
  const auto& failure = *outcome.failure;
  probe.cause = cause_of(failure, failure.failure.status.value_or(0));
  probe.message = quotable(redacted(failure.failure.message, target), 500);
}

bool refuses_the_key(const std::optional<Probe>& probe) {
  return probe && (probe->cause == TestCause::auth || probe->cause == TestCause::forbidden);
}

/// The server has looked at the key, and went on.
bool takes_the_key(const Probe& probe) {
  if (!probe.cause) return true;
  return *probe.cause == TestCause::not_found_model || *probe.cause == TestCause::rate_limited ||
         *probe.cause == TestCause::quota;
}

std::string fix_of(TestStage stage, TestCause cause) {
  switch (cause) {
    case TestCause::unreachable:
      if (stage == TestStage::dns) return "Check the host in the base URL, and the name servers of this machine.";
      return "Check that the server runs, and the port in the base URL.";
    case TestCause::tls:
      return "Check that the base URL is right to begin with https, and that the server's certificate is valid for its "
             "host. Name a private CA in TOKENRAIL_PROVIDERS_CA_FILE.";
    case TestCause::auth:
      return "Check the key, and how the provider wants it (authType, authName).";
    case TestCause::forbidden:
      return "Give the key the right to do this at the provider, or use another one. Some providers also refuse whole "
             "regions.";
    case TestCause::not_found_model:
      return "Check the model's name at the provider, and whether the account may use it.";
    case TestCause::rate_limited:
      return "Test again later, or raise the limit at the provider.";
    case TestCause::quota:
      return "Check the account's credit and quota at the provider.";
    case TestCause::bad_request:
      return "Check the provider and the base URL, its path included.";
    case TestCause::upstream_5xx:
      return "Test again later; the provider has a fault or is overloaded.";
    case TestCause::timeout:
      if (stage == TestStage::call) return "Test again: a model that is being loaded may take minutes.";
      return "Check the base URL, and the network and firewalls between.";
    case TestCause::not_json:
      return "Check the base URL: something other than the provider's API may answer there.";
    case TestCause::refused_address:
      return "Use a public address, or ask the operator to open this one with TOKENRAIL_EGRESS_ALLOW.";
  }
  return {};
}

StageResult skipped(TestStage stage, std::string why) {
  return {.stage = stage, .status = StageStatus::skipped, .message = std::move(why)};
}

StageResult result_of(TestStage stage, const Probe& probe) {
  return {.stage = stage,
          .status = probe.cause ? StageStatus::failed : StageStatus::ok,
          .latency = probe.took,
          .cause = probe.cause,
          .http_status = probe.http_status,
          .message = probe.message,
          .fix = probe.cause ? fix_of(stage, *probe.cause) : std::string()};
}

/// dns, tcp and tls. False: the connection failed.
bool add_connection(std::vector<StageResult>& stages, const Target& target, const Probe& first) {
  const auto& end = first.end;
  const bool https = target.base_url.starts_with("https://");
  const bool unusable = end.ending == http::Ending::invalid_request;
  const auto failed_in = unusable ? http::Step::name : end.step;
  struct Row {
    TestStage stage;
    http::Step step;
    std::optional<milliseconds> took;
    bool needed;
    std::string_view not_needed;
  };
  const std::array rows{
      Row{TestStage::dns, http::Step::name, end.times.name, end.times.name || failed_in == http::Step::name,
          "The base URL holds an address."},
      Row{TestStage::tcp, http::Step::connection, end.times.connection, true, ""},
      Row{TestStage::tls, http::Step::tls, end.times.tls, https, "The base URL begins with http."},
  };
  bool open = true;
  for (const auto& row : rows) {
    if (!open) {
      stages.push_back(skipped(row.stage, "Not tried, because an earlier stage failed."));
    } else if (row.step == failed_in) {
      auto failed = result_of(row.stage, first);
      failed.http_status = 0;
      stages.push_back(std::move(failed));
      open = false;
    } else if (!row.needed) {
      stages.push_back(skipped(row.stage, std::string(row.not_needed)));
    } else {
      stages.push_back({.stage = row.stage, .status = StageStatus::ok, .latency = row.took});
    }
  }
  return open;
}

StageResult auth_stage(const TestEvidence& evidence, const Probe& decisive) {
  if (refuses_the_key(decisive)) {
    auto failed = result_of(TestStage::auth, decisive);
    if (!evidence.key_sent) failed.fix = "Give the connection a credential: no key was sent.";
    return failed;
  }
  if (!evidence.key_sent) return skipped(TestStage::auth, "No key was sent, and none was asked for.");
  if (!takes_the_key(decisive)) return skipped(TestStage::auth, "The answer does not show whether the key is valid.");
  return {.stage = TestStage::auth, .status = StageStatus::ok, .http_status = decisive.http_status};
}

}  // namespace

std::string_view name_of(TestStage stage) {
  return stage_names.at(static_cast<std::size_t>(stage));
}
std::string_view name_of(StageStatus status) {
  return status_names.at(static_cast<std::size_t>(status));
}
std::string_view name_of(TestCause cause) {
  return cause_names.at(static_cast<std::size_t>(cause));
}

Probe judge_list(const Provider& provider, const Target& target, const http::Fetched& fetched, milliseconds took,
                 ModelPage* page) {
  auto probe = probe_of(provider, target, fetched, took);
  if (probe.cause) return probe;
  auto parsed = provider.lister()->parse(target, fetched.body);
  if (!parsed) {
    not_understood(probe, target, parsed.error().detail);
    return probe;
  }
  probe.message = fmt::format("{}{} models.", parsed->next.empty() ? "" : "More than ", parsed->models.size());
  if (page != nullptr) *page = std::move(*parsed);
  return probe;
}

Probe judge_reach(const Target& target, const http::Fetched& fetched, milliseconds took) {
  Probe probe{.end = fetched.end, .took = took, .http_status = fetched.head.status};
  if (fetched.head.status != 0) return probe;
  if (fetched.end.ending == http::Ending::complete) return probe;
  probe.cause = cause_of(fetched.end);
  probe.message = message_of(target, fetched.end);
  return probe;
}

Result<TestCall> make_test_call(const Provider& provider, const Target& target, std::string_view kind) {
  const auto none = [&] {
    return fail(ErrorKind::invalid_input,
                fmt::format("No test call is made for {} models of {}.", kind, title_of(target.provider)));
  };
  const auto made = [&](Result<http::Request> request) -> Result<TestCall> {
    if (!request) return std::unexpected(request.error());
    return TestCall{.request = std::move(*request), .kind = std::string(kind)};
  };
  if (kind == "embedding")
    return provider.embedder() == nullptr ? none() : made(provider.embedder()->embed({.texts = {"test"}}, target));
  if (kind == "rerank") {
    if (provider.reranker() == nullptr) return none();
    return made(provider.reranker()->rerank({.query = "test", .documents = {"test"}, .top = 1}, target));
  }
  if (kind != "generation") return none();
  events::ChatRequest request;
  request.request_id = "connection-test";
  request.org_id = "connection-test";
  request.messages.push_back({.role = events::Role::user, .content = {{.text = "Hi"}}});
  // OpenAI's Responses API refuses less than 16.
  request.tokens_max = provider.adapter() == "openai-responses" ? 16 : 1;
  auto call = provider.chat(request, target, {});
  if (!call) return std::unexpected(call.error());
  return TestCall{.request = std::move(call->request), .kind = std::string(kind), .decoder = std::move(call->decoder)};
}

Probe judge_call(const Provider& provider, const Target& target, const TestCall& call, const http::Fetched& fetched,
                 milliseconds took) {
  auto probe = probe_of(provider, target, fetched, took);
  if (probe.cause) return probe;
  if (call.decoder) {
    judge_completion(probe, target, call, fetched);
  } else if (call.kind == "embedding") {
    const auto parsed = provider.embedder()->parse(fetched.body);
    if (!parsed) not_understood(probe, target, parsed.error().detail);
  } else {
    const auto parsed = provider.reranker()->parse(fetched.body);
    if (!parsed) not_understood(probe, target, parsed.error().detail);
  }
  if (!probe.cause) probe.message = fmt::format("{} answered ({}).", target.upstream_name, call.kind);
  return probe;
}

bool call_is_worthwhile(const Probe& list) {
  const bool connected = list.end.step == http::Step::exchange && list.end.ending != http::Ending::invalid_request;
  // A key that may not list may still call.
  return connected && list.cause != TestCause::auth;
}

std::vector<StageResult> stages_of(const Target& target, const TestEvidence& evidence) {
  std::vector<StageResult> stages;
  const auto& first = evidence.list ? evidence.list : evidence.call ? evidence.call : evidence.reached;
  if (!first) {
    for (const auto stage : {TestStage::dns, TestStage::tcp, TestStage::tls, TestStage::auth})
      stages.push_back(skipped(stage, "Nothing was sent."));
    stages.push_back(skipped(TestStage::list, evidence.list_skipped));
    stages.push_back(skipped(TestStage::call, evidence.call_skipped));
    return stages;
  }
  if (!add_connection(stages, target, *first)) {
    for (const auto stage : {TestStage::auth, TestStage::list, TestStage::call})
      stages.push_back(skipped(stage, "Not tried, because the connection failed."));
    return stages;
  }
  // Some providers list their models to everyone, so a call knows better than a list what the key is worth.
  const auto& decisive = evidence.call ? evidence.call : evidence.list;
  stages.push_back(decisive ? auth_stage(evidence, *decisive)
                            : skipped(TestStage::auth, "Nothing was sent that needs a key."));
  const bool refused = refuses_the_key(decisive);
  const auto add = [&](TestStage stage, const std::optional<Probe>& probe, const std::string& why) {
    if (!probe) {
      const bool because = refused && why.empty();
      stages.push_back(skipped(stage, because ? "Not tried, because the key was refused." : why));
    } else if (refused && &probe == &decisive) {
      stages.push_back(skipped(stage, "Its key was refused."));
    } else {
      stages.push_back(result_of(stage, *probe));
    }
  };
  add(TestStage::list, evidence.list, evidence.list_skipped);
  add(TestStage::call, evidence.call, evidence.call_skipped);
  return stages;
}

std::string_view outcome_of(std::span<const StageResult> stages) {
  for (const auto& stage : stages)
    if (stage.cause) return name_of(*stage.cause);
  return "ok";
}

std::string stages_json(std::span<const StageResult> stages) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_array();
  for (const auto& stage : stages) {
    json.begin_object();
    json.field("stage", name_of(stage.stage));
    json.field("status", name_of(stage.status));
    if (stage.latency) json.field("latencyMs", static_cast<std::int64_t>(stage.latency->count()));
    if (stage.cause) json.field("cause", name_of(*stage.cause));
    if (stage.http_status != 0) json.field("httpStatus", static_cast<std::int64_t>(stage.http_status));
    json.field("message", stage.message);
    json.field("fix", stage.fix);
    json.end_object();
  }
  json.end_array();
  return out;
}

}  // namespace tokenrail::providers
