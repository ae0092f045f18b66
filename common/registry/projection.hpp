// The registry as a router holds it: what the compacted `model_registry` topic says, kept in memory. Pure: records in,
// models out; no clock, no I/O. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/model_event.hpp"

namespace tokenrail::registry {

/// Whether a record key of the topic is a model's. Keys of other kinds begin with a word that starts with an underscore
/// ("_registry"), which no organisation id does.
[[nodiscard]] bool is_model_key(std::string_view key);

class Projection {
 public:
  enum class Applied {
    changed,
    unchanged,  ///< an older version than the one held, or the same
    removed,    ///< a tombstone
    mark,       ///< `_registry`
    ignored,    ///< a key of a kind that this version does not know
    malformed,  ///< the value could not be read; what was held stays
  };
  Applied apply(std::string_view key, std::optional<std::string_view> value);

  /// The mark has been seen: what is held is a whole registry.
  [[nodiscard]] bool complete() const { return mark_.has_value(); }
  [[nodiscard]] std::size_t size() const { return models_.size(); }

  /// By exact scope; empty org and user mean the platform's. Valid until the next apply().
  [[nodiscard]] const events::ModelState* find(std::string_view org_id, std::string_view user_id,
                                               std::string_view provider, std::string_view model_name) const;
  [[nodiscard]] const std::map<std::string, events::ModelState, std::less<>>& models() const { return models_; }

  /// The models of exactly one scope, valid until the next apply(): those of that name whatever their provider (by
  /// provider name), the one of that slug, those that are the default of their kind, and all, by the lowest priority of
  /// their deployments and then by slug. None of them walks the whole registry.
  [[nodiscard]] std::vector<const events::ModelState*> named(std::string_view org_id, std::string_view user_id,
                                                             std::string_view model_name) const;
  [[nodiscard]] const events::ModelState* with_slug(std::string_view org_id, std::string_view user_id,
                                                    std::string_view slug) const;
  [[nodiscard]] std::vector<const events::ModelState*> defaults(std::string_view org_id,
                                                                std::string_view user_id) const;
  /// `visit` returns false to stop.
  template <class Visit>
  void for_each_in_order(std::string_view org_id, std::string_view user_id, Visit&& visit) const {
    const std::string scope = scope_of(org_id, user_id);
    for (auto at = by_order_.lower_bound(OrderKey{.scope = scope}); at != by_order_.end() && at->scope == scope; ++at) {
      const auto& model = models_.find(at->key)->second;
      if (model.org_id == org_id && model.owner_user_id == user_id && !visit(model)) return;
    }
  }

  [[nodiscard]] const std::optional<events::RegistryMark>& mark() const { return mark_; }

 private:
  struct OrderKey {
    std::string scope;
    std::int64_t priority = std::numeric_limits<std::int64_t>::min();
    std::string slug{};
    std::string key{};
    auto operator<=>(const OrderKey&) const = default;
  };
  static std::string scope_of(std::string_view org_id, std::string_view user_id);
  static OrderKey order_key(const std::string& key, const events::ModelState& model);
  void index(const std::string& key, const events::ModelState& model);
  void unindex(const std::string& key, const events::ModelState& model);

  std::map<std::string, events::ModelState, std::less<>> models_;  ///< by record key
  std::optional<events::RegistryMark> mark_;
  // Keys of models_, found by what else a request may know of a model; all follow from models_.
  std::set<std::pair<std::string, std::string>> by_name_;   ///< scope + name, key
  std::set<std::pair<std::string, std::string>> by_slug_;   ///< scope + slug, key
  std::set<std::pair<std::string, std::string>> defaults_;  ///< scope, key
  std::set<OrderKey> by_order_;
};

}  // namespace tokenrail::registry
