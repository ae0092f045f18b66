#include "workers/registry_api/problem.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::array table{
    FaultInfo{Fault::malformed_request, "MALFORMED_REQUEST", "MALFORMED_REQUEST", 400, "This is no HTTP request", false,
              "Send an HTTP/1.1 request."},
    FaultInfo{Fault::invalid_body, "INVALID_BODY", "INVALID_BODY", 400, "The body of the request is not valid", false,
              "Correct the fields that `errors` names and send the request again."},
    FaultInfo{Fault::invalid_query, "INVALID_QUERY", "INVALID_QUERY", 400, "A query parameter is not valid", false,
              "Correct the parameter; /openapi.json lists those of each operation."},
    FaultInfo{Fault::invalid_path, "INVALID_PATH", "INVALID_PATH", 400, "The path is not valid", false,
              "Encode each name in the path with percent-encoding (RFC 3986)."},
    FaultInfo{Fault::invalid_header, "INVALID_HEADER", "INVALID_HEADER", 400, "A header is not valid", false,
              "Correct the header that the detail names."},
    FaultInfo{Fault::invalid_page_token, "INVALID_PAGE_TOKEN", "INVALID_PAGE_TOKEN", 400,
              "The page token is not valid for this list", false,
              "Start again without page_token, and keep filters and order while you page."},
    FaultInfo{Fault::unauthenticated, "UNAUTHENTICATED", "UNAUTHENTICATED", 401, "The caller is not known", false,
              "Send a valid token in the header Authorization: Bearer TOKEN."},
    FaultInfo{Fault::forbidden, "FORBIDDEN", "FORBIDDEN", 403, "The caller may not do this", false,
              "Ask an administrator of the organisation for the permission that the detail names."},
    FaultInfo{Fault::csrf_failed, "CSRF_FAILED", "CSRF_FAILED", 403, "The request is not one of the web page's", false,
              "Send the csrfToken of GET /v1/session as the header X-CSRF-Token, from a page of the same origin."},
    FaultInfo{Fault::not_found, "NOT_FOUND", "NOT_FOUND", 404, "There is no such thing", false,
              "Check the path and the names in it."},
    FaultInfo{Fault::model_not_found, "MODEL_NOT_FOUND", "E4001", 404, "There is no such model", false,
              "List the models that there are, or sync the connection that offers it."},
    FaultInfo{Fault::method_not_allowed, "METHOD_NOT_ALLOWED", "METHOD_NOT_ALLOWED", 405,
              "The path does not take this method", false, "Use a method that the header Allow names."},
    FaultInfo{Fault::conflict, "CONFLICT", "CONFLICT", 409, "Another change was faster", true,
              "Read the resource again, and repeat the change if it still applies."},
    FaultInfo{Fault::already_exists, "ALREADY_EXISTS", "ALREADY_EXISTS", 409, "It exists already", false,
              "Use another name, or change what is there."},
    FaultInfo{Fault::in_use, "IN_USE", "IN_USE", 409, "Something else uses it", false,
              "Point what `dependents` names to something else first."},
    FaultInfo{Fault::idempotency_in_flight, "IDEMPOTENCY_IN_FLIGHT", "IDEMPOTENCY_IN_FLIGHT", 409,
              "A request with this Idempotency-Key is still running", true,
              "Wait a moment and send the same request with the same key."},
    FaultInfo{Fault::precondition_failed, "PRECONDITION_FAILED", "PRECONDITION_FAILED", 412,
              "The resource has another version", false,
              "Read the resource again, merge, and send the ETag that you got as If-Match."},
    FaultInfo{Fault::body_too_large, "BODY_TOO_LARGE", "BODY_TOO_LARGE", 413, "The body of the request is too large",
              false, "Split the request; api.body_bytes_max is the limit."},
    FaultInfo{Fault::unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE", 415,
              "The body is of a type that this operation does not take", false,
              "Send JSON with the header Content-Type: application/json."},
    FaultInfo{Fault::invalid_model_config, "INVALID_MODEL_CONFIG", "E4003", 422, "The model cannot be like this", false,
              "Correct the values that the detail names."},
    FaultInfo{Fault::invalid_value, "INVALID_VALUE", "INVALID_VALUE", 422, "A value contradicts what is there", false,
              "Correct the values that the detail names."},
    FaultInfo{Fault::idempotency_mismatch, "IDEMPOTENCY_MISMATCH", "IDEMPOTENCY_MISMATCH", 422,
              "This Idempotency-Key was used for another request", false, "Use a new key for a new request."},
    FaultInfo{Fault::precondition_required, "PRECONDITION_REQUIRED", "PRECONDITION_REQUIRED", 428,
              "This change needs If-Match", false,
              "Read the resource and send its ETag as If-Match; send If-None-Match: * to make one."},
    FaultInfo{Fault::rate_limited, "RATE_LIMITED", "RATE_LIMITED", 429, "Too many requests", true,
              "Wait as long as Retry-After says."},
    FaultInfo{Fault::headers_too_large, "HEADERS_TOO_LARGE", "HEADERS_TOO_LARGE", 431,
              "The header fields are too large", false, "Send fewer or shorter headers."},
    FaultInfo{Fault::internal, "INTERNAL", "INTERNAL", 500, "The server failed", false,
              "Give the request_id to the operator: the server's log has the reason."},
    FaultInfo{Fault::unavailable, "UNAVAILABLE", "UNAVAILABLE", 503, "A part of the service is away", true,
              "Try again in a few seconds; /readyz names the part."},
    FaultInfo{Fault::timed_out, "TIMED_OUT", "TIMED_OUT", 504, "A part of the service did not answer in time", true,
              "Read the resource to learn whether the change took effect, then try again."},
};

