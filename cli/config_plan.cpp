#include "cli/config_plan.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/config_lists.hpp"
#include "common/registry/model_filter.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

enum class Takes { text, scalar, texts, objects, object };
struct Field {
  std::string_view name;
  Takes takes = Takes::text;
  std::string_view otherwise{};  ///< JSON of the value that is as good as none
  bool key = false;              ///< part of what the entry is known by
  bool needed = false;
};

constexpr std::array organization_fields{
    Field{.name = "id", .key = true, .needed = true},
    Field{.name = "displayName", .otherwise = "\"\""},
    Field{.name = "mode", .otherwise = "\"open\""},
    Field{.name = "strictDefault", .takes = Takes::scalar, .otherwise = "false"},
    Field{.name = "metadata", .takes = Takes::object, .otherwise = "{}"},
};
constexpr std::array connection_fields{
    Field{.name = "org", .key = true},
    Field{.name = "name", .key = true, .needed = true},
    Field{.name = "provider", .needed = true},
    Field{.name = "baseUrl", .needed = true},
    Field{.name = "authType", .otherwise = "\"none\""},
    Field{.name = "authName", .otherwise = "\"\""},
    Field{.name = "credential"},
    Field{.name = "priority", .takes = Takes::scalar, .otherwise = "0"},
    Field{.name = "weight", .takes = Takes::scalar, .otherwise = "1"},
    Field{.name = "enabled", .takes = Takes::scalar, .otherwise = "true"},
    Field{.name = "syncEnabled", .takes = Takes::scalar, .otherwise = "true"},
    Field{.name = "syncIntervalS", .takes = Takes::scalar},
    Field{.name = "includeGlobs", .takes = Takes::texts, .otherwise = "[]"},
    Field{.name = "excludeGlobs", .takes = Takes::texts, .otherwise = "[]"},
    Field{.name = "onNew", .otherwise = "\"disabled\""},
    Field{.name = "slugPrefix", .otherwise = "\"\""},
    Field{.name = "metadata", .takes = Takes::object, .otherwise = "{}"},
};
constexpr std::array model_fields{
    Field{.name = "org", .key = true},
    Field{.name = "provider", .key = true, .needed = true},
    Field{.name = "modelName", .key = true, .needed = true},
    Field{.name = "slug"},
    Field{.name = "enabled", .takes = Takes::scalar},
    Field{.name = "blocked", .takes = Takes::scalar, .otherwise = "false"},
    Field{.name = "tags", .takes = Takes::texts, .otherwise = "[]"},
    Field{.name = "replacement"},
    Field{.name = "settings", .takes = Takes::object, .otherwise = "{}"},
    Field{.name = "prices", .takes = Takes::objects},
    Field{.name = "deployments", .takes = Takes::objects},
};
constexpr std::array default_fields{
    Field{.name = "org", .key = true},      Field{.name = "kind", .key = true, .needed = true},
    Field{.name = "provider", .key = true}, Field{.name = "purpose", .otherwise = "\"\"", .key = true},
    Field{.name = "model", .needed = true},
};
constexpr std::array alias_fields{
    Field{.name = "org", .key = true},
    Field{.name = "alias", .key = true, .needed = true},
    Field{.name = "sticky", .otherwise = "\"conversation\""},
    Field{.name = "description", .otherwise = "\"\""},
    Field{.name = "targets", .takes = Takes::objects, .needed = true},
};
constexpr std::array view_fields{
    Field{.name = "org", .key = true},
    Field{.name = "name", .key = true, .needed = true},
    Field{.name = "filter", .takes = Takes::object, .otherwise = "{}"},
    Field{.name = "pins", .takes = Takes::texts, .otherwise = "[]"},
    Field{.name = "forAuto", .takes = Takes::scalar, .otherwise = "false"},
};
constexpr std::array grant_fields{
    Field{.name = "org", .key = true, .needed = true},
    Field{.name = "to", .key = true, .needed = true},
    Field{.name = "subject", .key = true},
    Field{.name = "what", .key = true, .needed = true},
    Field{.name = "object", .key = true, .needed = true},
    Field{.name = "objectOf", .key = true},
    Field{.name = "effect", .otherwise = "\"allow\""},
};

struct Collection {
  std::string_view name;
  std::span<const Field> fields;
};
/// In the order in which they need each other.
constexpr std::array collections{
    Collection{"organizations", organization_fields},
    Collection{"connections", connection_fields},
    Collection{"models", model_fields},
    Collection{"defaults", default_fields},
    Collection{"aliases", alias_fields},
    Collection{"views", view_fields},
    Collection{"grants", grant_fields},
};

