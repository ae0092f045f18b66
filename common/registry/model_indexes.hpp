// The orders in which a projection finds its models. Each is a set of pointers: a model costs some fifty bytes an
// order, and a look-up builds no text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "common/events/model_event.hpp"

namespace tokenrail::registry {

/// Where a row belongs: an organisation and a user of it. Empty: the platform.
struct LevelScope {
  std::string_view org_id{};
  std::string_view user_id{};
  friend bool operator==(const LevelScope&, const LevelScope&) = default;
};

[[nodiscard]] inline LevelScope scope_of(const events::ModelState& model) {
  return {.org_id = model.org_id, .user_id = model.owner_user_id};
}

/// What a selection without a name prefers. `order` is the registry's own: priority, then slug.
enum class Preference { order, quality, price, speed };

/// Lower is better; what is unknown comes after all that is known.
[[nodiscard]] double preference_value(const events::ModelState& model, Preference preference);

/// The lowest priority of the deployments that are enabled.
[[nodiscard]] std::int64_t priority_of(const events::ModelState& model);

/// Whether a row may be chosen without being named, as far as the row alone shows: of kind generation, not hidden, and
/// neither disabled, blocked, retired nor gone.
[[nodiscard]] bool is_candidate(const events::ModelState& model);

namespace index_keys {

using events::ModelState;

struct Identity {
  using Texts = std::array<std::string_view, 4>;
  static Texts of(const ModelState& m) { return {m.org_id, m.owner_user_id, m.provider, m.model_name}; }
};
struct Name {
  using Texts = std::array<std::string_view, 3>;
  static Texts of(const ModelState& m) { return {m.org_id, m.owner_user_id, m.model_name}; }
};
struct Slug {
  using Texts = std::array<std::string_view, 3>;
  static Texts of(const ModelState& m) { return {m.org_id, m.owner_user_id, m.slug}; }
};
struct Id {
  using Texts = std::array<std::string_view, 1>;
  static Texts of(const ModelState& m) { return {m.id}; }
};
struct InScope {
  static auto of(const ModelState& m) {
    return std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>(m.org_id, m.owner_user_id,
                                                                                              m.model_name, m.provider);
  }
};
template <Preference Preferred>
struct ByPreference {
  static auto of(const ModelState& m) {
    return std::tuple<std::string_view, std::string_view, double, std::int64_t, std::string_view, std::string_view,
                      std::string_view>(m.org_id, m.owner_user_id, preference_value(m, Preferred), priority_of(m),
                                        m.slug, m.provider, m.model_name);
  }
};

}  // namespace index_keys

/// Models in the order of what `Key` makes of them, a tuple that is unique a model.
template <class Key>
class ModelIndex {
 public:
  /// `model` stays where it is, and as it is, until it is erased.
  void insert(const events::ModelState& model) { models_.insert(&model); }
  void erase(const events::ModelState& model) { models_.erase(&model); }

  /// The models whose key begins with these parts, in order; `visit` returns false to stop.
  template <class Visit, class... Parts>
  void for_each(const std::tuple<Parts...>& prefix, Visit&& visit) const {
    for_each_from(prefix, prefix, visit);
  }
  /// Those of them whose key is not below `from`, the beginning of one.
  template <class Visit, class... Parts, class... FromParts>
  void for_each_from(const std::tuple<Parts...>& prefix, const std::tuple<FromParts...>& from, Visit&& visit) const {
    for (auto at = models_.lower_bound(from); at != models_.end(); ++at)
      if (beginning<sizeof...(Parts)>(Key::of(**at)) != prefix || !visit(**at)) return;
  }

 private:
  template <std::size_t Count, class Tuple>
  static auto beginning(const Tuple& key) {
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      return std::tuple(std::get<Index>(key)...);
    }(std::make_index_sequence<Count>());
  }

