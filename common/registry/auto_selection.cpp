// modelName "auto": the best model that can answer.
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/registry/selection.hpp"
#include "common/registry/view_members.hpp"

namespace tokenrail::registry {

using events::AutoSelection;
using events::ErrorCode;
using events::ModelState;

namespace {

Preference preference_of(AutoSelection::Prefer prefer) {
  switch (prefer) {
    case AutoSelection::Prefer::quality:
      return Preference::quality;
    case AutoSelection::Prefer::price:
      return Preference::price;
    case AutoSelection::Prefer::speed:
      return Preference::speed;
  }
  return Preference::quality;
}

bool within(const EffectiveModel& model, const AutoSelection& limits) {
  const auto& prices = model.prices();
  const auto quality = model.quality(limits.quality_metric);
  const auto above = [](const std::optional<std::int64_t>& price, const std::optional<std::int64_t>& limit) {
    return limit && (!price || *price > *limit);
  };
  if (above(prices.input_micros, limits.input_micros_max)) return false;
  if (above(prices.output_micros, limits.output_micros_max)) return false;
  return !limits.quality_min || (quality && *quality >= *limits.quality_min);
}

/// Models in the order of their worth. Those that surely can answer come before those of which it is not known, and
/// those before the ones that their provider no longer lists.
class Best {
 public:
  /// `view`: only its models; null: all.
  Best(Asking& asking, const AutoSelection& limits, const events::RegistryView* view)
      : asking_(asking), limits_(limits), view_(view), preference_(preference_of(limits.prefer)) {}

  std::optional<Judged> find() {
    for (const auto& scope : asking_.scopes) {
      if (scope == LevelScope{}) continue;
      asking_.projection.for_each_candidate(scope.org_id, scope.user_id, Preference::order, [&](const ModelState& row) {
        consider(EffectiveModel(asking_.projection, asking_.scopes, row.provider, row.model_name));
        return true;
      });
    }
    // No order is kept by single scores.
    const auto order = by_metric() ? Preference::order : preference_;
    for_each_platform_candidate(asking_, order, [&](const ModelState& row) {
      // The rest is worse than what was found, because the rows come by their worth.
      if (order == preference_ && best_ && best_->rank.tier == 0 &&
          preference_value(row, preference_) > best_->rank.value)
        return false;
      // What the row alone shows is looked at first. Where a nearer row changes it, that row has been considered above.
      const EffectiveModel model(row);
      if (may_be_better(model) && !overridden(row)) consider(model);
      return true;
    });
    if (!best_) return std::nullopt;
    return best_->judged;
  }

  /// Why nothing was found.
  [[nodiscard]] Refusal refusal() {
    count_failures();
    if (considered_ == 0) {
      return refuse(ClauseName::found, ErrorCode::model_not_found,
                    "The registry has no model that may be selected automatically.",
                    fmt::format("Name a model ({}), or enable one.", list_command));
    }
    std::vector<Clause> clauses;
    for (std::size_t at = 0; at < failing_.size(); ++at) {
      if (failing_[at] == 0) continue;
      const auto name = static_cast<ClauseName>(at);
      clauses.push_back(
          {.name = name,
           .ok = false,
           .detail = fmt::format("{} of {} models fail the clause {}.", failing_[at], considered_, name_of(name)),
           .code = code_of(name)});
    }
    // The most frequent first.
    std::ranges::sort(clauses, {}, [&](const Clause& clause) {
      return std::pair(considered_ - failing_[static_cast<std::size_t>(clause.name)], clause.name);
    });
    auto& first = clauses.front();
    first.detail = "No model can be selected for \"auto\": " + first.detail;
    first.advice = fmt::format("Ask for less, or name a model ({}).", list_command);
    return refusal_of(std::move(clauses), {});
  }

 private:
  struct Rank {
    int tier;
    double value;
    std::int64_t priority;
    std::string_view slug;
    friend auto operator<=>(const Rank&, const Rank&) = default;
  };
  struct Found {
    Rank rank;
    Judged judged;
  };

  /// INVALID_REQUEST would keep the request's fallbacks from answering.
  static ErrorCode code_of(ClauseName name) {
    if (name == ClauseName::capability || name == ClauseName::output) return ErrorCode::capability_unsupported;
    return name == ClauseName::context ? ErrorCode::context_too_long : ErrorCode::model_not_found;
  }

  bool overridden(const ModelState& row) const {
    if (asking_.only_platform_rows) return false;
    for (const auto& scope : asking_.scopes) {
      if (scope == LevelScope{}) continue;
      if (asking_.projection.find(scope.org_id, scope.user_id, row.provider, row.model_name) != nullptr) return true;
    }
    return false;
  }

  [[nodiscard]] bool by_metric() const { return preference_ == Preference::quality && !limits_.quality_metric.empty(); }

  [[nodiscard]] bool is_asked_for(const EffectiveModel& model) const {
    return within(model, limits_) && (view_ == nullptr || is_in_view(*view_, model));
  }

  /// Lower is better.
  [[nodiscard]] double value_of(const EffectiveModel& model) const {
    if (!by_metric()) return model.preference(preference_);
    const auto quality = model.quality(limits_.quality_metric);
    return quality ? 1 - *quality : std::numeric_limits<double>::infinity();
  }

