#include "cli/config_apply.hpp"

#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/config_lists.hpp"
#include "cli/govern.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

Result<void> done(const Result<registry::Document>& result) {
  return result ? Result<void>() : std::unexpected(result.error());
}

/// The members as a patch: those that are no longer wanted become null.
ConfigValue patch_of(const ConfigValue& now, const ConfigValue& wanted, const std::set<std::string_view>& without) {
  ConfigValue patch{.kind = Kind::object};
  for (const auto& [name, value] : wanted.members)
    if (!without.contains(name)) patch.members.emplace_back(name, value);
  for (const auto& [name, value] : now.members)
    if (!without.contains(name) && wanted.find(name) == nullptr) patch.members.emplace_back(name, ConfigValue{});
  return patch;
}

ConfigValue text_value(std::string text) {
  return {.kind = Kind::text, .text = std::move(text)};
}

std::int64_t number_in(const ConfigValue& item, std::string_view name, std::int64_t otherwise) {
  const auto* value = item.find(name);
  return value == nullptr ? otherwise : std::strtoll(value->text.c_str(), nullptr, 10);
}

/// What the entry has to be like for the plan still to hold.
Governance::Expected expected(const ConfigChange& change) {
  return change.now.kind == Kind::null ? Governance::Expected(registry::no_row) : change.version;
}

/// Id of the platform's among the rows of a list that an organisation sees.
template <class List>
Result<std::string> platforms(List&& list, std::string_view name_member, const std::string& name) {
  const auto all = all_pages(list);
  if (!all) return std::unexpected(all.error());
  for (const auto& row : *all)
    if (member_of(row.json, "scope") == "platform" && member_of(row.json, name_member) == name)
      return member_of(row.json, "id");
  return fail(ErrorKind::not_found, fmt::format("the platform has no {}", name));
}

}  // namespace

Governance& ConfigApplier::of(const std::string& org) {
  if (org.empty()) return platform_;
  auto& governance = organizations_[org];
  if (!governance) governance = platform_.of(org);
  return *governance;
}

Result<void> ConfigApplier::apply(const ConfigChange& change) {
  // Models may name each other in any order; what follows them may use them.
  if (change.collection != "models" || change.wanted.kind == Kind::null)
    if (auto finished = finish(); !finished) return finished;
  if (change.wanted.kind == Kind::null) return remove(change);
  if (change.collection == "organizations") return organization(change);
  if (change.collection == "connections") return connection(change);
  if (change.collection == "models") return model(change);
  if (change.collection == "defaults") return default_model(change);
  if (change.collection == "aliases") return alias(change);
  if (change.collection == "views") return view(change);
  return grant(change);
}

Result<void> ConfigApplier::organization(const ConfigChange& change) {
  const auto id = change.wanted.text_of("id");
  auto version = change.version;
  if (change.now.kind == Kind::null) {
    const auto mode = change.wanted.text_of("mode");
    const auto made = platform_.create_organization(
        {.id = id, .display_name = change.wanted.text_of("displayName"), .mode = mode.empty() ? "open" : mode});
    if (!made) return std::unexpected(made.error());
    version = made->version;
  }
  return done(platform_.change_organization(id, to_json(patch_of(change.now, change.wanted, {"id"})), version));
}

Result<void> ConfigApplier::connection(const ConfigChange& change) {
  const auto org = change.wanted.text_of("org");
  auto& governance = of(org);
  auto fields = patch_of(change.now, change.wanted, {"org", "credential"});
  const auto label = change.wanted.text_of("credential");
  if (!label.empty()) {
    const auto provider = change.wanted.text_of("provider");
    const auto all = all_pages([&](const auto& page) { return governance.credentials(page); });
    if (!all) return std::unexpected(all.error());
    std::string id;
    for (const auto& credential : *all)
      if (member_of(credential.json, "label") == label && member_of(credential.json, "provider") == provider &&
          member_of(credential.json, "revokedAt").empty() && member_of(credential.json, "orgId") == org)
        id = credential.id;
    if (id.empty())
      return std::unexpected(Error{.kind = ErrorKind::not_found,
                                   .detail = fmt::format("there is no key of {} with the label {}", provider, label),
                                   .hint = fmt::format("Store it first: tokenrail credentials put {} --provider {}{}",
                                                       label, provider, org.empty() ? "" : " --org " + org)});
    fields.members.emplace_back("credentialId", text_value(std::move(id)));
  } else if (!change.now.text_of("credential").empty()) {
    fields.members.emplace_back("credentialId", ConfigValue{});
  }
  if (change.now.kind == Kind::null) return done(governance.create_connection(to_json(fields)));
  if (change.now.text_of("provider") != change.wanted.text_of("provider"))
    return fail(ErrorKind::conflict, "a connection keeps its provider: remove it first, or give this one another name");
  std::erase_if(fields.members, [](const auto& member) { return member.first == "provider"; });
  return done(governance.change_connection(change.wanted.text_of("name"), to_json(fields), change.version));
}

