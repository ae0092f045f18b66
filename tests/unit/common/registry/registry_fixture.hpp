// Models and registries for the tests of this folder.
#pragma once

#include <string>
#include <utility>

#include "common/registry/projection.hpp"
#include "common/registry/resolution.hpp"

namespace tokenrail::registry {

inline events::DeploymentState deployment(std::string id, std::int64_t priority = 0, std::int64_t weight = 1) {
  events::DeploymentState d;
  d.id = std::move(id);
  d.connection_id = "c-" + d.id;
  d.connection_name = "connection-of-" + d.id;
  d.provider = "ollama";
  d.adapter = "ollama";
  d.base_url = "http://localhost:11434";
  d.auth_type = "none";
  d.upstream_name = "upstream";
  d.priority = priority;
  d.weight = weight;
  return d;
}

inline events::ModelState model(std::string provider, std::string name, std::string org = {}, std::string user = {}) {
  events::ModelState m;
  m.id = "m-" + org + "-" + user + "-" + provider + "-" + name;
  m.org_id = std::move(org);
  m.owner_user_id = std::move(user);
  m.slug = provider + "/" + name;
  m.provider = std::move(provider);
  m.model_name = std::move(name);
  m.deployments = {deployment("d-" + m.id)};
  return m;
}

inline Projection::Applied put(Projection& projection, events::ModelState m, std::int64_t version = 1) {
  m.version = version;
  events::ModelUpserted event;
  event.key = events::model_key(m);
  event.version = version;
  event.cause = "sync";
  event.actor = "test";
  event.model = std::move(m);
  return projection.apply(event.key, events::to_json(event));
}

/// What the clock of these tests shows.
inline constexpr std::int64_t test_now_ms = 1'763'000'000'000;

inline std::expected<Route, Refusal> resolve(const Projection& projection, const events::ChatRequest& request,
                                             const ResolutionRules& rules, std::uint64_t random) {
  return resolve(projection, request, rules, random, test_now_ms);
}

// ---- the other records: `put` fills in the version
// --------------------------------------------------------------------

template <class Record>
Projection::Applied put_record(Projection& projection, Record record, std::int64_t version = 1) {
  record.version = version;
  return projection.apply(events::record_key(record), events::to_json(record));
}

inline events::RegistryAlias alias_of(std::string name, std::vector<events::AliasTarget> targets, std::string org = {},
                                      std::string user = {}) {
  return {.org_id = std::move(org),
          .owner_user_id = std::move(user),
          .alias = std::move(name),
          .targets = std::move(targets)};
}

inline events::AliasTarget target_of(std::string provider, std::string name, std::int64_t weight = 1) {
  return {.model = {.provider = std::move(provider), .name = std::move(name)}, .weight = weight};
}

inline events::RegistryDefault default_of(std::string provider, std::string name, std::string org = {},
                                          std::string user = {}) {
  return {.org_id = std::move(org),
          .owner_user_id = std::move(user),
          .model = {.provider = std::move(provider), .name = std::move(name)}};
}

inline events::Grant grant_of(events::SubjectKind subject_kind, std::string subject, events::ObjectKind object_kind,
                              std::string object, bool allow = true) {
  return {.subject_kind = subject_kind,
          .subject = std::move(subject),
          .object_kind = object_kind,
          .object = std::move(object),
          .allow = allow};
}

}  // namespace tokenrail::registry
