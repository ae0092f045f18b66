#include "common/registry/access.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>

namespace tokenrail::registry {

using events::ObjectKind;

Access::Access(const Projection& projection, const Caller& caller)
    : projection_(&projection),
      caller_(caller),
      organization_(projection.organization(caller.org_id)),
      grants_(projection.grants(caller.org_id)) {}

bool Access::is_for_caller(const events::Grant& grant) const {
  switch (grant.subject_kind) {
    case events::SubjectKind::org:
      return grant.subject == caller_.org_id;
    case events::SubjectKind::group:
      return std::ranges::find(caller_.groups, grant.subject) != caller_.groups.end();
    case events::SubjectKind::user:
      return grant.subject == caller_.user_id;
    case events::SubjectKind::other:
      // It is unknown whom it is for. An allow must not open anything; a deny may be meant for any user.
      return !grant.allow;
  }
  return false;
}

void Access::look_up(ObjectKind kind, std::string_view id, Permission& permission) const {
  if (grants_ == nullptr) return;
  const auto [first, last] = std::ranges::equal_range(grants_->grants, std::tuple(kind, id), {}, [](const auto& grant) {
    return std::tuple(grant.object_kind, std::string_view(grant.object));
  });
  for (auto at = first; at != last; ++at) {
    if (!is_for_caller(*at)) continue;
    if (at->allow) {
      permission.allowed = true;
    } else if (permission.denied_by == nullptr) {
      permission.denied_by = &*at;
    }
  }
}

ModelAccess Access::of(const EffectiveModel& model, std::string_view alias) const {
  ModelAccess access;
  if (grants_ == nullptr && !allow_list()) return access;
  Permission permission;
  bool org_row = false;
  for (const auto* row : model.rows()) {
    look_up(ObjectKind::model, row->id, permission);
    org_row = org_row || (!row->org_id.empty() && row->owner_user_id.empty());
  }
  if (!alias.empty()) look_up(ObjectKind::alias, alias, permission);
  access.denied_by = permission.denied_by;

  const auto& serving = model.serving();
  const bool own = !serving.owner_user_id.empty() && !serving.deployments.empty();
  const bool needs_grant = restricted() && !own;
  const bool needs_listing = allow_list() && !org_row && !own;
  if ((!needs_grant && !needs_listing) || permission.allowed) return access;
  for (const auto& deployment : serving.deployments) {
    Permission connection;
    look_up(ObjectKind::connection, deployment.connection_id, connection);
    if (connection.allowed) access.only_granted_connections = true;
  }
  if (access.only_granted_connections) return access;
  access.granted = !needs_grant;
  access.listed = !needs_listing;
  return access;
}

const events::ModelState* Access::blocked_upstream(const EffectiveModel& model,
                                                   const events::DeploymentState& deployment) const {
  if (model.serving().org_id.empty() || !deployment.connection_org_id.empty()) return nullptr;
  return projection_->blocked_upstream(deployment.connection_id, deployment.upstream_name);
}

bool Access::may_call(const events::DeploymentState& deployment, const ModelAccess& access) const {
  if (grants_ == nullptr) return true;
  Permission permission;
  look_up(ObjectKind::connection, deployment.connection_id, permission);
  return permission.denied_by == nullptr && (permission.allowed || !access.only_granted_connections);
}

std::optional<std::vector<std::string_view>> Access::granted_models() const {
  std::vector<std::string_view> ids;
  if (grants_ == nullptr) return ids;
  for (const auto& grant : grants_->grants) {
    if (!grant.allow || !is_for_caller(grant)) continue;
    if (grant.object_kind == ObjectKind::connection) return std::nullopt;
    if (grant.object_kind == ObjectKind::model) ids.emplace_back(grant.object);
  }
  return ids;
}

Failing Access::failing(const ModelAccess& access) const {
  Failing failing;
  if (organization_deleted()) failing.add(ClauseName::organization);
  if (!access.listed) failing.add(ClauseName::allow_list);
  if (!access.granted || access.denied_by != nullptr) failing.add(ClauseName::granted);
  return failing;
}

Clause Access::describe(std::string_view model, ClauseName name, const Failing& failing,
                        const ModelAccess& access) const {
  Clause clause{.name = name, .ok = !failing.has(name), .scope = "organisation"};
  switch (name) {
    case ClauseName::organization:
      clause.detail =
          clause.ok ? "The organisation exists." : fmt::format("The organisation {} has been deleted.", caller_.org_id);
      if (!clause.ok) clause.advice = "Ask under another organisation.";
      break;
    case ClauseName::allow_list:
      clause.detail = !clause.ok     ? fmt::format("The model {} is not on the organisation's allow-list.", model)
                      : allow_list() ? "The organisation's allow-list has it."
                                     : "The organisation uses every enabled model of the platform.";
      if (!clause.ok) clause.advice = "Ask an organisation administrator to add it, or choose another model.";
      break;
    case ClauseName::granted:
      if (clause.ok) {
        clause.detail = restricted() ? "It is granted." : "Nothing denies it.";
      } else if (access.denied_by != nullptr) {
        clause.detail = fmt::format("The model {} is denied to the {} {}.", model,
                                    events::name_of(access.denied_by->subject_kind), access.denied_by->subject);
      } else {
        clause.detail = fmt::format("The model {} is not granted to the caller.", model);
      }
      if (!clause.ok) clause.advice = "Ask an organisation administrator for a grant, or choose another model.";
      break;
    default:
      break;
  }
  return clause;
}

}  // namespace tokenrail::registry
