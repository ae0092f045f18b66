// The schemas of bodies: of requests closed, of replies open, so that readers expect further members.
#pragma once

#include <string>

#include "workers/registry_api/schema.hpp"

namespace tokenrail::registry_api::schemas {

// ---- of requests

[[nodiscard]] const Schema& organization_input();
[[nodiscard]] const Schema& organization_patch();
[[nodiscard]] const Schema& member_input();
[[nodiscard]] const Schema& token_input();
[[nodiscard]] const Schema& connection_input();
[[nodiscard]] const Schema& connection_patch();
/// A connection that is not stored.
[[nodiscard]] const Schema& connection_test_draft();
[[nodiscard]] const Schema& connection_test_input();
[[nodiscard]] const Schema& credential_input();
[[nodiscard]] const Schema& credential_replacement();
[[nodiscard]] const Schema& sync_input();
[[nodiscard]] const Schema& model_input();
/// PUT: provider and name are in the path.
[[nodiscard]] const Schema& model_replacement();
[[nodiscard]] const Schema& model_patch();
/// Of the path /orgs/{org}/models, in the form of an older API.
[[nodiscard]] const Schema& org_model_input();
[[nodiscard]] const Schema& model_batch_input();
[[nodiscard]] const Schema& rollback_input();
[[nodiscard]] const Schema& dependent_input();
[[nodiscard]] const Schema& default_input();
[[nodiscard]] const Schema& alias_input();
[[nodiscard]] const Schema& grant_input();
[[nodiscard]] const Schema& grant_batch_input();
[[nodiscard]] const Schema& grant_removals();
[[nodiscard]] const Schema& view_input();
[[nodiscard]] const Schema& resolution_input();
[[nodiscard]] const Schema& dev_session_input();
[[nodiscard]] const Schema& chat_input();

// ---- of replies

[[nodiscard]] const Schema& organization();
[[nodiscard]] const Schema& member();
[[nodiscard]] const Schema& token();
[[nodiscard]] const Schema& new_token();
[[nodiscard]] const Schema& provider();
[[nodiscard]] const Schema& connection();
[[nodiscard]] const Schema& connection_test();
[[nodiscard]] const Schema& credential();
[[nodiscard]] const Schema& model();
[[nodiscard]] const Schema& org_model();
[[nodiscard]] const Schema& model_batch();
[[nodiscard]] const Schema& revision();
[[nodiscard]] const Schema& difference();
[[nodiscard]] const Schema& dependent();
[[nodiscard]] const Schema& explanation();
[[nodiscard]] const Schema& model_default();
[[nodiscard]] const Schema& alias();
[[nodiscard]] const Schema& grant();
[[nodiscard]] const Schema& grant_batch();
[[nodiscard]] const Schema& removed_grants();
[[nodiscard]] const Schema& view();
[[nodiscard]] const Schema& audit_entry();
[[nodiscard]] const Schema& sync_run();
[[nodiscard]] const Schema& held_change();
[[nodiscard]] const Schema& held_decision();
[[nodiscard]] const Schema& sync_request();
[[nodiscard]] const Schema& statistics();
[[nodiscard]] const Schema& usable_models();
[[nodiscard]] const Schema& session();
[[nodiscard]] const Schema& session_options();
[[nodiscard]] const Schema& operation();
/// Not JSON: server-sent events.
[[nodiscard]] const Schema& event_stream();

/// {"data":[item...],"next_page_token":"...","total_size":N}
[[nodiscard]] Schema page_of(const Schema& item);

}  // namespace tokenrail::registry_api::schemas
