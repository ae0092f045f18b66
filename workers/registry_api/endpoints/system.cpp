// What needs no caller: health, the OpenAPI document, and the pages that problems point to.
#include "common/events/json_writer.hpp"
#include "common/telemetry/health.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;

awaitable<Answer> live(Call&) {
  co_return http::Reply{.body = "ok\n"};
}

awaitable<Answer> ready(Call& call) {
  auto answer = telemetry::ready_answer(call.context->conditions());
  co_return json_reply(answer.status, std::move(answer.body));
}

awaitable<Answer> openapi(Call& call) {
  co_return json_reply(200, call.context->openapi);
}

awaitable<Answer> describe_problem(Call& call) {
  const auto* info = find_fault(call.path["name"]);
  if (info == nullptr) co_return refuse(Fault::not_found, "There is no problem of that name.");
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("type", type_of(*info));
  json.field("code", info->code);
  json.field("title", info->title);
  json.field("status", info->status);
  json.field("hint", info->hint);
  json.field("retryable", info->retryable);
  json.end_object();
  co_return json_reply(200, std::move(body));
}

Route open_route(std::string_view pattern, std::string_view operation, std::string_view summary, Handler handler) {
  return {.method = "GET",
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .access = Access::open,
          .tag = "service",
          .handler = handler};
}

}  // namespace

void add_system_routes(std::vector<Route>& routes) {
  static const auto document = described(any_object(), "An OpenAPI 3.1 document.");
  static const auto readiness = any_object();
  static const auto problem_type = any_object();
  routes.push_back(open_route("/livez", "service.live", "Answers while the process lives.", live));
  auto readyz =
      open_route("/readyz", "service.ready", "Says whether the service can answer, and what is missing.", ready);
  readyz.reply = &readiness;
  readyz.other_status = 503;
  routes.push_back(readyz);
  auto spec = open_route("/openapi.json", "service.openapi", "Reads this document.", openapi);
  spec.reply = &document;
  routes.push_back(spec);
  auto problem =
      open_route("/problems/{name}", "service.problem", "Describes a problem by its name or code.", describe_problem);
  problem.reply = &problem_type;
  routes.push_back(problem);
}

}  // namespace tokenrail::registry_api
