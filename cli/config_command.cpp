// `tokenrail registry export|plan|apply`: the registry's configuration as a file.
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/config_plan.hpp"
#include "cli/config_removal.hpp"
#include "cli/config_tree.hpp"
#include "cli/database.hpp"
#include "cli/govern.hpp"
#include "cli/table.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/configuration.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/organizations.hpp"
#include "common/registry/prices.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

Result<ConfigValue> registry_of(registry::GovernedDatabase& database, const registry::Actor& actor) {
  const auto json = registry::read_configuration(database, actor);
  if (!json) return std::unexpected(json.error());
  return value_from_json(*json);
}

Result<ConfigValue> file_of(const std::string& name) {
  std::string text;
  if (name == "-") {
    text = {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  } else {
    std::ifstream in(name, std::ios::binary);
    text = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.eof() && in.fail()) return fail(ErrorKind::invalid_input, fmt::format("{} cannot be read", name));
  }
  auto value = value_from_yaml(text);
  if (!value) value.error().detail = fmt::format("{} cannot be used: {}", name, value.error().detail);
  return value;
}

/// One by one, each change in transactions of its own, with revision, audit entry and event.
class Applier {
 public:
  Applier(registry::GovernedDatabase& database, registry::Actor actor)
      : database_(database), actor_(std::move(actor)) {}

  Result<void> apply(const ConfigChange& change) {
    if (change.wanted.kind == Kind::null) return remove_entry(database_, actor_, change);
    if (change.collection == "organizations") return organization(change);
    if (change.collection == "connections") return connection(change);
    if (change.collection == "models") return model(change);
    if (change.collection == "defaults") return default_model(change);
    if (change.collection == "aliases") return alias(change);
    if (change.collection == "views") return view(change);
    return grant(change);
  }

 private:
  static registry::Scope scope_of(const ConfigChange& change) { return {.org_id = change.wanted.text_of("org")}; }
  [[nodiscard]] registry::Actor actor_in(const registry::Scope& scope) const {
    auto actor = actor_;
    actor.scope = scope;
    return actor;
  }
  static Result<void> done(const Result<registry::Document>& result) {
    return result ? Result<void>() : std::unexpected(result.error());
  }
  /// The members as a patch: those that are no longer wanted become null.
  static ConfigValue patch_of(const ConfigValue& now, const ConfigValue& wanted,
                              const std::set<std::string_view>& without) {
    ConfigValue patch{.kind = Kind::object};
    for (const auto& [name, value] : wanted.members)
      if (!without.contains(name)) patch.members.emplace_back(name, value);
    for (const auto& [name, value] : now.members)
      if (!without.contains(name) && wanted.find(name) == nullptr) patch.members.emplace_back(name, ConfigValue{});
    return patch;
  }

  Result<void> organization(const ConfigChange& change) {
    registry::Organizations organizations(database_);
    const auto id = change.wanted.text_of("id");
    if (change.now.kind == Kind::null) {
      const auto mode = change.wanted.text_of("mode");
      if (auto made = organizations.create(
              actor_in({}),
              {.id = id, .display_name = change.wanted.text_of("displayName"), .mode = mode.empty() ? "open" : mode});
          !made)
        return std::unexpected(made.error());
    }
    return done(
        organizations.change(actor_in({}), id, to_json(patch_of(change.now, change.wanted, {"id"})), std::nullopt));
  }

  Result<std::string> credential_id(const registry::Scope& scope, const std::string& provider,
                                    const std::string& label) {
    registry::CredentialStore credentials(database_);
    const auto actor = actor_in(scope);
    const auto all = all_pages([&](const auto& page) { return credentials.list(actor, scope, page); });
    if (!all) return std::unexpected(all.error());
    for (const auto& credential : *all)
      if (member_of(credential.json, "label") == label && member_of(credential.json, "provider") == provider &&
          member_of(credential.json, "revokedAt").empty() && member_of(credential.json, "orgId") == scope.org_id)
        return credential.id;
    return std::unexpected(
        Error{.kind = ErrorKind::not_found,
              .detail = fmt::format("there is no key of {} with the label {}", provider, label),
              .hint = fmt::format("Store it first: tokenrail credentials put {} --provider {}{}", label, provider,
                                  scope.platform() ? "" : " --org " + scope.org_id)});
  }

