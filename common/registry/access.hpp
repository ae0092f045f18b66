// What a caller may use: the mode of its organisation and the organisation's grants. Pure.
//
// A deny beats every allow. Where the organisation is restricted, a member uses only what is granted. Where it works by
// allow-list, a model of the platform needs a row of the organisation, or a grant. A user's own model, served by the
// user's own deployments, needs neither. What the platform blocks is not called under another name either. Grants of
// views are not looked at: routing knows no views.
#pragma once

#include <string_view>
#include <vector>

#include "common/registry/clauses.hpp"
#include "common/registry/effective_model.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry {

struct ModelAccess {
  bool listed = true;                        ///< false: the allow-list lacks it
  bool granted = true;                       ///< false: the organisation is restricted and it is not granted
  const events::Grant* denied_by = nullptr;  ///< null: nothing denies it
  bool only_granted_connections = false;     ///< it is usable only where a grant names the connection
};

class Access {
 public:
  /// `caller` outlives it, and so does the projection's state.
  Access(const Projection& projection, const Caller& caller);

  [[nodiscard]] bool organization_deleted() const { return organization_ != nullptr && organization_->deleted; }
  [[nodiscard]] bool strict_default() const { return organization_ != nullptr && organization_->strict_default; }

  /// `alias`: the alias by which it was asked for; empty: its own name. A grant of the alias is one of its targets.
  [[nodiscard]] ModelAccess of(const EffectiveModel& model, std::string_view alias) const;
  /// The model that the platform blocks and that this deployment of the model would call under another name; null:
  /// none. An organisation's own connections are its own.
  [[nodiscard]] const events::ModelState* blocked_upstream(const EffectiveModel& model,
                                                           const events::DeploymentState& deployment) const;
  [[nodiscard]] bool may_call(const events::DeploymentState& deployment, const ModelAccess& access) const;

  /// A model of the platform that the organisation has no row for is usable only where a grant says so.
  [[nodiscard]] bool platform_needs_grant() const { return allow_list() || restricted(); }
  /// The ids of the models that are granted to the caller by themselves; nothing: connections are granted as well, so
  /// that any model may be.
  [[nodiscard]] std::optional<std::vector<std::string_view>> granted_models() const;

  [[nodiscard]] Failing failing(const ModelAccess& access) const;
  /// One clause of this part: organization, allow_list or granted.
  [[nodiscard]] Clause describe(std::string_view model, ClauseName name, const Failing& failing,
                                const ModelAccess& access) const;

 private:
  struct Permission {
    bool allowed = false;
    const events::Grant* denied_by = nullptr;
  };
  [[nodiscard]] bool allow_list() const { return organization_ != nullptr && organization_->allow_list; }
  [[nodiscard]] bool restricted() const { return grants_ != nullptr && grants_->restricted; }
  [[nodiscard]] bool is_for_caller(const events::Grant& grant) const;
  void look_up(events::ObjectKind kind, std::string_view id, Permission& permission) const;

  const Projection* projection_;
  Caller caller_;
  const events::RegistryOrganization* organization_;
  const events::RegistryGrants* grants_;
};

}  // namespace tokenrail::registry
