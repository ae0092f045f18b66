// First part of resolution: one model as a caller has it, out of the rows of user, organisation and platform. Pure.
//
// The nearest row wins, field by field; what it leaves open comes from the row above it. Blocks and maintenance windows
// win from the top down: no row below lifts them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/events/model_event.hpp"
#include "common/registry/clauses.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry {

/// Who asks. The texts outlive it.
struct Caller {
  std::string_view org_id;
  std::string_view user_id{};
  std::span<const std::string> groups{};
};

/// The scopes that a caller sees, nearest first.
class Scopes {
 public:
  explicit Scopes(const Caller& caller);
  [[nodiscard]] auto begin() const { return scopes_.begin(); }
  [[nodiscard]] auto end() const { return scopes_.begin() + static_cast<std::ptrdiff_t>(count_); }

 private:
  std::array<LevelScope, 3> scopes_{};
  std::size_t count_ = 0;
};

/// "user", "organisation" or "platform".
[[nodiscard]] std::string_view level_of(const LevelScope& scope);
[[nodiscard]] std::string_view level_of(const events::ModelState& row);

/// Points into the projection: valid until its next apply().
class EffectiveModel {
 public:
  EffectiveModel() = default;  ///< of a name that no row has
  EffectiveModel(const Projection& projection, const Scopes& scopes, std::string_view provider, std::string_view name);
  /// A model whose platform row no nearer row overrides.
  explicit EffectiveModel(const events::ModelState& platform_row);

  [[nodiscard]] bool exists() const { return count_ > 0; }
  // The rest needs a model that exists.
  [[nodiscard]] const events::ModelState& nearest() const { return *rows_[0]; }
  /// The row whose deployments count: the nearest that has any.
  [[nodiscard]] const events::ModelState& serving() const;
  [[nodiscard]] std::span<const events::ModelState* const> rows() const { return {rows_.data(), count_}; }

  [[nodiscard]] const events::ModelState* blocked_by() const;  ///< the highest such row, or null
  /// The row that says whether it is enabled: the nearest that does not inherit.
  [[nodiscard]] const events::ModelState& enabled_by() const;
  [[nodiscard]] const events::ModelState* maintained_by(
      std::int64_t now_ms) const;  ///< whose window ends last, or null
  /// The nearest row whose lifecycle is not "active", which is also the value of a row that sets none.
  [[nodiscard]] const events::ModelState& lifecycle_by() const;
  /// False: its provider stopped offering it, past the grace, or its writer says that it cannot be routed to.
  [[nodiscard]] bool available() const;
  [[nodiscard]] bool missing() const { return serving().availability == "missing"; }
  [[nodiscard]] bool hidden() const;
  [[nodiscard]] events::Support support(std::string_view capability) const;
  /// A row's prices count as a whole.
  [[nodiscard]] const events::ModelPrices& prices() const;
  /// From 0 to 1. `metric`: which of its scores; empty: their mean.
  [[nodiscard]] std::optional<double> quality(std::string_view metric) const;
  template <class Value>
  [[nodiscard]] std::optional<Value> nearest_value(std::optional<Value> events::ModelState::* field) const {
    for (const auto* row : rows())
      if (row->*field) return row->*field;
    return std::nullopt;
  }
  [[nodiscard]] double preference(Preference preference) const;

  /// The whole model, as a route carries it.
  [[nodiscard]] events::ModelState state() const;

  /// The clauses of this part that fail.
  [[nodiscard]] Failing failing(std::int64_t now_ms) const;

 private:
  std::array<const events::ModelState*, 3> rows_{};  ///< nearest first
  std::size_t count_ = 0;
};

/// One clause of this part: blocked, lifecycle, enabled, maintenance or available. `failing`: as that model had it.
[[nodiscard]] Clause describe(const EffectiveModel& model, ClauseName name, const Failing& failing,
                              std::int64_t now_ms);

}  // namespace tokenrail::registry
