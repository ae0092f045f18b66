// What a configuration file would change about the registry: the file against the registry's own export. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config_tree.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

struct ConfigChange {
  std::string collection;                  ///< organizations, connections, models, defaults, aliases, views or grants
  std::string key;                         ///< for people: "acme ollama/llama3.2"
  ConfigValue now{};                       ///< null: it is to be made
  std::optional<std::int64_t> version{};   ///< of `now`; nothing: not known
  ConfigValue wanted{};                    ///< without defaults; null: it is to be removed
  std::vector<std::string> differences{};  ///< "enabled: false -> true"
};

struct ConfigPlan {
  std::vector<ConfigChange> changes{};  ///< in an order in which they can be made
  std::size_t same = 0;
  std::size_t others = 0;  ///< entries of the registry that the file lacks and that stay
};

/// What a sync keeps: the models that a list named and the connections that it asks, in the form of a configuration.
struct Prune {
  ConfigValue owned{};
};

/// As people keep it in a file: without the versions that the registry gives its entries.
[[nodiscard]] ConfigValue without_versions(ConfigValue registry);

/// Errors (invalid_input) name the entry: a collection or a field that there is not, an entry without what it is known
/// by, one that is there twice, a value of another kind or that cannot be read, also within prices and targets.
/// `prune`: entries that the file lacks are to be removed, after everything else, but for those that a sync owns; null:
/// they stay.
[[nodiscard]] Result<ConfigPlan> plan_config(const ConfigValue& registry, const ConfigValue& file,
                                             const Prune* prune = nullptr);

}  // namespace tokenrail::cli