Result<std::string> ConfigApplier::connection_in(const std::string& org, const ConfigValue& item) {
  auto name = item.text_of("connection");
  if (item.text_of("connectionOf").empty()) return name;
  return platforms([&](const auto& page) { return of(org).connections(page); }, "name", name);
}

Result<std::optional<std::string>> ConfigApplier::named_model(const std::string& org, const std::string& name) {
  const auto found = of(org).model(name);
  if (!found && found.error().kind == ErrorKind::not_found) return std::nullopt;
  if (!found) return std::unexpected(found.error());
  if (fmt::format("{}/{}", member_of(found->json, "provider"), member_of(found->json, "modelName")) != name)
    return fail(ErrorKind::conflict, fmt::format("{} is the slug of another model: change that first", name));
  // An organisation's row over the platform's may go; the platform's is the same model.
  const auto id = member_of(found->json, "platformId");
  return id.empty() ? found->id : id;
}

Result<void> ConfigApplier::add_replacement(const ConfigChange& change, const std::string& model, ConfigValue& patch) {
  const auto org = change.wanted.text_of("org");
  const auto by = change.wanted.text_of("replacement");
  if (by.empty()) {
    if (change.now.find("replacement") != nullptr) patch.members.emplace_back("replacementId", ConfigValue{});
    return {};
  }
  auto id = named_model(org, by);
  if (!id) return std::unexpected(id.error());
  if (*id) {
    patch.members.emplace_back("replacementId", text_value(std::move(**id)));
  } else {
    waiting_.push_back({.org = org, .model = model, .by = by});
  }
  return {};
}

Result<void> ConfigApplier::finish() {
  for (const auto& [org, model, by] : std::exchange(waiting_, {})) {
    const auto id = named_model(org, by);
    if (!id) return std::unexpected(id.error());
    if (!*id)
      return std::unexpected(Error{.kind = ErrorKind::not_found,
                                   .detail = fmt::format("{} has the replacement {}, which there is not", model, by),
                                   .hint = "Add that model to the file, or name another one."});
    auto changed = done(of(org).change_model(model, object_of({{"replacementId", json_text(**id)}})));
    if (!changed) return changed;
  }
  return {};
}

