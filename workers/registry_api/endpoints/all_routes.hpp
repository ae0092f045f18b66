// The operations of the API, one file a resource.
#pragma once

#include <vector>

#include "workers/registry_api/routes.hpp"

namespace tokenrail::registry_api {

void add_system_routes(std::vector<Route>& routes);
void add_session_routes(std::vector<Route>& routes);
void add_oidc_login_routes(std::vector<Route>& routes);
void add_provider_routes(std::vector<Route>& routes);
void add_organization_routes(std::vector<Route>& routes);
void add_member_routes(std::vector<Route>& routes);
void add_token_routes(std::vector<Route>& routes);
void add_connection_routes(std::vector<Route>& routes);
void add_connection_test_routes(std::vector<Route>& routes);
void add_credential_routes(std::vector<Route>& routes);
void add_model_routes(std::vector<Route>& routes);
void add_model_batch_routes(std::vector<Route>& routes);
void add_model_history_routes(std::vector<Route>& routes);
void add_price_routes(std::vector<Route>& routes);
void add_call_parameter_routes(std::vector<Route>& routes);
void add_provider_answer_routes(std::vector<Route>& routes);
void add_default_routes(std::vector<Route>& routes);
void add_alias_routes(std::vector<Route>& routes);
void add_grant_routes(std::vector<Route>& routes);
void add_view_routes(std::vector<Route>& routes);
void add_audit_routes(std::vector<Route>& routes);
void add_resolution_routes(std::vector<Route>& routes);
void add_held_change_routes(std::vector<Route>& routes);
void add_catalog_routes(std::vector<Route>& routes);
void add_configuration_routes(std::vector<Route>& routes);
void add_org_models_routes(std::vector<Route>& routes);
/// Behind those that it gives other names to.
void add_older_path_routes(std::vector<Route>& routes);
void add_chat_routes(std::vector<Route>& routes);
void add_operation_routes(std::vector<Route>& routes);

/// All of them.
[[nodiscard]] std::vector<Route> all_routes();

/// `owner=me`, which makes a request be about the caller's own rows.
inline constexpr QueryParameter owner_parameter{
    .name = "owner", .type = QueryParameter::Type::choice, .description = "The caller's own rows.", .choices = "me"};
inline constexpr QueryParameter fields_parameter{.name = "fields",
                                                 .description = "Names of the members to return, separated by commas."};
inline constexpr QueryParameter force_parameter{.name = "force",
                                                .type = QueryParameter::Type::boolean,
                                                .description = "Delete it although something else uses it."};

}  // namespace tokenrail::registry_api
