// What a caller may use without asking for it by name: the models of a picker. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/registry/effective_model.hpp"
#include "common/registry/projection.hpp"
#include "common/registry/route.hpp"

namespace tokenrail::registry {

/// Models of every kind without hidden ones, by priority and then by slug, the nearest scope first. Each is the nearest
/// row of its model; valid until the projection's next apply(). Takes time in proportion to the registry.
[[nodiscard]] std::vector<const events::ModelState*> usable_models(const Projection& projection, const Caller& caller,
                                                                   const ResolutionRules& rules, std::int64_t now_ms);

/// The same step by step, so that no caller waits for a whole registry. Between two steps the projection may change: a
/// row that changes its place meanwhile may be found twice, or not at all.
class UsableModelsWalk {
 public:
  UsableModelsWalk(std::string org_id, std::string user_id, std::vector<std::string> groups = {});

  /// The usable ones among the next `rows_max` rows; valid until the projection's next apply().
  [[nodiscard]] std::vector<const events::ModelState*> next(const Projection& projection, const ResolutionRules& rules,
                                                            std::int64_t now_ms, std::size_t rows_max);
  [[nodiscard]] bool done() const { return done_; }

 private:
  std::string org_id_;
  std::string user_id_;
  std::vector<std::string> groups_;
  std::size_t scope_ = 0;  ///< of Scopes, nearest first
  std::optional<Projection::OrderPlace> after_{};
  bool done_ = false;
};

}  // namespace tokenrail::registry
