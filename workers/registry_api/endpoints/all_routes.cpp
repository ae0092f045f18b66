#include "workers/registry_api/endpoints/all_routes.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tokenrail::registry_api {

namespace {

/// Changes that are transactions of the database and nothing else.
constexpr std::array<std::string_view, 36> with_dry_run{"aliases.delete",       "aliases.set",
                                                        "catalogs.apply",       "catalogs.record",
                                                        "connections.change",   "connections.create",
                                                        "connections.delete",   "credentials.create",
                                                        "credentials.revoke",   "credentials.replace",
                                                        "defaults.remove",      "defaults.set",
                                                        "grants.add",           "grants.batch",
                                                        "grants.remove",        "held_changes.decide",
                                                        "members.remove",       "members.set",
                                                        "models.add_dependent", "models.batch",
                                                        "models.change",        "models.create",
                                                        "models.delete",        "models.parameters.set",
                                                        "models.prices.set",    "models.remove_dependent",
                                                        "models.replace",       "models.rollback",
                                                        "orgs.change",          "orgs.create",
                                                        "orgs.delete",          "quality_scores.set",
                                                        "tokens.create",        "tokens.revoke",
                                                        "views.delete",         "views.set"};

}  // namespace

std::vector<Route> all_routes() {
  std::vector<Route> routes;
  add_system_routes(routes);
  add_session_routes(routes);
  add_oidc_login_routes(routes);
  add_provider_routes(routes);
  add_organization_routes(routes);
  add_member_routes(routes);
  add_token_routes(routes);
  add_connection_routes(routes);
  add_connection_test_routes(routes);
  add_credential_routes(routes);
  add_model_routes(routes);
  add_model_batch_routes(routes);
  add_model_history_routes(routes);
  add_price_routes(routes);
  add_call_parameter_routes(routes);
  add_provider_answer_routes(routes);
  add_default_routes(routes);
  add_alias_routes(routes);
  add_grant_routes(routes);
  add_view_routes(routes);
  add_audit_routes(routes);
  add_resolution_routes(routes);
  add_held_change_routes(routes);
  add_catalog_routes(routes);
  add_configuration_routes(routes);
  add_org_models_routes(routes);
  add_older_path_routes(routes);
  add_chat_routes(routes);
  add_operation_routes(routes);
  for (auto& route : routes) route.dry_run = std::ranges::find(with_dry_run, route.operation) != with_dry_run.end();
  return routes;
}

}  // namespace tokenrail::registry_api