Result<void> ConfigApplier::model(const ConfigChange& change) {
  const auto org = change.wanted.text_of("org");
  auto& governance = of(org);
  const auto provider = change.wanted.text_of("provider");
  const auto name = change.wanted.text_of("modelName");
  const ConfigValue none{.kind = Kind::object};
  const auto* now_settings = change.now.find("settings");
  const auto* settings = change.wanted.find("settings");
  auto fields = patch_of(now_settings == nullptr ? none : *now_settings, settings == nullptr ? none : *settings, {});
  for (const auto* field : {"enabled", "blocked", "tags"}) {
    const auto* value = change.wanted.find(field);
    if (value != nullptr || change.now.find(field) != nullptr)
      fields.members.emplace_back(field, value == nullptr ? ConfigValue{} : *value);
  }
  if (const auto* deployments = change.wanted.find("deployments")) {
    auto list = *deployments;
    for (auto& item : list.items) {
      auto connection = connection_in(org, item);
      if (!connection) return std::unexpected(connection.error());
      std::erase_if(item.members,
                    [](const auto& member) { return member.first == "connection" || member.first == "connectionOf"; });
      item.members.emplace_back("connectionId", text_value(std::move(*connection)));
      // Left out, a limit would stay.
      for (const auto* limit : {"requestsPerMinute", "tokensPerMinute"})
        if (item.find(limit) == nullptr) item.members.emplace_back(limit, ConfigValue{});
    }
    fields.members.emplace_back("deployments", std::move(list));
  }
  const auto id = provider + "/" + name;
  if (auto added = add_replacement(change, id, fields); !added) return added;
  const auto there = governance.model(id);
  if (there && (member_of(there->json, "provider") != provider || member_of(there->json, "modelName") != name))
    return fail(ErrorKind::conflict, fmt::format("{} is the slug of another model: change that first", id));
  Result<registry::Document> written = there;
  if (there) {
    // Other entries of the plan may have given it a new version: it is changed as it is now.
    written = governance.replace_model(id, to_json(fields), there->version);
  } else if (there.error().kind == ErrorKind::not_found) {
    fields.members.emplace_back("provider", text_value(provider));
    fields.members.emplace_back("modelName", text_value(name));
    if (const auto* slug = change.wanted.find("slug")) fields.members.emplace_back("slug", *slug);
    written = governance.create_model(to_json(fields));
    // What is enabled nowhere is not enabled; that says less than a row that says no.
    if (written && !org.empty() && change.wanted.find("enabled") == nullptr)
      written = governance.change_model(id, R"({"enabled":null})");
  }
  if (!written) return std::unexpected(written.error());
  return prices(change, id, written->version);
}

Result<void> ConfigApplier::prices(const ConfigChange& change, const std::string& model, std::int64_t version) {
  const auto* list = change.wanted.find("prices");
  if (list == nullptr) return {};
  const auto org = change.wanted.text_of("org");
  // Those of the model, and those on single connections; also where the file has no more of these.
  std::map<std::string, std::vector<Price>> wanted{{"", {}}};
  if (const auto* before = change.now.find("prices")) {
    for (const auto& item : before->items) {
      const auto connection = connection_in(org, item);
      if (!connection) return std::unexpected(connection.error());
      wanted[*connection];
    }
  }
  for (const auto& item : list->items) {
    auto price = price_of(item, change.key);
    if (!price) return std::unexpected(price.error());
    const auto connection = connection_in(org, item);
    if (!connection) return std::unexpected(connection.error());
    wanted[*connection].push_back(*price);
  }
  for (const auto& [connection, prices] : wanted) {
    const auto set = of(org).set_prices(model, prices, connection, version);
    if (!set) return std::unexpected(set.error());
    version = set->version;
  }
  return {};
}

Result<void> ConfigApplier::default_model(const ConfigChange& change) {
  return done(of(change.wanted.text_of("org"))
                  .set_default({.kind = change.wanted.text_of("kind"),
                                .provider = change.wanted.text_of("provider"),
                                .purpose = change.wanted.text_of("purpose")},
                               change.wanted.text_of("model"), expected(change)));
}

Result<void> ConfigApplier::alias(const ConfigChange& change) {
  const auto sticky = change.wanted.text_of("sticky");
  registry::ModelPointers::Alias alias{.alias = change.wanted.text_of("alias"),
                                       .sticky = sticky.empty() ? "conversation" : sticky,
                                       .description = change.wanted.text_of("description")};
  for (const auto& item : change.wanted.find("targets")->items)
    alias.targets.push_back({.model = item.text_of("model"), .weight = number_in(item, "weight", 1)});
  return done(of(change.wanted.text_of("org")).set_alias(alias, expected(change)));
}

Result<void> ConfigApplier::view(const ConfigChange& change) {
  const auto* for_auto = change.wanted.find("forAuto");
  registry::ModelViews::View view{.name = change.wanted.text_of("name"),
                                  .for_auto = for_auto != nullptr && for_auto->text == "true"};
  if (const auto* given = change.wanted.find("filter")) {
    auto filter = registry::model_filter_from_json(to_json(*given));
    if (!filter) return std::unexpected(filter.error());
    view.filter = std::move(*filter);
  }
  if (const auto* pins = change.wanted.find("pins"))
    for (const auto& pin : pins->items) view.pins.push_back(pin.text);
  return done(of(change.wanted.text_of("org")).set_view(view, expected(change)));
}