std::unexpected<Error> refused(std::string_view where, std::string_view why) {
  return fail(ErrorKind::invalid_input, fmt::format("{}: {}", where, why));
}

bool fits(const ConfigValue& value, Takes takes) {
  const auto all = [&](Kind kind) {
    return value.kind == Kind::list &&
           std::ranges::all_of(value.items, [&](const auto& item) { return item.kind == kind; });
  };
  switch (takes) {
    case Takes::text:
      return value.kind == Kind::text;
    case Takes::scalar:
      return value.kind == Kind::scalar;
    case Takes::texts:
      return all(Kind::text);
    case Takes::objects:
      return all(Kind::object);
    case Takes::object:
      return value.kind == Kind::object;
  }
  return false;
}

/// Members in the order of their names, all the way down: order is for people.
ConfigValue ordered(ConfigValue value) {
  for (auto& item : value.items) item = ordered(std::move(item));
  for (auto& [name, member] : value.members) member = ordered(std::move(member));
  std::ranges::sort(value.members, {}, [](const auto& member) { return std::string_view(member.first); });
  return value;
}

void drop(ConfigValue& object, std::string_view name, std::string_view json) {
  std::erase_if(object.members,
                [&](const auto& member) { return member.first == name && to_json(member.second) == json; });
}

void add_if_absent(ConfigValue& object, std::string_view name, std::string_view json) {
  if (object.find(name) == nullptr)
    object.members.emplace_back(std::string(name), ConfigValue{.kind = Kind::scalar, .text = std::string(json)});
}

/// One way to say the same: amounts, weights, and the order of what has none.
Result<void> settle_lists(ConfigValue& entry, const std::string& where) {
  for (auto& [name, member] : entry.members) {
    if (name == "prices")
      if (auto prices = settle_prices(member, where); !prices) return prices;
    if (name == "targets")
      if (auto targets = settle_targets(member, where); !targets) return targets;
    if (name == "deployments")
      for (auto& deployment : member.items) drop(deployment, "enabled", "true");
    if (name == "pins") {
      std::ranges::sort(member.items, {}, &ConfigValue::text);
      const auto [first, last] = std::ranges::unique(member.items);
      member.items.erase(first, last);
    }
    if (name == "prices" || name == "targets" || name == "deployments") {
      for (auto& item : member.items) item = ordered(std::move(item));
      std::ranges::sort(member.items, {}, [](const ConfigValue& item) { return to_json(item); });
    }
  }
  return {};
}

/// The filter of a view as the registry keeps it: without what filters nothing.
Result<void> settle_filter(ConfigValue& entry, const std::string& where) {
  const auto member =
      std::ranges::find(entry.members, "filter", [](const auto& each) { return std::string_view(each.first); });
  if (member == entry.members.end()) return {};
  auto& filter = member->second;
  const auto read = registry::model_filter_from_json(to_json(filter));
  if (!read) return refused(where, read.error().detail);
  std::erase_if(filter.members, [](const auto& each) {
    const auto json = to_json(each.second);
    return json == "[]" || json == "\"\"" || (each.first == "hidden" && json == "true");
  });
  return {};
}

/// Names that organisations have given to connections and aliases of their own, in the registry or in the file.
class OwnNames {
 public:
  void add(const ConfigValue& tree) {
    for (const auto& [collection, field] : {std::pair("connections", "name"), std::pair("aliases", "alias")}) {
      const auto* list = tree.find(collection);
      if (list == nullptr) continue;
      for (const auto& entry : list->items)
        if (!entry.text_of("org").empty())
          names_.emplace(entry.text_of("org"), std::string(collection), entry.text_of(field));
    }
  }
  [[nodiscard]] bool has(const std::string& org, std::string_view collection, const std::string& name) const {
    return names_.contains({org, std::string(collection), name});
  }

 private:
  std::set<std::tuple<std::string, std::string, std::string>> names_;
};

/// A name is the nearest one's. That it is the platform's is said only where the organisation has the name too.
Result<void> settle_owner(ConfigValue& object, std::string_view member, bool own_has_it, const std::string& where) {
  const auto* const of = object.find(member);
  if (of == nullptr) return {};
  if (of->kind != Kind::text || of->text != "platform")
    return refused(where, fmt::format("the field {} has to be platform, where it is given", member));
  if (!own_has_it) drop(object, member, "\"platform\"");
  return {};
}

