#include "workers/registry_api/call.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "common/config/edit_distance.hpp"
#include "common/telemetry/text_escape.hpp"
#include "workers/registry_api/context.hpp"

namespace tokenrail::registry_api {

namespace {

void keep_only(Json& value, const std::vector<std::string_view>& names) {
  auto* members = value.object();
  if (members == nullptr) return;
  std::erase_if(*members, [&](const JsonMember& member) {
    return member.name != "id" && std::ranges::find(names, member.name) == names.end();
  });
}

constexpr std::size_t suggestion_distance_max = 3;
constexpr std::size_t shown_bytes_max = 64;

std::vector<std::string_view> names_in(std::string_view fields) {
  std::vector<std::string_view> names;
  while (!fields.empty()) {
    const auto comma = fields.find(',');
    names.push_back(fields.substr(0, comma));
    fields.remove_prefix(comma == std::string_view::npos ? fields.size() : comma + 1);
  }
  return names;
}

const Property* property_of(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find(schema.properties, name, &Property::name);
  return found == schema.properties.end() ? nullptr : &*found;
}

}  // namespace

std::string Call::org() const {
  const auto& named = path["org"];
  return named == platform_org ? std::string() : named;
}

registry::Scope Call::scope() const {
  return {.org_id = org(), .user_id = personal() ? principal.subject : std::string()};
}

registry::Actor Call::actor() const {
  return {.name = (principal.kind == auth::Principal::Kind::service ? "token:" : "user:") + principal.subject,
          .scope = {.org_id = org(), .user_id = principal.subject},
          .all_organizations = principal.platform_admin,
          .request_id = request_id,
          .dry_run = query.boolean(dry_run_parameter().name).value_or(false)};
}

std::expected<ListPage, Problem> Call::page() const {
  return context->page_tokens.request(query,
                                      fmt::format("{} {} {}", route->operation, request.path, principal.subject));
}

std::expected<Precondition, Problem> Call::precondition() const {
  return Precondition::parse(request.header("if-match"), request.header("if-none-match"),
                             context->options.if_match_required);
}

http::Reply json_reply(int status, std::string body) {
  return {
      .status = status, .headers = {{.name = "Content-Type", .value = "application/json"}}, .body = std::move(body)};
}

http::Reply versioned_reply(const Call& call, std::int64_t version, std::string body) {
  const bool reads = call.request.method == "GET" || call.request.method == "HEAD";
  auto reply = reads && not_modified(call.request.header("if-none-match"), version) ? http::Reply{.status = 304}
                                                                                    : json_reply(200, std::move(body));
  reply.headers.push_back({.name = "ETag", .value = etag_of(version)});
  return reply;
}

http::Reply created_reply(std::string location, std::int64_t version, std::string body) {
  auto reply = json_reply(201, std::move(body));
  reply.headers.push_back({.name = "Location", .value = std::move(location)});
  reply.headers.push_back({.name = "ETag", .value = etag_of(version)});
  return reply;
}

http::Reply no_content() {
  return {.status = 204};
}

std::optional<Problem> check_fields(const Schema& reply, std::string_view fields) {
  const auto* const data = property_of(reply, "data");
  const auto& object = data == nullptr ? reply : *data->schema->items;
  for (const auto name : names_in(fields)) {
    if (property_of(object, name) != nullptr) continue;
    std::vector<std::string_view> known;
    for (const auto& property : object.properties) known.emplace_back(property.name);
    const auto near = config::nearest(name.substr(0, shown_bytes_max), known, suggestion_distance_max);
    return Problem{.fault = Fault::invalid_query,
                   .detail = fmt::format("The query parameter 'fields' names '{}', which the answer does not have.{}",
                                         telemetry::one_line(name.substr(0, shown_bytes_max)),
                                         near ? fmt::format(" Did you mean '{}'?", *near) : std::string())};
  }
  return std::nullopt;
}

std::string with_fields_only(const std::string& body, std::string_view fields) {
  auto value = parse_json(body, {.depth_max = 64, .values_max = 10'000'000});
  if (!value || value->object() == nullptr) return body;
  const auto names = names_in(fields);
  const auto data = std::ranges::find(*value->object(), "data", &JsonMember::name);
  if (data != value->object()->end() && data->value.array() != nullptr) {
    for (auto& item : *data->value.array()) keep_only(item, names);
  } else {
    keep_only(*value, names);
  }
  return value->write();
}

}  // namespace tokenrail::registry_api
