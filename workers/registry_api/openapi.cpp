#include "workers/registry_api/openapi.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::registry_api {

namespace {

using events::JsonWriter;

constexpr std::string_view description =
    "The model registry: which models organisations may use, through which connections, at what price and with which "
    "key. Errors are problem details (RFC 9457). Lists are paged. Whatever people change has a version, and its ETag "
    "is \"v{version}\". A change takes it as If-Match. One that makes what is not there takes If-None-Match: * "
    "instead. "
    "Both are refused with 412 and current_version where the resource is another one. POST takes Idempotency-Key.";

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

const Schema& problem_schema() {
  static const auto schema = open_object(
      "Problem", {required("type", formatted(text(), "uri-reference")), required("code", text()),
                  required("title", text()), required("status", integer(400, 599)), required("detail", text(0, 10'000)),
                  required("hint", text()), required("retryable", boolean()),
                  optional("errors", list_of(object("FieldError", {required("pointer", text(0, 10'000)),
                                                                   required("detail", text(0, 10'000))}),
                                             static_cast<std::int64_t>(field_errors_max))),
                  optional("current_version", integer()), optional("dependents", list_of(text(), 1000)),
                  required("request_id", text())});
  return schema;
}

void write_header_parameter(JsonWriter& json, std::string_view name, std::string_view what, const Schema& schema) {
  json.begin_object();
  json.field("name", name);
  json.field("in", "header");
  json.field("description", what);
  json.raw_field("schema", write_schema(schema));
  json.end_object();
}

Schema schema_of(const QueryParameter& parameter) {
  switch (parameter.type) {
    case QueryParameter::Type::integer:
      return parameter.name == "page_size" ? integer(1) : integer();
    case QueryParameter::Type::boolean:
      return boolean();
    case QueryParameter::Type::choice: {
      std::vector<std::string> choices;
      for (auto rest = parameter.choices; !rest.empty();) {
        const auto bar = rest.find('|');
        choices.emplace_back(rest.substr(0, bar));
        rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
      }
      return choice(std::move(choices));
    }
    case QueryParameter::Type::text:
      break;
  }
  return text();
}

void write_query_parameter(JsonWriter& json, const QueryParameter& parameter) {
  json.begin_object();
  json.field("name", parameter.name);
  json.field("in", "query");
  json.field("description", parameter.description);
  if (parameter.required) json.field("required", true);
  const auto schema = schema_of(parameter);
  json.raw_field("schema", write_schema(parameter.repeated ? list_of(schema, 100) : schema));
  json.end_object();
}

void write_parameters(JsonWriter& json, const Route& route) {
  json.begin_array("parameters");
  for (const auto name : path_parameters(route.pattern)) {
    json.begin_object();
    json.field("name", name);
    json.field("in", "path");
    json.field("required", true);
    json.raw_field("schema", write_schema(text(1, 512)));
    json.end_object();
  }
  for (const auto& parameter : route.query) write_query_parameter(json, parameter);
  if (route.paged)
    for (const auto& parameter : paging_parameters()) write_query_parameter(json, parameter);
  if (route.dry_run) write_query_parameter(json, dry_run_parameter());
  if (route.conditional) {
    if (route.method == "GET") {
      write_header_parameter(json, "If-None-Match", "ETag that the caller has; 304 if it is still right.", text());
    } else {
      write_header_parameter(json, "If-Match", "ETag that the change is meant for; 412 if there is another.", text());
    }
  }
  if (route.takes_absent) {
    write_header_parameter(json, "If-None-Match", "*: only make what is not there yet; 412 if it is.", choice({"*"}));
  }
  if (route.idempotent_by_key) {
    write_header_parameter(json, "Idempotency-Key",
                           "Makes the request safe to repeat: it takes effect once in 24 hours.", text(1, 255));
  }
  json.end_array();
}

void write_problem_response(JsonWriter& json, std::string_view status, std::string_view what) {
  json.begin_object(status);
  json.field("description", what);
  json.begin_object("content");
  json.begin_object("application/problem+json");
  json.raw_field("schema", reference_to(problem_schema()));
  json.end_object();
  json.end_object();
  json.end_object();
}

void write_success(JsonWriter& json, const Route& route, int status) {
  json.begin_object(std::to_string(status));
  json.field("description", status == 201   ? "Created."
                            : status == 204 ? "Done."
                            : status == 303 ? "The browser goes to Location."
                            : status == 503 ? "A part of the service is away; the document names it."
                                            : "Success.");
  if (route.conditional && status != 204) {
    json.begin_object("headers");
    json.begin_object("ETag");
    json.field("description", "The version of the resource.");
    json.raw_field("schema", R"({"type":"string"})");
    json.end_object();
    json.end_object();
  }
  if (route.reply != nullptr) {
    json.begin_object("content");
    json.begin_object(route.reply->format == event_stream_type ? event_stream_type : "application/json");
    json.raw_field("schema", reference_to(*route.reply));
    json.end_object();
    json.end_object();
  }
  json.end_object();
}

void write_responses(JsonWriter& json, const Route& route) {
  json.begin_object("responses");
  write_success(json, route, route.status);
  if (route.may_create) write_success(json, route, 201);
  if (route.other_status != 0) write_success(json, route, route.other_status);
  if (route.method == "GET" && route.conditional) {
    json.begin_object("304");
    json.field("description", "The caller has this version already.");
    json.end_object();
  }
  if (route.method != "GET" && route.conditional)
    write_problem_response(json, "412", "The resource has another version, which current_version is, or is not there.");
  write_problem_response(json, "default", "Why there is no answer.");
  json.end_object();
}

void write_operation(JsonWriter& json, const Route& route) {
  json.begin_object(lower(route.method));
  json.field("operationId", route.operation);
  json.field("summary", route.summary);
  if (!route.tag.empty()) {
    json.begin_array("tags");
    json.element(route.tag);
    json.end_array();
  }
  if (!route.permission.empty()) json.field("x-permission", route.permission);
  if (route.access == Access::open) {
    json.begin_array("security");
    json.end_array();
  }
  write_parameters(json, route);
  if (route.body != nullptr) {
    json.begin_object("requestBody");
    json.field("required", !route.body_optional);
    json.begin_object("content");
    json.begin_object(route.method == "PATCH" ? "application/merge-patch+json" : "application/json");
    json.raw_field("schema", reference_to(*route.body));
    json.end_object();
    json.end_object();
    json.end_object();
  }
  write_responses(json, route);
  json.end_object();
}

void write_components(JsonWriter& json, std::span<const Route> routes) {
  std::vector<const Schema*> named;
  collect_named(problem_schema(), named);
  for (const auto& route : routes) {
    if (route.body != nullptr) collect_named(*route.body, named);
    if (route.reply != nullptr) collect_named(*route.reply, named);
  }
  std::ranges::sort(named, {}, &Schema::name);
  json.begin_object("components");
  json.begin_object("schemas");
  for (const auto* schema : named) {
    auto plain = *schema;
    plain.nullable = false;  // said where it is referred to
    json.raw_field(schema->name, write_schema(plain));
  }
  json.end_object();
  json.begin_object("securitySchemes");
  json.begin_object("bearer");
  json.field("type", "http");
  json.field("scheme", "bearer");
  json.field("description", "A JWT or a service token.");
  json.end_object();
  json.begin_object("session");
  json.field("type", "apiKey");
  json.field("in", "cookie");
  json.field("name", "tokenrail_session");
  json.field("description",
             "The session of a browser; __Host-tokenrail_session where it is reached by https. Changing requests need "
             "X-CSRF-Token too.");
  json.end_object();
  json.end_object();
  json.end_object();
}

}  // namespace

std::vector<std::string_view> path_parameters(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1))
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  return names;
}

std::string openapi_document(std::span<const Route> routes, std::string_view version) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const auto& route : routes) by_path[route.pattern].push_back(&route);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("openapi", "3.1.0");
  json.begin_object("info");
  json.field("title", "Tokenrail registry");
  json.field("version", version);
  json.field("description", description);
  json.end_object();
  json.begin_array("security");
  for (const auto* scheme : {"bearer", "session"}) {
    json.begin_object();
    json.begin_array(scheme);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.begin_object("paths");
  for (const auto& [path, operations] : by_path) {
    json.begin_object(path);
    for (const auto* route : operations) write_operation(json, *route);
    json.end_object();
  }
  json.end_object();
  write_components(json, routes);
  json.end_object();
  return out;
}

}  // namespace tokenrail::registry_api