  [[nodiscard]] int tier_of(const EffectiveModel& model) const {
    if (model.missing()) return 2;
    return surely_fits(model, asking_.requirements) ? 0 : 1;
  }

  [[nodiscard]] bool may_be_better(const EffectiveModel& model) const {
    if (!is_asked_for(model)) return false;
    if (best_ && tier_of(model) > best_->rank.tier) return false;
    return failing(model, asking_.requirements).none();
  }

  void consider(const EffectiveModel& model) {
    if (model.hidden() || !is_asked_for(model)) return;
    const Rank rank{.tier = tier_of(model),
                    .value = value_of(model),
                    .priority = priority_of(model.serving()),
                    .slug = model.nearest().slug};
    if (best_ && best_->rank <= rank) return;
    const auto judged = judge(asking_, model, {});
    if (judged.usable()) best_ = Found{.rank = rank, .judged = judged};
  }

  /// Of all that might have been selected: how many fail each clause. A selection that succeeds does not need it.
  void count_failures() {
    const auto count = [&](const EffectiveModel& model) {
      if (model.hidden()) return;
      ++considered_;
      auto judged = judge(asking_, model, {});
      if (!within(model, limits_)) judged.failing.add(ClauseName::selection);
      for (std::size_t at = 0; at < failing_.size(); ++at)
        if (judged.failing.has(static_cast<ClauseName>(at))) ++failing_[at];
    };
    for (const auto& scope : asking_.scopes) {
      const auto visit = [&](const ModelState& row) {
        const EffectiveModel model(asking_.projection, asking_.scopes, row.provider, row.model_name);
        if (&model.nearest() == &row) count(model);  // each model once
        return true;
      };
      if (scope == LevelScope{}) {
        for_each_platform_candidate(asking_, preference_, visit);
      } else {
        asking_.projection.for_each_candidate(scope.org_id, scope.user_id, Preference::order, visit);
      }
    }
  }

  Asking& asking_;
  const AutoSelection& limits_;
  const events::RegistryView* view_;
  Preference preference_;
  std::optional<Found> best_;
  std::array<std::size_t, static_cast<std::size_t>(ClauseName::deployment) + 1> failing_{};
  std::size_t considered_ = 0;
};

std::string detail_of(const EffectiveModel& model, const AutoSelection& limits, const events::RegistryView* view) {
  const auto among =
      fmt::format("the models {}that can answer", view == nullptr ? "" : "of the view " + view->name + " ");
  const auto quality = limits.quality_metric.empty() ? "quality" : "score for " + limits.quality_metric;
  switch (limits.prefer) {
    case AutoSelection::Prefer::quality:
      if (const auto score = model.quality(limits.quality_metric))
        return fmt::format("Its {} {:.4} is the highest of {}.", quality, *score, among);
      return fmt::format("The {} of {} is not known; it is the first by priority and name.", quality, among);
    case AutoSelection::Prefer::price:
      if (const auto& prices = model.prices(); prices.input_micros && prices.output_micros)
        return fmt::format("Its prices, {} and {} micro-dollars per million tokens, are the lowest of {}.",
                           *prices.input_micros, *prices.output_micros, among);
      break;
    case AutoSelection::Prefer::speed:
      if (const auto ms = model.nearest_value(&ModelState::first_token_ms))
        return fmt::format("Its first token after {} ms is the fastest of {}.", *ms, among);
      break;
  }
  return fmt::format("The {} of {} is not known; it is the first by priority and name.", events::name_of(limits.prefer),
                     among);
}

/// The view to select from, or null for the whole registry. A view that is named and not there is a warning.
const events::RegistryView* view_of(const Asking& asking, const std::string& named,
                                    std::vector<std::string>& warnings) {
  if (named.empty()) return find_auto_view(asking.projection, asking.scopes);
  const auto* view = find_view(asking.projection, asking.scopes, named);
  if (view == nullptr)
    warnings.push_back(fmt::format("There is no view {}. \"auto\" selected from the whole registry.", named));
  return view;
}

}  // namespace

Selected select_auto(Asking& asking) {
  static const AutoSelection no_limits{};
  const auto& limits = asking.question.request != nullptr ? asking.question.request->auto_selection : no_limits;
  Selection selection;
  const auto* view = view_of(asking, limits.view, selection.warnings);
  auto judged = view == nullptr ? std::nullopt : Best(asking, limits, view).find();
  if (view != nullptr && !judged) {
    selection.warnings.push_back(fmt::format(
        "No model of the view {} can answer the request. \"auto\" selected from the whole registry.", view->name));
    view = nullptr;
  }
  if (!judged) {
    Best best(asking, limits, nullptr);
    judged = best.find();
    if (!judged) return std::unexpected(best.refusal());
  }
  selection.judged = *judged;
  selection.targets = targets_of(asking, *judged, selection.warnings);
  selection.choice = {.chosen = text_of(name_of(judged->model)),
                      .view = view == nullptr ? std::string() : view->name,
                      .reason = "auto",
                      .detail = detail_of(judged->model, limits, view)};
  return selection;
}

}  // namespace tokenrail::registry
