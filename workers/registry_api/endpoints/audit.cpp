// What was done by whom, and the syncs of connections.
#include <array>

#include "common/registry/governance_log.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernanceLog;
using registry::GovernedDatabase;

constexpr std::array audit_filter{
    QueryParameter{.name = "action", .description = "Such as model.changed."},
    QueryParameter{.name = "target_type", .description = "Such as model."},
    QueryParameter{.name = "target_id", .description = "Id of what was changed."},
    QueryParameter{.name = "actor", .description = "Such as user:anna."},
    fields_parameter,
};

awaitable<Answer> list_audit(Call& call) {
  GovernanceLog::AuditFilter filter{.action = call.query.text("action").value_or(""),
                                    .target_type = call.query.text("target_type").value_or(""),
                                    .target_id = call.query.text("target_id").value_or(""),
                                    .actor = call.query.text("actor").value_or("")};
  return answer_page(call, [actor = call.actor(), scope = call.scope(), filter = std::move(filter)](
                               GovernedDatabase& database, const registry::PageRequest& page) {
    return GovernanceLog(database).audit(actor, scope, filter, page);
  });
}

awaitable<Answer> list_sync_runs(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return GovernanceLog(database).sync_runs(actor, scope, page);
  });
}

Route page_route(std::string_view pattern, std::string_view operation, std::string_view summary,
                 std::string_view permission, const Schema& page, Handler handler) {
  return {.method = "GET",
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = permission,
          .paged = true,
          .reply = &page,
          .tag = "audit",
          .handler = handler};
}

}  // namespace

void add_audit_routes(std::vector<Route>& routes) {
  static const auto audit_page = schemas::page_of(schemas::audit_entry());
  static const auto runs_page = schemas::page_of(schemas::sync_run());
  auto audit = page_route("/v1/orgs/{org}/audit", "audit.list", "Lists who changed what, newest first.",
                          "org:audit:read", audit_page, list_audit);
  audit.query = audit_filter;
  routes.push_back(audit);
  routes.push_back(page_route("/v1/orgs/{org}/sync-runs", "sync_runs.list",
                              "Lists the syncs of the scope's connections, newest first.", "org:connections:read",
                              runs_page, list_sync_runs));
}

}  // namespace tokenrail::registry_api
