// Third part of resolution: the deployments of a model, and the targets of an alias, in the order to try. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/access.hpp"
#include "common/registry/clauses.hpp"
#include "common/registry/effective_model.hpp"

namespace tokenrail::registry {

struct RouteTarget {
  events::ModelState model;
  events::DeploymentState deployment;
};

/// Which model was chosen, and why.
struct Choice {
  std::string asked{};    ///< the model or alias that the request names; empty: none
  std::string chosen{};   ///< provider/name of the first target
  std::string alias{};    ///< the alias that led to it
  std::string variant{};  ///< of an alias with several targets: the one that was drawn, as provider/name
  std::string view{};     ///< the saved view that "auto" selected from; empty: the whole registry
  std::string reason{};   ///< named | alias | default | first | auto | fallback
  std::string detail{};   ///< a sentence
};

struct Route {
  std::vector<RouteTarget> targets;     ///< never empty; in the order to try
  std::vector<std::string> warnings{};  ///< what was left out or chosen among several, and why
  Choice choice{};
};

struct ResolutionRules {
  /// Off: a request that names no model, where no default is set, gets the first routable generation model by priority
  /// and slug. An organisation may be strict by itself.
  bool strict_default = false;
  /// The wire formats that this process speaks (deployments of others are left out); empty: not checked here.
  std::vector<std::string> adapters{};
  /// By provider: the tag that a model's name may be asked for without, such as ":latest".
  std::map<std::string, std::string, std::less<>> implied_tags{};
};

/// SplitMix64: spreads the caller's random bits over as many draws as a route needs.
[[nodiscard]] std::uint64_t draw(std::uint64_t& state);

/// The same number for the same texts in every process and version of Tokenrail.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0);

/// Indexes of the targets, first the one that `seed` draws by weight. Over all seeds each comes first by its share. For
/// one seed a target that is added or removed, or whose weight changes, moves no request between the other targets.
/// Targets of weight 0 come last, in their own order.
[[nodiscard]] std::vector<std::size_t> drawn_order(const std::vector<events::AliasTarget>& targets, std::uint64_t seed);

/// By priority; among equals each next one is drawn by weight. Weight 0 is a reserve: it comes after all that weigh.
[[nodiscard]] std::vector<events::DeploymentState> in_order(std::vector<events::DeploymentState> deployments,
                                                            std::uint64_t random);

/// Whether any deployment can be called. Cheap: no text.
[[nodiscard]] bool is_callable(const EffectiveModel& model, const Access& access, const ModelAccess& granted,
                               const ResolutionRules& rules);

/// The deployments that can be called, in the order to try; a warning for each that is left out though it is enabled.
[[nodiscard]] std::vector<RouteTarget> targets_of(const EffectiveModel& model, const Access& access,
                                                  const ModelAccess& granted, const ResolutionRules& rules,
                                                  std::uint64_t random, std::vector<std::string>& warnings);

/// The clause `deployment`.
[[nodiscard]] Clause describe_deployments(const EffectiveModel& model, const Access& access, const ModelAccess& granted,
                                          const ResolutionRules& rules);

}  // namespace tokenrail::registry