Fault fault_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
      return Fault::invalid_value;
    case ErrorKind::not_found:
      return Fault::not_found;
    case ErrorKind::unauthenticated:
      return Fault::unauthenticated;
    case ErrorKind::forbidden:
      return Fault::forbidden;
    case ErrorKind::rate_limited:
      return Fault::rate_limited;
    case ErrorKind::timed_out:
      return Fault::timed_out;
    case ErrorKind::conflict:
    case ErrorKind::cancelled:
      return Fault::conflict;
    case ErrorKind::rejected:  // the schema is not there: an operator has to act
    case ErrorKind::unavailable:
      return Fault::unavailable;
  }
  return Fault::internal;
}

}  // namespace

std::span<const FaultInfo> faults() {
  return table;
}

const FaultInfo& info_of(Fault fault) {
  return *std::ranges::find(table, fault, &FaultInfo::fault);
}

const FaultInfo* find_fault(std::string_view name) {
  const auto found =
      std::ranges::find_if(table, [&](const FaultInfo& info) { return info.name == name || info.code == name; });
  return found == table.end() ? nullptr : &*found;
}

Problem problem_of(const Error& error) {
  Problem problem{.fault = fault_of(error.kind), .detail = error.detail, .hint = error.hint};
  if (const auto field = registry::refused_field(error.detail))
    problem.errors.push_back({.pointer = "/" + *field, .detail = "is refused by the registry", .by_database = true});
  if (error.retry_after) problem.retry_after_s = (error.retry_after->count() + 999) / 1000;
  return problem;
}

std::string type_of(const FaultInfo& info) {
  return fmt::format("/problems/{}", info.name);
}

namespace {

void write_error_name(events::JsonWriter& json, const Problem& problem, const FaultInfo& info) {
  json.field("error", info.name);
  std::map<std::string_view, std::vector<std::string_view>> by_field;
  for (const auto& error : problem.errors) {
    std::string_view field = error.pointer;
    if (field.starts_with('/')) field.remove_prefix(1);
    by_field[field.substr(0, field.find('/'))].push_back(error.detail);
  }
  json.begin_object("details");
  json.begin_array("_errors");
  for (const auto detail : by_field[""]) json.element(detail);
  json.end_array();
  for (const auto& [field, details] : by_field) {
    if (field.empty()) continue;
    json.begin_object(field);
    json.begin_array("_errors");
    for (const auto detail : details) json.element(detail);
    json.end_array();
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::string body_of(const Problem& problem, std::string_view request_id, bool with_error_name) {
  const auto& info = info_of(problem.fault);
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("type", type_of(info));
  json.field("code", info.code);
  json.field("title", info.title);
  json.field("status", info.status);
  json.field("detail", problem.detail);
  json.field("hint", problem.hint.empty() ? info.hint : std::string_view(problem.hint));
  json.field("retryable", info.retryable);
  if (!problem.errors.empty()) {
    json.begin_array("errors");
    for (const auto& error : problem.errors) {
      json.begin_object();
      json.field("pointer", error.pointer);
      json.field("detail", error.detail);
      json.end_object();
    }
    json.end_array();
  }
  if (problem.current_version) json.field("current_version", *problem.current_version);
  if (!problem.dependents.empty()) {
    json.begin_array("dependents");
    for (const auto& dependent : problem.dependents) json.element(dependent);
    json.end_array();
  }
  if (with_error_name) write_error_name(json, problem, info);
  json.field("request_id", request_id);
  json.end_object();
  return body;
}

http::Reply reply_of(const Problem& problem, std::string_view request_id, bool with_error_name) {
  const auto& info = info_of(problem.fault);
  http::Reply reply{
      .status = info.status, .headers = problem.headers, .body = body_of(problem, request_id, with_error_name)};
  reply.headers.push_back({.name = "Content-Type", .value = "application/problem+json"});
  auto retry_after_s = problem.retry_after_s;
  if (!retry_after_s && info.status == 503) retry_after_s = 1;
  if (retry_after_s) reply.headers.push_back({.name = "Retry-After", .value = std::to_string(*retry_after_s)});
  if (problem.current_version)
    reply.headers.push_back({.name = "ETag", .value = fmt::format("\"v{}\"", *problem.current_version)});
  return reply;
}

}  // namespace tokenrail::registry_api
