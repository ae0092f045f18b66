#include "workers/registry_api/endpoints/all_routes.hpp"

namespace tokenrail::registry_api {

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
  add_provider_answer_routes(routes);
  add_default_routes(routes);
  add_alias_routes(routes);
  add_grant_routes(routes);
  add_view_routes(routes);
  add_audit_routes(routes);
  add_resolution_routes(routes);
  add_held_change_routes(routes);
  add_org_models_routes(routes);
  add_older_path_routes(routes);
  add_chat_routes(routes);
  add_operation_routes(routes);
  return routes;
}

}  // namespace tokenrail::registry_api