  Result<void> connection(const ConfigChange& change) {
    registry::Connections connections(database_);
    const auto scope = scope_of(change);
    auto fields = patch_of(change.now, change.wanted, {"org", "credential"});
    const auto label = change.wanted.text_of("credential");
    if (!label.empty()) {
      const auto id = credential_id(scope, change.wanted.text_of("provider"), label);
      if (!id) return std::unexpected(id.error());
      fields.members.emplace_back("credentialId", ConfigValue{.kind = Kind::text, .text = *id});
    } else if (!change.now.text_of("credential").empty()) {
      fields.members.emplace_back("credentialId", ConfigValue{});
    }
    if (change.now.kind == Kind::null) return done(connections.create(actor_in(scope), scope, to_json(fields)));
    if (change.now.text_of("provider") != change.wanted.text_of("provider"))
      return fail(ErrorKind::conflict,
                  "a connection keeps its provider: remove it first, or give this one another name");
    std::erase_if(fields.members, [](const auto& member) { return member.first == "provider"; });
    return done(
        connections.change(actor_in(scope), scope, change.wanted.text_of("name"), to_json(fields), std::nullopt));
  }

  Result<void> model(const ConfigChange& change) {
    registry::Models models(database_);
    const auto scope = scope_of(change);
    const auto actor = actor_in(scope);
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
      for (auto& item : list.items)
        for (auto& [field, value] : item.members)
          if (field == "connection") field = "connectionId";
      fields.members.emplace_back("deployments", std::move(list));
    }
    const auto id = provider + "/" + name;
    const auto there = models.get(actor, scope, id);
    Result<registry::Document> written = there;
    if (there) {
      written = models.replace(actor, scope, id, to_json(fields), std::nullopt);
    } else if (there.error().kind == ErrorKind::not_found) {
      fields.members.emplace_back("provider", ConfigValue{.kind = Kind::text, .text = provider});
      fields.members.emplace_back("modelName", ConfigValue{.kind = Kind::text, .text = name});
      if (const auto* slug = change.wanted.find("slug")) fields.members.emplace_back("slug", *slug);
      written = models.create(actor, scope, to_json(fields));
    }
    if (!written) return std::unexpected(written.error());
    const auto* list = change.wanted.find("prices");
    if (list == nullptr) return {};
    // Those of the model, and those on single connections; also where the file has no more of these.
    std::map<std::string, std::vector<Price>> wanted{{"", {}}};
    if (const auto* before = change.now.find("prices"))
      for (const auto& item : before->items) wanted[item.text_of("connection")];
    for (const auto& item : list->items) {
      auto price = price_of(item);
      if (!price) return std::unexpected(price.error());
      wanted[item.text_of("connection")].push_back(*price);
    }
    for (const auto& [connection, prices] : wanted) {
      auto set = done(registry::Prices(database_).set(actor, scope, id, prices, std::nullopt, connection));
      if (!set) return set;
    }
    return {};
  }

  static Result<Price> price_of(const ConfigValue& item) {
    const auto dimension = price_dimension_from(item.text_of("dimension"));
    const auto tier = service_tier_from(item.find("serviceTier") == nullptr ? "standard" : item.text_of("serviceTier"));
    const auto micros = registry::micros_from(item.text_of("amount"));
    if (!dimension || !tier)
      return fail(ErrorKind::invalid_input, "a price has no dimension or service tier that there is");
    if (!micros) return std::unexpected(micros.error());
    Price price{.key = {.dimension = *dimension, .tier = *tier}, .micros = *micros};
    if (const auto* tokens = item.find("minContextTokens"))
      price.key.min_context_tokens = std::strtoll(tokens->text.c_str(), nullptr, 10);
    price.key.window = {.from_minute = registry::minute_from(item.text_of("utcFrom")).value_or(0),
                        .to_minute = registry::minute_from(item.text_of("utcTo")).value_or(0)};
    return price;
  }

  Result<void> default_model(const ConfigChange& change) {
    const auto scope = scope_of(change);
    return done(registry::ModelPointers(database_).set_default(actor_in(scope), scope,
                                                               {.kind = change.wanted.text_of("kind"),
                                                                .provider = change.wanted.text_of("provider"),
                                                                .purpose = change.wanted.text_of("purpose")},
                                                               change.wanted.text_of("model")));
  }

  Result<void> alias(const ConfigChange& change) {
    const auto scope = scope_of(change);
    const auto sticky = change.wanted.text_of("sticky");
    registry::ModelPointers::Alias alias{.alias = change.wanted.text_of("alias"),
                                         .sticky = sticky.empty() ? "conversation" : sticky,
                                         .description = change.wanted.text_of("description")};
    for (const auto& item : change.wanted.find("targets")->items) {
      const auto* weight = item.find("weight");
      alias.targets.push_back({.model = item.text_of("model"),
                               .weight = weight == nullptr ? 1 : std::strtoll(weight->text.c_str(), nullptr, 10)});
    }
    return done(registry::ModelPointers(database_).set_alias(actor_in(scope), scope, alias, std::nullopt));
  }

  Result<void> view(const ConfigChange& change) {
    const auto scope = scope_of(change);
    registry::ModelViews::View view{.name = change.wanted.text_of("name")};
    if (const auto* given = change.wanted.find("filter")) {
      auto filter = registry::model_filter_from_json(to_json(*given));
      if (!filter) return std::unexpected(filter.error());
      view.filter = std::move(*filter);
    }
    if (const auto* pins = change.wanted.find("pins"))
      for (const auto& pin : pins->items) view.pins.push_back(pin.text);
    const auto* for_auto = change.wanted.find("forAuto");
    view.for_auto = for_auto != nullptr && for_auto->text == "true";
    return done(registry::ModelViews(database_).set(actor_in(scope), scope, view, std::nullopt));
  }

  Result<void> grant(const ConfigChange& change) {
    const auto& wanted = change.wanted;
    const auto effect = wanted.text_of("effect");
    return done(registry::ModelPointers(database_).add_grant(actor_in(scope_of(change)), wanted.text_of("org"),
                                                             {.subject_kind = wanted.text_of("to"),
                                                              .subject = wanted.text_of("subject"),
                                                              .object_kind = wanted.text_of("what"),
                                                              .object = wanted.text_of("object"),
                                                              .effect = effect.empty() ? "allow" : effect}));
  }

  registry::GovernedDatabase& database_;
  registry::Actor actor_;
};