Result<std::string> ConfigApplier::object_of_grant(const ConfigValue& grant) {
  auto object = grant.text_of("object");
  if (grant.text_of("objectOf").empty()) return object;
  auto& governance = of(grant.text_of("org"));
  if (grant.text_of("what") == "connection")
    return platforms([&](const auto& page) { return governance.connections(page); }, "name", object);
  return platforms([&](const auto& page) { return governance.aliases(page); }, "alias", object);
}

Result<void> ConfigApplier::grant(const ConfigChange& change) {
  const auto& wanted = change.wanted;
  const auto effect = wanted.text_of("effect");
  auto object = object_of_grant(wanted);
  if (!object) return std::unexpected(object.error());
  return done(of(wanted.text_of("org"))
                  .add_grant({.subject_kind = wanted.text_of("to"),
                              .subject = wanted.text_of("subject"),
                              .object_kind = wanted.text_of("what"),
                              .object = std::move(*object),
                              .effect = effect.empty() ? "allow" : effect,
                              .expected_version = expected(change)}));
}

// ---- removals ----------------------------------------------------------------------------------------------------

Result<void> ConfigApplier::remove(const ConfigChange& change) {
  const auto& now = change.now;
  if (change.collection == "organizations") return platform_.remove_organization(now.text_of("id"), change.version);
  auto& governance = of(now.text_of("org"));
  if (change.collection == "connections")
    return governance.remove_connection(now.text_of("name"), false, change.version);
  if (change.collection == "models")
    return governance.remove_model(fmt::format("{}/{}", now.text_of("provider"), now.text_of("modelName")), false);
  if (change.collection == "defaults")
    return governance.remove_default(
        {.kind = now.text_of("kind"), .provider = now.text_of("provider"), .purpose = now.text_of("purpose")},
        change.version);
  if (change.collection == "aliases") return governance.remove_alias(now.text_of("alias"), change.version);
  if (change.collection == "views") return governance.remove_view(now.text_of("name"), change.version);
  return remove_grant(now);
}

Result<void> ConfigApplier::remove_grant(const ConfigValue& now) {
  auto& governance = of(now.text_of("org"));
  const auto what = now.text_of("what");
  // A name is that of the nearest, unless the platform's is meant.
  std::set<std::string> objects;
  if (what == "model") {
    const auto model = governance.model(now.text_of("object"));
    if (!model) return std::unexpected(model.error());
    objects = {member_of(model->json, "ownId"), member_of(model->json, "platformId")};
  } else {
    const bool platforms_own = !now.text_of("objectOf").empty();
    const auto name_member = what == "connection" ? "name" : "alias";
    const auto all = all_pages([&](const auto& page) {
      return what == "connection" ? governance.connections(page) : governance.aliases(page);
    });
    if (!all) return std::unexpected(all.error());
    std::string nearest;
    for (const auto& row : *all) {
      if (member_of(row.json, name_member) != now.text_of("object")) continue;
      const bool of_platform = member_of(row.json, "scope") == "platform";
      if (platforms_own ? of_platform : (!of_platform || nearest.empty())) nearest = member_of(row.json, "id");
    }
    objects = {nearest};
  }
  objects.erase("");
  const auto all = all_pages([&](const auto& page) { return governance.grants(page); });
  if (!all) return std::unexpected(all.error());
  bool removed = false;
  for (const auto& grant : *all) {
    const bool same = member_of(grant.json, "subjectKind") == now.text_of("to") &&
                      member_of(grant.json, "subject") == now.text_of("subject") &&
                      member_of(grant.json, "objectKind") == what &&
                      objects.contains(member_of(grant.json, "objectId"));
    if (!same) continue;
    if (auto gone = governance.remove_grant(grant.id, grant.version); !gone) return gone;
    removed = true;
  }
  if (removed) return {};
  return fail(ErrorKind::not_found, "There is no such grant any more.");
}

}  // namespace tokenrail::cli
