#include "workers/registry_sync/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "common/crypto/bytes.hpp"
#include "workers/registry_sync/holds.hpp"

namespace tokenrail::registry_sync {

bool wanted(const registry::Connection& connection, const std::string& name) {
  const auto matches = [&](const std::string& glob) { return matches_glob(glob, name); };
  if (!connection.include_globs.empty() && std::ranges::none_of(connection.include_globs, matches)) return false;
  return std::ranges::none_of(connection.exclude_globs, matches);
}

namespace {

using registry::HeldChange;
using registry::PlannedModel;
using registry::StoredModel;
using Kind = PlannedModel::Kind;

events::DeploymentState deployment_on(const registry::Connection& connection, const std::string& upstream_name) {
  events::DeploymentState deployment;
  deployment.connection_id = connection.id;
  deployment.connection_name = connection.name;
  deployment.connection_org_id = connection.org_id;
  deployment.connection_owner_user_id = connection.owner_user_id;
  deployment.provider = connection.provider;
  deployment.adapter = connection.adapter;
  deployment.base_url = connection.base_url;
  deployment.auth_type = connection.auth_type;
  deployment.auth_name = connection.auth_name;
  if (!connection.credential_id.empty()) deployment.credential_id = connection.credential_id;
  deployment.credential_version = connection.credential_version;
  deployment.upstream_name = upstream_name;
  deployment.priority = connection.priority;
  deployment.weight = connection.weight;
  deployment.enabled = connection.enabled;
  return deployment;
}

/// Takes the facts from the provider, except where a person has set another value.
void tell_facts(PlannedModel& planned, const StoredModel& stored, const ListedModel& listed) {
  auto& state = planned.after;
  const auto set = [&](const char* field, auto& mine, const auto& theirs) {
    if (!stored.overridden.contains(field)) mine = theirs;
  };
  set("digest", state.digest, listed.digest);
  set("family", state.family, listed.family);
  // Without details the rest is a guess: keep what is known.
  if (!listed.details_known) return;
  set("kind", state.kind, listed.kind);
  set("contextWindow", state.context_window, listed.context_window);
  set("outputTokensMax", state.output_tokens_max, listed.output_tokens_max);
  set("embeddingDimensions", state.embedding_dimensions, listed.embedding_dimensions);
  set("capabilities", state.capabilities, listed.capabilities);
  planned.details_digest = listed.details_key;
  planned.details_at_ms = listed.details_at_ms;
}

auto bookkeeping(const registry::StoredDeployment& d) {
  return std::tie(d.upstream_name, d.digest, d.missing_since_ms, d.missing_runs, d.answer_sha256);
}

/// Whether this connection's deployment may be called: not while it lacks a model that another one has.
void settle_here(PlannedModel& planned, const registry::Connection& connection, const StoredModel& stored) {
  for (auto& deployment : planned.after.deployments) {
    if (deployment.connection_id != connection.id) continue;
    const bool passed_over = planned.here.missing_since_ms && stored.listed_elsewhere;
    deployment.enabled = connection.enabled && planned.here.enabled && !passed_over;
  }
}

events::ModelState as_readers_see(events::ModelState state, const registry::FactsElsewhere& elsewhere) {
  elsewhere.fill(state);
  return state;
}

/// Fills in what follows from the rest and says what kind of change it is; nothing: there is none.
std::optional<PlannedModel> finish(PlannedModel planned, const StoredModel& stored, Kind kind) {
  planned.after.routable = registry::routable(planned.after, planned.missing_expired);
  planned.changed_fields = registry::changed_fields(stored.state, planned.after);
  const bool changes_row = !planned.changed_fields.empty();
  // A reader sees no change where the provider now says, or no longer says, what a catalogue says too.
  if (changes_row)
    planned.changed_fields = registry::changed_fields(as_readers_see(stored.state, stored.elsewhere),
                                                      as_readers_see(planned.after, stored.elsewhere));
  planned.prices_changed = planned.here.prices != (stored.here ? stored.here->prices : std::vector<Price>());
  if (planned.prices_changed) planned.changed_fields.emplace_back("prices");
  planned.kind = kind;
  if (!planned.changed_fields.empty()) return planned;
  const bool same = !changes_row && stored.here && bookkeeping(*stored.here) == bookkeeping(planned.here) &&
                    stored.details_digest == planned.details_digest && stored.details_at_ms == planned.details_at_ms &&
                    stored.missing_expired == planned.missing_expired;
  if (same) return std::nullopt;
  planned.kind = Kind::noted;
  return planned;
}

PlannedModel start_from(const StoredModel& stored) {
  PlannedModel planned;
  planned.before_version = stored.state.version;
  planned.after = stored.state;
  planned.details_digest = stored.details_digest;
  planned.details_at_ms = stored.details_at_ms;
  planned.missing_expired = stored.missing_expired;
  if (stored.here) planned.here = *stored.here;
  return planned;
}

/// What the provider said of the model is kept where it is not what is kept already.
void keep_answer(PlannedModel& planned, const ListedModel& listed) {
  if (listed.answer.empty()) return;
  auto sha256 = crypto::sha256_hex(listed.answer);
  if (sha256 == planned.here.answer_sha256) return;
  planned.here.answer_sha256 = std::move(sha256);
  planned.answer = listed.answer;
}

PlannedModel plan_new(const registry::Connection& connection, const ListedModel& listed) {
  PlannedModel planned;
  planned.kind = Kind::added;
  auto& state = planned.after;
  state.org_id = connection.org_id;
  state.owner_user_id = connection.owner_user_id;
  state.provider = connection.provider;
  state.model_name = listed.name;
  state.slug = connection.slug_prefix + connection.provider + "/" + listed.name;
  state.kind = listed.kind;
  state.family = listed.family;
  state.digest = listed.digest;
  state.enabled = connection.new_models_enabled;
  state.display_name = listed.display_name;
  state.context_window = listed.context_window;
  state.output_tokens_max = listed.output_tokens_max;
  state.embedding_dimensions = listed.embedding_dimensions;
  state.capabilities = listed.capabilities;
  state.deployments.push_back(deployment_on(connection, listed.name));
  state.routable = registry::routable(state, false);
  if (listed.details_known) {
    planned.details_digest = listed.details_key;
    planned.details_at_ms = listed.details_at_ms;
  }
  planned.raw = listed.raw;
  planned.here = {
      .upstream_name = listed.name, .digest = listed.digest, .prices = listed.prices.value_or(std::vector<Price>())};
  keep_answer(planned, listed);
  planned.prices_changed = !planned.here.prices.empty();
  planned.changed_fields = registry::changed_fields({}, state);
  return planned;
}

std::optional<PlannedModel> plan_listed(const registry::Connection& connection, const StoredModel& stored,
                                        const ListedModel& listed, bool by_hand, Holds& holds) {
  auto planned = start_from(stored);
  planned.here.upstream_name = listed.name;
  planned.here.digest = listed.digest;
  planned.here.missing_since_ms = std::nullopt;
  planned.here.missing_runs = 0;
  planned.missing_expired = false;
  const bool was_missing = stored.state.availability == "missing";
  planned.after.availability = "listed";
  planned.after.missing_since_ms = std::nullopt;
  // Two hosts may hold different builds under one name; with facts from both, every run would change the model.
  if (!by_hand && !stored.told_elsewhere) tell_facts(planned, stored, listed);
  if (!by_hand && (stored.told_elsewhere || listed.details_known)) {
    // What a call costs is each connection's own. A list that names no price of the model any more leaves them as they
    // are: else the next price would be compared with none.
    if (listed.prices && !listed.prices->empty()) planned.here.prices = *listed.prices;
    holds.judge(stored, planned);
  }
  if (planned.details_digest != stored.details_digest) planned.raw = listed.raw;
  // Each connection's own, also where the model's facts come from another one. Where a question for details was not
  // answered, the entry of the list alone does not replace what is kept.
  if (!stored.here || stored.told_elsewhere || listed.details_known) keep_answer(planned, listed);
  if (!stored.here) {
    auto& deployments = planned.after.deployments;
    deployments.push_back(deployment_on(connection, listed.name));
    std::ranges::sort(deployments, {},
                      [](const auto& d) { return std::pair(d.priority, std::string_view(d.connection_id)); });
    return finish(std::move(planned), stored, Kind::linked);
  }
  settle_here(planned, connection, stored);
  return finish(std::move(planned), stored, was_missing ? Kind::back : Kind::updated);
}

std::optional<PlannedModel> plan_unlisted(const registry::Connection& connection, const StoredModel& stored,
                                          const DiffRules& rules, std::int64_t now_ms) {
  auto planned = start_from(stored);
  auto& here = planned.here;
  const bool newly = !here.missing_since_ms;
  if (newly) here.missing_since_ms = now_ms;
  // Counted only as far as it decides anything, so that a model which stays away costs no more writes.
  here.missing_runs = std::min(here.missing_runs + 1, std::max<std::int64_t>(rules.missing_runs, 1));
  settle_here(planned, connection, stored);
  bool newly_expired = false;
  if (!stored.listed_elsewhere) {
    planned.after.availability = "missing";
    if (!planned.after.missing_since_ms) planned.after.missing_since_ms = now_ms;
    const bool long_enough = now_ms - *here.missing_since_ms >= rules.missing_grace.count();
    if (long_enough && here.missing_runs >= rules.missing_runs) planned.missing_expired = true;
    newly_expired = planned.missing_expired && !stored.missing_expired;
  }
  return finish(std::move(planned), stored, !newly && newly_expired ? Kind::expired : Kind::missing);
}

/// Whether the scope above goes on to serve a listed model, until a person enables it in the connection's scope.
/// `stored`: the scope's own row; null: there is none.
bool left_to_scope_above(const registry::Connection& connection, const ListedModel& listed, const StoredModel* stored,
                         const std::set<std::string>& above) {
  if (connection.new_models_enabled || !above.contains(listed.name)) return false;
  return stored == nullptr || (stored->state.inherits && stored->state.deployments.empty());
}

bool grace_over(const registry::StoredDeployment& here, const DiffRules& rules, std::int64_t now_ms) {
  return here.missing_since_ms && now_ms - *here.missing_since_ms >= rules.missing_grace.count() &&
         here.missing_runs >= rules.missing_runs;
}

/// The models that a list would take away, where it looks wrong; nothing: it does not. A model that is missing counts
/// as known until its grace is over, so that several short lists cannot do together what one of them may not.
std::optional<HeldChange> removal_by(const registry::Connection& connection,
                                     const std::map<std::string_view, const ListedModel*>& listed,
                                     const std::vector<StoredModel>& stored, const DiffRules& rules,
                                     std::int64_t now_ms, bool empty, const std::set<std::string>& accepted) {
  std::int64_t known = 0;
  std::int64_t gone = 0;
  HeldChange change;
  for (const auto& model : stored) {
    const auto& name = model.state.model_name;
    // A person excluded the models that the globs exclude.
    if (!model.here || grace_over(*model.here, rules, now_ms) || !wanted(connection, name)) continue;
    if (model.here->missing_since_ms && accepted.contains(name)) continue;
    ++known;
    if (listed.contains(name)) continue;
    ++gone;
    if (!model.here->missing_since_ms) change.after.missing.insert(name);
  }
  if (change.after.missing.empty()) return std::nullopt;
  if (empty) {
    change.reason = fmt::format("the list is empty, but {} models are known", known);
    return change;
  }
  if (known < rules.small_list || gone * 2 <= known) return std::nullopt;
  change.reason = fmt::format("the list lacks {} of {} known models", gone, known);
  return change;
}

}  // namespace

registry::SyncPlan plan_sync(const registry::Connection& connection, const ProviderList& list,
                             const std::vector<StoredModel>& stored, const DiffRules& rules, std::int64_t now_ms,
                             const std::vector<HeldChange>& decided, const std::set<std::string>& above) {
  registry::SyncPlan plan;
  plan.failed = list.unreadable + list.beyond + list.without_details;
  std::map<std::string_view, const ListedModel*> listed;
  for (const auto& model : list.models) {
    if (!wanted(connection, model.name)) continue;
    if (!storable_name(model.name) || !listed.emplace(model.name, &model).second) ++plan.failed;
  }
  plan.listed = static_cast<std::int64_t>(listed.size());

  Holds holds(plan, decided, rules.accept_held);
  std::map<std::string_view, const StoredModel*> known;
  std::set<std::string> ids;
  for (const auto& model : stored) {
    known.emplace(model.state.model_name, &model);
    ids.insert(model.state.id);
  }
  holds.end_all_but(ids);
  const auto keep = [&](std::optional<PlannedModel> planned) {
    const auto kind = planned ? planned->kind : Kind::noted;
    if (planned) plan.models.push_back(std::move(*planned));
    switch (kind) {
      case Kind::added:
      case Kind::linked:
        ++plan.added;
        break;
      case Kind::updated:
      case Kind::back:
        ++plan.updated;
        break;
      case Kind::missing:
      case Kind::expired:
      case Kind::noted:
        ++plan.unchanged;
        break;
    }
  };
  for (const auto& [name, model] : listed) {
    const auto known_model = known.find(name);
    if (left_to_scope_above(connection, *model, known_model == known.end() ? nullptr : known_model->second, above)) {
      ++plan.unchanged;
      continue;
    }
    keep(known_model == known.end() ? plan_new(connection, *model)
                                    : plan_listed(connection, *known_model->second, *model, list.by_hand, holds));
  }
  if (list.unreadable > 0 || list.by_hand) return plan;
  const bool empty = list.models.empty() && list.beyond == 0;
  const bool applied =
      holds.judge_removal(removal_by(connection, listed, stored, rules, now_ms, empty, holds.accepted_removals()));
  for (const auto& [name, model] : known) {
    if (!model->here || listed.contains(name)) continue;
    ++plan.missing;
    // An empty list removes nothing that a person has not accepted.
    const bool believed = !empty || rules.accept_held || holds.accepted_removals().contains(std::string(name));
    if (!(applied && believed) && wanted(connection, std::string(name))) continue;
    if (auto planned = plan_unlisted(connection, *model, rules, now_ms)) plan.models.push_back(std::move(*planned));
  }
  holds.end_removals([&](const std::string& name) {
    const auto model = known.find(name);
    return model != known.end() && model->second->here && !listed.contains(name) &&
           !grace_over(*model->second->here, rules, now_ms);
  });
  return plan;
}

}  // namespace tokenrail::registry_sync