Result<void> settle_owners(const Collection& collection, ConfigValue& entry, const OwnNames& own,
                           const std::string& where) {
  const auto org = entry.text_of("org");
  if (collection.name == "grants") {
    const auto of = entry.text_of("what") == "connection" ? "connections" : "aliases";
    return settle_owner(entry, "objectOf", own.has(org, of, entry.text_of("object")), where);
  }
  if (collection.name != "models") return {};
  for (auto& [name, member] : entry.members) {
    if (name != "deployments" && name != "prices") continue;
    for (auto& item : member.items) {
      auto settled = settle_owner(item, "connectionOf", own.has(org, "connections", item.text_of("connection")), where);
      if (!settled) return settled;
    }
  }
  return {};
}

/// Checks an entry of the file and leaves out what has its default.
Result<ConfigValue> settled(const Collection& collection, ConfigValue entry, const OwnNames& own,
                            const std::string& where) {
  if (entry.kind != Kind::object) return refused(where, "it is not an object");
  std::erase_if(entry.members, [](const auto& member) { return member.second.kind == Kind::null; });
  for (const auto& [name, value] : entry.members) {
    const auto field = std::ranges::find(collection.fields, std::string_view(name), &Field::name);
    if (field == collection.fields.end()) {
      std::vector<std::string_view> names;
      for (const auto& known : collection.fields) names.push_back(known.name);
      return refused(where, fmt::format("there is no field {}; there are {}", name, fmt::join(names, ", ")));
    }
    if (!fits(value, field->takes))
      return refused(where, fmt::format("the field {} has a value of another kind", name));
  }
  if (const auto* settings = entry.find("settings"); settings != nullptr && settings->find("replacementId") != nullptr)
    return refused(where, "a replacement is named beside the settings, as replacement: provider/name");
  if (auto filter = settle_filter(entry, where); !filter) return std::unexpected(filter.error());
  for (const auto& field : collection.fields) {
    if (field.needed && entry.find(field.name) == nullptr)
      return refused(where, fmt::format("it has no {}", field.name));
    if (!field.otherwise.empty()) drop(entry, field.name, field.otherwise);
  }
  // A model of the platform is enabled or not; a row over it may leave that to the platform.
  if (collection.name == "models" && entry.find("org") == nullptr) add_if_absent(entry, "enabled", "false");
  if (auto owners = settle_owners(collection, entry, own, where); !owners) return std::unexpected(owners.error());
  if (auto lists = settle_lists(entry, where); !lists) return std::unexpected(lists.error());
  return ordered(std::move(entry));
}

std::string key_of(const Collection& collection, const ConfigValue& entry) {
  std::string key;
  for (const auto& field : collection.fields) {
    if (!field.key) continue;
    const auto text = entry.text_of(field.name);
    if (text.empty() && field.name != "purpose") continue;
    if (text.empty()) continue;
    // The provider and the name of a model are read together.
    key += key.empty() ? "" : field.name == "modelName" ? "/" : " ";
    key += text;
  }
  return key;
}

/// What an entry is known by, without two that are alike.
std::string identity_of(const Collection& collection, const ConfigValue& entry) {
  std::string identity;
  for (const auto& field : collection.fields)
    if (field.key) identity += entry.text_of(field.name) + '\x1f';
  return identity;
}

std::set<std::string> owned_identities(const Collection& collection, const ConfigValue& owned) {
  std::set<std::string> identities;
  if (const auto* list = owned.find(collection.name))
    for (const auto& entry : list->items) identities.insert(identity_of(collection, entry));
  return identities;
}

std::string shown(const ConfigValue* value) {
  if (value == nullptr) return "nothing";
  auto text = value->kind == Kind::text ? value->text : to_json(*value);
  constexpr std::size_t text_max = 120;
  if (text.size() > text_max) text = text.substr(0, text_max) + "…";
  return text;
}

void differences(std::vector<std::string>& found, const std::string& prefix, const ConfigValue& now,
                 const ConfigValue& wanted) {
  const auto compare = [&](const std::string& name, const ConfigValue* before, const ConfigValue* after) {
    if (before != nullptr && after != nullptr && *before == *after) return;
    if (name == "settings" && prefix.empty()) {
      const ConfigValue none{.kind = Kind::object};
      return differences(found, "settings.", before == nullptr ? none : *before, after == nullptr ? none : *after);
    }
    found.push_back(fmt::format("{}{}: {} -> {}", prefix, name, shown(before), shown(after)));
  };
  for (const auto& [name, value] : wanted.members) compare(name, now.find(name), &value);
  for (const auto& [name, value] : now.members)
    if (wanted.find(name) == nullptr) compare(name, &value, nullptr);
}

