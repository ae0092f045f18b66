// The registry as a router holds it: what the compacted `model_registry` topic contains, kept in memory. Pure: records
// in, models and the rules about them out; no clock, no I/O. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "common/events/model_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/model_indexes.hpp"

namespace tokenrail::registry {

/// Whether a record key of the topic is a model's. Keys of other kinds begin with a word that starts with an underscore
/// ("_registry"), which no organisation id does.
[[nodiscard]] bool is_model_key(std::string_view key);

/// Records of one kind by their key.
struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
};
template <class Record>
using Records = std::unordered_map<std::string, Record, KeyHash, std::equal_to<>>;

class Projection {
 public:
  Projection() = default;
  // The indexes point into models_, so a copy would point into its original.
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;
  Projection(Projection&&) = default;
  Projection& operator=(Projection&&) = default;
  ~Projection() = default;

  enum class Applied {
    changed,
    unchanged,  ///< an older version than the one held, or the same
    removed,    ///< a tombstone
    mark,       ///< `_registry`
    ignored,    ///< a key of a kind that this version does not know
    malformed,  ///< the value could not be read; what was held stays
  };
  Applied apply(std::string_view key, std::optional<std::string_view> value);
  /// Forgets every record whose key is not among these; the mark stays. Returns how many.
  std::size_t keep_only(const std::set<std::string, std::less<>>& keys);

  /// The mark has been seen: what is held is a whole registry.
  [[nodiscard]] bool complete() const { return mark_.has_value(); }
  /// Number of models.
  [[nodiscard]] std::size_t size() const { return models_.size(); }
  [[nodiscard]] const std::map<std::string, events::ModelState, std::less<>>& models() const { return models_; }
  [[nodiscard]] const std::optional<events::RegistryMark>& mark() const { return mark_; }

  // Everything below is found in a scope: an organisation and a user, of which both, or the user, may be empty. Empty
  // org and user mean the platform. None of it walks the whole registry, and results are valid until the next apply().

  [[nodiscard]] const events::ModelState* find(std::string_view org_id, std::string_view user_id,
                                               std::string_view provider, std::string_view model_name) const;
  /// The models of that name whatever their provider, by provider name.
  [[nodiscard]] std::vector<const events::ModelState*> named(std::string_view org_id, std::string_view user_id,
                                                             std::string_view model_name) const;
  [[nodiscard]] const events::ModelState* with_slug(std::string_view org_id, std::string_view user_id,
                                                    std::string_view slug) const;
  /// The models that say of themselves that they are the default of their kind.
  [[nodiscard]] std::vector<const events::ModelState*> defaults(std::string_view org_id,
                                                                std::string_view user_id) const;
  /// All models, by the lowest priority of their deployments and then by slug. `visit` returns false to stop.
  template <class Visit>
  void for_each_in_order(std::string_view org_id, std::string_view user_id, Visit&& visit) const {
    indexes_.by_order.for_each(std::tuple(org_id, user_id), visit);
  }
  /// Where a model is in that order of its scope.
  struct OrderPlace {
    std::int64_t priority = 0;
    std::string slug{};
    std::string provider{};
    std::string model_name{};
    [[nodiscard]] static OrderPlace of(const events::ModelState& model) {
      return {.priority = priority_of(model),
              .slug = model.slug,
              .provider = model.provider,
              .model_name = model.model_name};
    }
    friend bool operator==(const OrderPlace&, const OrderPlace&) = default;
  };
  /// The same behind that place, whether a model is there or not.
  template <class Visit>
  void for_each_in_order_after(std::string_view org_id, std::string_view user_id, const OrderPlace& place,
                               Visit&& visit) const {
    const std::tuple from(org_id, user_id, 0.0, place.priority, std::string_view(place.slug),
                          std::string_view(place.provider), std::string_view(place.model_name));
    bool first = true;
    indexes_.by_order.for_each_from(std::tuple(org_id, user_id), from, [&](const events::ModelState& model) {
      const bool there = first && OrderPlace::of(model) == place;
      first = false;
      return there || visit(model);
    });
  }
  /// Those of which is_candidate() is true, in order of preference and then as for_each_in_order().
  template <class Visit>
  void for_each_candidate(std::string_view org_id, std::string_view user_id, Preference preference,
                          Visit&& visit) const {
    indexes_.for_each_candidate({.org_id = org_id, .user_id = user_id}, preference, visit);
  }
  /// A model that the platform blocks and that would be called there; null: none.
  [[nodiscard]] const events::ModelState* blocked_upstream(std::string_view connection_id,
                                                           std::string_view upstream_name) const {
    return indexes_.blocked.find(connection_id, upstream_name);
  }
  /// The rows with that model id, whatever their scope.
  [[nodiscard]] std::vector<const events::ModelState*> with_id(std::string_view model_id) const;

  [[nodiscard]] const events::RegistryAlias* alias(std::string_view org_id, std::string_view user_id,
                                                   std::string_view alias) const;
  [[nodiscard]] const events::RegistryView* view(std::string_view org_id, std::string_view user_id,
                                                 std::string_view name) const;
  /// The view of that scope that "auto" selects from. Pins of views are sorted.
  [[nodiscard]] const events::RegistryView* auto_view(std::string_view org_id, std::string_view user_id) const;
  /// The default pointer for exactly these; provider and purpose may be empty.
  [[nodiscard]] const events::RegistryDefault* default_pointer(std::string_view org_id, std::string_view user_id,
                                                               std::string_view kind, std::string_view provider,
                                                               std::string_view purpose) const;
  /// Its grants are sorted by the kind and the id of their object.
  [[nodiscard]] const events::RegistryGrants* grants(std::string_view org_id) const;
  [[nodiscard]] const events::RegistryOrganization* organization(std::string_view org_id) const;

 private:
  Applied apply_mark(std::optional<std::string_view> value);
  Applied apply_model(std::string_view key, std::optional<std::string_view> value);
  Applied apply_view(std::string_view key, std::optional<std::string_view> value);

  std::map<std::string, events::ModelState, std::less<>> models_;  ///< by record key
  ModelIndexes indexes_;                                           ///< pointers into models_
  Records<events::RegistryDefault> defaults_;
  Records<events::RegistryAlias> aliases_;
  Records<events::RegistryView> views_;
  Records<std::string> auto_views_;  ///< by the beginning of the record key that names the scope: the record key
  Records<events::RegistryGrants> grants_;
  Records<events::RegistryOrganization> organizations_;
  std::optional<events::RegistryMark> mark_;
};

}  // namespace tokenrail::registry