  struct Less {
    using is_transparent = void;
    bool operator()(const events::ModelState* a, const events::ModelState* b) const {
      return Key::of(*a) < Key::of(*b);
    }
    template <class... Parts>
    bool operator()(const events::ModelState* model, const std::tuple<Parts...>& prefix) const {
      return beginning<sizeof...(Parts)>(Key::of(*model)) < prefix;
    }
  };
  std::set<const events::ModelState*, Less> models_;
};

/// Models by the texts that `Key` makes of them; several may have the same. A resolution looks up a dozen, and a tree
/// would compare texts at each of its steps.
template <class Key>
class ModelTable {
 public:
  /// `model` stays where it is, and as it is, until it is erased.
  void insert(const events::ModelState& model) { models_.insert(&model); }
  void erase(const events::ModelState& model) {
    auto [at, end] = models_.equal_range(&model);
    while (at != end && *at != &model) ++at;
    if (at != end) models_.erase(at);
  }
  /// In no order.
  template <class Visit>
  void for_each(const typename Key::Texts& texts, Visit&& visit) const {
    for (auto [at, end] = models_.equal_range(texts); at != end; ++at) visit(**at);
  }

 private:
  using Texts = typename Key::Texts;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Texts& texts) const {
      std::size_t hash = 0;
      for (const auto text : texts) hash = hash * 0x9e3779b97f4a7c15ULL + std::hash<std::string_view>()(text);
      return hash;
    }
    std::size_t operator()(const events::ModelState* model) const { return (*this)(Key::of(*model)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const events::ModelState* a, const events::ModelState* b) const {
      return Key::of(*a) == Key::of(*b);
    }
    bool operator()(const Texts& a, const events::ModelState* b) const { return a == Key::of(*b); }
    bool operator()(const events::ModelState* a, const Texts& b) const { return Key::of(*a) == b; }
  };
  std::unordered_multiset<const events::ModelState*, Hash, Equal> models_;
};

/// A name with this tag and the same name without it are one model at a server that knows tags. A block holds for both,
/// whatever the server is, so that the other spelling leads to no blocked model.
inline constexpr std::string_view default_tag = ":latest";

/// What the platform blocks, by where it would be called: a connection and the model's name there.
class BlockedUpstreams {
 public:
  void insert(const events::ModelState& model);
  /// `model` is as it was when it was inserted.
  void erase(const events::ModelState& model);
  /// Null: nothing there is blocked.
  [[nodiscard]] const events::ModelState* find(std::string_view connection_id, std::string_view upstream_name) const;

 private:
  std::multimap<std::pair<std::string_view, std::string_view>, const events::ModelState*> models_;
};

struct ModelIndexes {
  ModelTable<index_keys::Identity> by_identity{};
  ModelTable<index_keys::Name> by_name{};
  ModelTable<index_keys::Slug> by_slug{};
  ModelTable<index_keys::Id> by_id{};
  ModelIndex<index_keys::ByPreference<Preference::order>> by_order{};
  ModelIndex<index_keys::InScope> defaults{};
  BlockedUpstreams blocked{};
  // Candidates only.
  ModelIndex<index_keys::ByPreference<Preference::order>> candidates{};
  ModelIndex<index_keys::ByPreference<Preference::quality>> by_quality{};
  ModelIndex<index_keys::ByPreference<Preference::price>> by_price{};
  ModelIndex<index_keys::ByPreference<Preference::speed>> by_speed{};

  void insert(const events::ModelState& model);
  /// `model` must be as it was when it was inserted.
  void erase(const events::ModelState& model);

  template <class Visit>
  void for_each_candidate(const LevelScope& scope, Preference preference, Visit&& visit) const {
    const std::tuple prefix(scope.org_id, scope.user_id);
    switch (preference) {
      case Preference::order:
        return candidates.for_each(prefix, visit);
      case Preference::quality:
        return by_quality.for_each(prefix, visit);
      case Preference::price:
        return by_price.for_each(prefix, visit);
      case Preference::speed:
        return by_speed.for_each(prefix, visit);
    }
  }
};

}  // namespace tokenrail::registry