std::string change_json(const ConfigChange& change) {
  std::string differences = "[";
  for (const auto& one : change.differences) differences += (differences.size() > 1 ? "," : "") + json_text(one);
  const auto* const kind = change.wanted.kind == Kind::null ? "remove"
                           : change.now.kind == Kind::null  ? "create"
                                                            : "change";
  return object_of({{"kind", json_text(kind)},
                    {"collection", json_text(change.collection)},
                    {"key", json_text(change.key)},
                    {"differences", differences + "]"}});
}

void show(const Context& context, const ConfigPlan& plan) {
  for (const auto& change : plan.changes) {
    if (context.json()) {
      context.terminal.out_line(change_json(change));
      continue;
    }
    const char sign = change.wanted.kind == Kind::null ? '-' : change.now.kind == Kind::null ? '+' : '~';
    context.terminal.out_line(without_controls(fmt::format("{} {} {}", sign, change.collection, change.key)));
    for (const auto& difference : change.differences) context.terminal.out_line(without_controls("    " + difference));
  }
  context.terminal.note(fmt::format("{} to change, {} as they are, {} that the file does not have and that stay",
                                    plan.changes.size(), plan.same, plan.others));
}

Result<ConfigPlan> planned(const Context& context, registry::GovernedDatabase& database, const registry::Actor& actor) {
  const auto file = file_of(context.call.arguments[0]);
  if (!file) return std::unexpected(file.error());
  const auto now = registry_of(database, actor);
  if (!now) return std::unexpected(now.error());
  if (!context.call.has("prune")) return plan_config(*now, *file);
  const auto owned = registry::read_owned_by_sync(database, actor);
  if (!owned) return std::unexpected(owned.error());
  auto value = value_from_json(*owned);
  if (!value) return std::unexpected(value.error());
  const Prune prune{.owned = std::move(*value)};
  return plan_config(*now, *file, &prune);
}

}  // namespace

int run_registry_export(const Context& context) {
  registry::GovernedDatabase database(database_options(context));
  const auto value = registry_of(database, actor_of(context));
  if (!value) return context.failed(value.error());
  if (context.json()) {
    context.terminal.out_line(to_json(*value));
  } else {
    context.terminal.out(to_yaml(*value));
  }
  return exit_done;
}

int run_registry_plan(const Context& context) {
  registry::GovernedDatabase database(database_options(context));
  const auto plan = planned(context, database, actor_of(context));
  if (!plan) return context.failed(plan.error());
  show(context, *plan);
  return exit_done;
}

int run_registry_apply(const Context& context) {
  registry::GovernedDatabase database(database_options(context));
  auto actor = actor_of(context);
  actor.cause = "import";
  const auto plan = planned(context, database, actor);
  if (!plan) return context.failed(plan.error());
  show(context, *plan);
  if (context.call.has("dry-run")) {
    context.terminal.note("nothing was changed: this was a dry run");
    return exit_done;
  }
  Applier applier(database, actor);
  std::size_t applied = 0;
  for (const auto& change : plan->changes) {
    auto done = applier.apply(change);
    if (!done) {
      done.error().detail = fmt::format("{} {} was not applied, {} before it were: {}", change.collection, change.key,
                                        applied, done.error().detail);
      return context.failed(done.error());
    }
    ++applied;
  }
  context.terminal.note(fmt::format("{} applied; registry-sync publishes them, and routers follow", applied));
  return exit_done;
}

}  // namespace tokenrail::cli
