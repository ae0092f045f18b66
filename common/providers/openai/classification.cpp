#include "common/providers/openai/classification.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_scan.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::openai {

namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using events::ObjectReader;

constexpr std::string_view cannot = "Choose a model that can do this, or leave it out of the request.";
constexpr std::string_view too_long = "Shorten the messages, or choose a model with a larger context window.";
constexpr std::string_view filtered = "The provider's content filter refused the request; change its messages.";
constexpr std::string_view no_model = "Check the model's name at the provider, and whether the account may use it.";
constexpr std::string_view later = "Ask again later.";

/// The first row that fits counts; the rows that all providers share come after these. Status 200 is an error inside a
/// stream.
constexpr FailureRule rules[] = {
    // Refusals for what the messages say.
    {200, 599, "responsibleaipolicyviolation", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {200, 599, "content management policy", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {200, 599, "violates usage guidelines", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {200, 599, "content exists risk", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {200, 599, "data_inspection_failed", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {403, 403, "moderation", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {403, 403, "flagged", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {403, 403, "guardrail", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    // Prompts that are too long, in the words of each server.
    {200, 599, "context size has been exceeded", ErrorCode::context_too_long, "context_too_long", false, true,
     too_long},
    {200, 599, "prompt too long", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "maximum prompt length", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "max_new_tokens` must be <=", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "reduce the length of the messages", ErrorCode::context_too_long, "context_too_long", false, true,
     too_long},
    {400, 599, "context length", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {400, 599, "context window", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {400, 599, "context overflow", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    // A request above the limit of a whole minute is too large at any time.
    {413, 413, "request too large", ErrorCode::context_too_long, "too_large", false, true, too_long},
    {429, 429, "request too large", ErrorCode::context_too_long, "too_large", false, true, too_long},
    {429, 429, "exceeded your current quota", ErrorCode::provider_auth, "quota", false, true,
     "The account's quota is used up; check its plan and billing at the provider."},
    // Keys.
    {400, 400, "incorrect api key", ErrorCode::provider_auth, "auth", false, true,
     "Check the connection's credential."},
    {200, 200, "invalid_api_key", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    // Models.
    {200, 422, "model_not_found", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {400, 422, "invalid_model", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {400, 404, "invalid model id", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {400, 404, "is not a valid model", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {400, 404, "model not exist", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {404, 404, "deploymentnotfound", ErrorCode::model_not_found, "not_found_model", false, true,
     "Check the deployment's name; a new deployment needs some minutes."},
    {404, 404, "resource not found", ErrorCode::invalid_model_config, "not_found", false, true,
     "Check the connection's base URL; at Azure also its api-version and the deployment's name."},
    {404, 404, "no endpoints found that support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {404, 404, "no endpoints found", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    // What a model or a server cannot do, whatever the status.
    {400, 599, "requires --enable-auto-tool-choice", ErrorCode::capability_unsupported, "capability", false, true,
     cannot},
    {400, 599, "requires --jinja", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 599, "requires --mmproj", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 599, "not a multimodal model", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 599, "at most 0 image", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 400, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {422, 422, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {500, 501, "not supported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 200, "not supported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    // The model wrote a tool call that its own server refuses; another sample may be good.
    {200, 400, "tool_use_failed", ErrorCode::provider_protocol, "tool_use_failed", true, true, "Ask again.", 1},
    // A gateway's upstream refused; the gateway's other upstreams are not asked by asking again.
    {400, 400, "provider returned error", ErrorCode::invalid_request, "invalid_request", false, true,
     "A provider behind the gateway refused the request; change it as the text says, or choose another model."},
    {422, 422, "failed during generation", ErrorCode::provider_unavailable, "server_error", true, true, later},
    {424, 424, "", ErrorCode::provider_unavailable, "server_error", true, true, later},
    {498, 498, "", ErrorCode::provider_unavailable, "busy", true, true, later},
    {503, 503, "loading model", ErrorCode::provider_unavailable, "loading", true, true,
     "The server is loading the model; ask again in a moment."},
};

/// Statuses that words in an error item mean, where it names none.
struct StatusWord {
  std::string_view word;
  int status;
};
constexpr StatusWord status_words[] = {
    {"invalid_request_error", 400}, {"invalid_parameter_error", 400}, {"badrequesterror", 400},
    {"invalid_request", 400},       {"authentication_error", 401},    {"permission_error", 403},
    {"not_found_error", 404},       {"notfounderror", 404},           {"rate_limit_error", 429},
    {"rate_limited", 429},          {"rate_limit_exceeded", 429},     {"server_error", 500},
    {"internal_server_error", 500}, {"internalservererror", 500},     {"overloaded_error", 503},
    {"unavailable_error", 503},
};

int status_of(const ObjectReader& object) {
  for (const auto* const name : {"status_code", "http_status_code", "code", "status"}) {
    auto status = object.integer_if(name);
    if (!status) {
      const auto text = object.text(name);
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size()) status = number;
    }
    if (status && *status >= 300 && *status <= 599) return static_cast<int>(*status);
  }
  for (const auto* const name : {"code", "type", "error_type"}) {
    const auto text = object.text(name);
    for (const auto& [word, status] : status_words) {
      if (text.size() == word.size() && contains_folded(text, word)) return status;
    }
  }
  return 0;
}

/// `{"type","loc":[…],"msg"}` of FastAPI: where and what, but not the input that it repeats.
std::string problem_text(const ObjectReader& problem) {
  std::string text;
  if (const auto place = problem.find("loc"); place && place->is_array()) {
    for (const auto part : simdjson::dom::array(place->get_array().value_unsafe())) {
      if (!text.empty()) text += '.';
      const auto word = events::string_of(part);
      text += word ? std::string(*word) : std::string(simdjson::minify(part));
    }
  }
  for (const auto* const name : {"msg", "message"}) {
    const auto said = problem.text(name);
    if (said.empty()) continue;
    if (!text.empty()) text += ": ";
    return text.append(said);
  }
  return text;
}

std::string problems_text(dom::element list) {
  std::string text;
  if (!list.is_array()) return text;
  for (const auto entry : simdjson::dom::array(list.get_array().value_unsafe())) {
    auto one = problem_text(ObjectReader(entry));
    if (one.empty()) continue;
    if (!text.empty()) text += "; ";
    text += one;
  }
  return text;
}

std::string error_json(std::string_view message, const ObjectReader& fields) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.begin_object("error");
  json.field("message", message);
  for (const auto* const name : {"code", "type"}) {
    if (const auto word = fields.text_if(name)) json.field(name, *word);
  }
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace

std::string readable_error(std::string_view body) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return std::string(body);
  const ObjectReader root(document.root());
  for (const auto* const name : {"detail", "errors"}) {
    const auto list = root.find(name);
    auto text = list ? problems_text(*list) : std::string();
    if (!text.empty()) return error_json(text, root);
  }
  const auto error = root.find("error");
  if (!error) return std::string(body);
  const ObjectReader fields(*error);
  const auto metadata = fields.find("metadata");
  const auto raw = metadata ? ObjectReader(*metadata).text("raw") : std::string();
  if (raw.empty()) return std::string(body);
  return error_json(fmt::format("{} ({})", fields.text("message"), raw), fields);
}

CallFailure classify_response(std::string_view title, const http::ResponseHead& head, std::string_view body) {
  const auto readable = readable_error(body);
  auto out = providers::classify_response(rules, title, head, readable);
  add_delay(out, readable);
  return out;
}

CallFailure classify_stream_error(std::string_view title, std::string_view json) {
  const auto readable = readable_error(json);
  const events::JsonDocument document(json);
  int status = 0;
  if (document.error() == simdjson::SUCCESS) {
    const ObjectReader root(document.root());
    const auto error = root.find("error");
    if (error && error->is_object()) status = status_of(ObjectReader(*error));
    if (status == 0) status = status_of(root);
  }
  auto out = providers::classify_stream_error(rules, title, readable, status);
  add_delay(out, readable);
  return out;
}

}  // namespace tokenrail::providers::openai