/// Takes the version out of an entry of the registry.
std::optional<std::int64_t> take_version(ConfigValue& entry) {
  const auto* version = entry.find("version");
  if (version == nullptr) return std::nullopt;
  const auto number = std::strtoll(version->text.c_str(), nullptr, 10);
  std::erase_if(entry.members, [](const auto& member) { return member.first == "version"; });
  return number;
}

}  // namespace

ConfigValue without_versions(ConfigValue registry) {
  for (auto& [name, list] : registry.members)
    for (auto& entry : list.items) take_version(entry);
  return registry;
}

Result<ConfigPlan> plan_config(const ConfigValue& registry, const ConfigValue& file, const Prune* prune) {
  if (file.kind != Kind::object && file.kind != Kind::null) return refused("the file", "it is not an object");
  for (const auto& [name, list] : file.members) {
    if (std::ranges::find(collections, std::string_view(name), &Collection::name) == collections.end())
      return refused(name, "there are organizations, connections, models, defaults, aliases, views and grants");
    if (list.kind != Kind::list && list.kind != Kind::null) return refused(name, "it is not a list");
  }
  OwnNames own;
  own.add(registry);
  own.add(file);
  ConfigPlan plan;
  std::vector<ConfigChange> removals;
  const ConfigValue none{.kind = Kind::list};
  for (const auto& collection : collections) {
    struct Known {
      ConfigValue value;
      std::optional<std::int64_t> version;
    };
    std::map<std::string, Known> there;
    const auto* known = registry.find(collection.name);
    for (auto entry : (known == nullptr ? none : *known).items) {
      const auto version = take_version(entry);
      auto value = settled(collection, std::move(entry), own, std::string(collection.name));
      if (!value) return std::unexpected(value.error());
      auto identity = identity_of(collection, *value);
      there.emplace(std::move(identity), Known{.value = std::move(*value), .version = version});
    }
    std::map<std::string, bool> seen;
    std::map<std::string, std::string> for_auto;  // by scope: the view
    const auto* listed = file.find(collection.name);
    std::size_t index = 0;
    for (const auto& entry : (listed == nullptr ? none : *listed).items) {
      const auto where = fmt::format("{}[{}]", collection.name, index++);
      auto wanted = settled(collection, entry, own, where);
      if (!wanted) return std::unexpected(wanted.error());
      const auto identity = identity_of(collection, *wanted);
      if (!seen.emplace(identity, true).second)
        return refused(where, fmt::format("{} is there twice", key_of(collection, *wanted)));
      if (wanted->find("forAuto") != nullptr) {
        const auto [other, first] = for_auto.emplace(wanted->text_of("org"), wanted->text_of("name"));
        if (!first)
          return refused(
              where, fmt::format("a scope has one view that \"auto\" selects from; {} is it already", other->second));
      }
      ConfigChange change{
          .collection = std::string(collection.name), .key = key_of(collection, *wanted), .wanted = std::move(*wanted)};
      if (const auto found = there.find(identity); found != there.end()) {
        change.now = found->second.value;
        change.version = found->second.version;
        // What a file does not name stays: lists find deployments, and catalogues prices.
        for (const auto* name : {"deployments", "prices", "slug"})
          if (change.wanted.find(name) == nullptr)
            std::erase_if(change.now.members, [&](const auto& member) { return member.first == name; });
        // An empty list says that there is to be none.
        for (const auto* name : {"deployments", "prices"})
          if (change.now.find(name) == nullptr) drop(change.wanted, name, "[]");
        if (change.now == change.wanted) {
          ++plan.same;
          continue;
        }
        differences(change.differences, "", change.now, change.wanted);
      }
      plan.changes.push_back(std::move(change));
    }
    const auto kept = prune == nullptr ? std::set<std::string>() : owned_identities(collection, prune->owned);
    for (auto& [identity, found] : there) {
      if (seen.contains(identity)) continue;
      if (prune == nullptr || kept.contains(identity)) {
        ++plan.others;
        continue;
      }
      removals.push_back({.collection = std::string(collection.name),
                          .key = key_of(collection, found.value),
                          .now = std::move(found.value),
                          .version = found.version});
    }
  }
  // What needs others goes before them.
  std::ranges::move(std::views::reverse(removals), std::back_inserter(plan.changes));
  return plan;
}

}  // namespace tokenrail::cli
