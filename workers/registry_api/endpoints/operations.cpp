// /v1/orgs/{org}/operations/{operation}: how far long work is, once or as a stream of events. And
// /v1/registry:republish, which begins some.
#include "common/registry/operations.hpp"

#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "common/events/json_writer.hpp"
#include "workers/registry_api/chats.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using namespace std::chrono_literals;

constexpr auto look_every = 500ms;
constexpr auto stream_time_max = 10min;

/// What a stream looks at again and again; it outlives the call.
struct Watched {
  Context* context;
  registry::Actor actor;
  registry::Scope scope;
  std::string id;
  std::string request_id;

  [[nodiscard]] awaitable<Result<registry::Document>> look() const {
    return context->database->run([actor = actor, scope = scope, id = id](GovernedDatabase& database) {
      return registry::Operations(database).get(actor, scope, id);
    });
  }
};

bool is_running(const std::string& document) {
  const auto json = parse_json(document);
  return json && json->text_of("state") == "running";
}

/// `progress` each time that the document changes, at last `done`. A stream that ends without it is to be opened again.
awaitable<void> stream(Watched watched, registry::Document document, std::shared_ptr<http::ReplyStream> out) {
  const auto until = std::chrono::steady_clock::now() + stream_time_max;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  std::string shown;
  while (true) {
    const bool running = is_running(document.json);
    const bool changed = document.json != shown;
    const auto piece = !running  ? sse_event("done", document.json)
                       : changed ? sse_event("progress", document.json)
                                 : std::string(":\n\n");
    if (!co_await out->write(piece) || !running) co_return;
    shown = document.json;
    if (watched.context->stopping || std::chrono::steady_clock::now() > until) co_return;
    timer.expires_after(look_every);
    co_await timer.async_wait(boost::asio::use_awaitable);
    auto found = co_await watched.look();
    if (!found) {
      co_await out->write(sse_event("error", body_of(problem_of(found.error()), watched.request_id)));
      co_return;
    }
    document = std::move(*found);
  }
}

awaitable<Answer> get_operation(Call& call) {
  Watched watched{.context = call.context,
                  .actor = call.actor(),
                  .scope = call.scope(),
                  .id = call.path["operation"],
                  .request_id = call.request_id};
  auto found = co_await watched.look();
  if (!found) co_return std::unexpected(problem_of(found.error()));
  if (!call.request.header("accept").value_or("").contains("text/event-stream"))
    co_return json_reply(200, std::move(found->json));
  auto reply = sse_reply();
  reply.stream = [watched = std::move(watched), document = std::move(*found)](std::shared_ptr<http::ReplyStream> out) {
    return stream(watched, document, std::move(out));
  };
  co_return reply;
}

awaitable<Answer> republish(Call& call) {
  const auto asked = co_await call.context->database->run([actor = call.actor()](GovernedDatabase& database) {
    return registry::Operations(database).request_republish(actor);
  });
  if (!asked) co_return std::unexpected(problem_of(asked.error()));
  co_return operation_reply("republish", *asked, fmt::format("/v1/orgs/{}/operations/{}", platform_org, *asked));
}

}  // namespace

Answer operation_reply(std::string_view kind, const std::string& id, std::string location) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("id", id);
  json.field("kind", kind);
  json.field("state", "running");
  json.end_object();
  auto reply = json_reply(202, std::move(body));
  reply.headers.push_back({.name = "Location", .value = std::move(location)});
  return reply;
}

void add_operation_routes(std::vector<Route>& routes) {
  routes.push_back({.method = "POST",
                    .pattern = "/v1/registry:republish",
                    .operation = "registry.republish",
                    .summary = "Asks registry-sync to compare the compacted topics with the database, and to publish "
                               "what they lack.",
                    .access = Access::platform,
                    .permission = "platform:connections:write",
                    .idempotent_by_key = true,
                    .reply = &schemas::sync_request(),
                    .status = 202,
                    .tag = "operations",
                    .handler = republish});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/operations/{operation}",
                    .operation = "operations.get",
                    .summary = "Says how far an operation is; with Accept: text/event-stream as events, progress and "
                               "at last done.",
                    .permission = "org:connections:read",
                    .reply = &schemas::operation(),
                    .tag = "operations",
                    .handler = get_operation});
}

}  // namespace tokenrail::registry_api
