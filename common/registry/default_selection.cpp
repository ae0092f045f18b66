// A request that names no model.
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "common/registry/selection.hpp"

namespace tokenrail::registry {

using events::ErrorCode;
using events::ModelName;
using events::ModelState;

namespace {

/// The default pointer of exactly that scope, the most specific first.
const events::RegistryDefault* pointer_of(const Asking& asking, const LevelScope& scope) {
  const auto& question = asking.question;
  for (const auto provider : {question.provider, std::string_view()}) {
    for (const auto purpose : {question.purpose, std::string_view()}) {
      if (const auto* pointer =
              asking.projection.default_pointer(scope.org_id, scope.user_id, question.kind, provider, purpose))
        return pointer;
      if (question.purpose.empty()) break;
    }
    if (question.provider.empty()) break;
  }
  return nullptr;
}

/// What a scope's default is: a pointer, else the models that say of themselves that they are.
std::vector<ModelName> defaults_of(const Asking& asking, const LevelScope& scope) {
  if (const auto* pointer = pointer_of(asking, scope)) return {pointer->model};
  std::vector<ModelName> names;
  for (const auto* row : asking.projection.defaults(scope.org_id, scope.user_id)) {
    const auto& provider = asking.question.provider;
    if (serves_kind(row->kind, asking.question.kind) && (provider.empty() || row->provider == provider))
      names.push_back({.provider = row->provider, .name = row->model_name});
  }
  return names;
}

/// Looks for the first usable model; no default has to point at it.
class FirstUsable {
 public:
  explicit FirstUsable(Asking& asking) : asking_(asking) {}

  std::optional<Selected> find() {
    for (const bool missing : {false, true}) {
      for (const auto& scope : asking_.scopes) {
        const auto visit = [&](const ModelState& row) { return look_at(row, missing); };
        if (scope == LevelScope{}) {
          for_each_platform_candidate(asking_, Preference::order, visit);
        } else {
          asking_.projection.for_each_candidate(scope.org_id, scope.user_id, Preference::order, visit);
        }
        if (found_) return std::move(found_);
      }
      if (!any_missing_) break;
    }
    return std::nullopt;
  }

  /// Why the first one that was looked at cannot be used; else why the first model of the nearest scope cannot.
  std::optional<Refusal> first_failure() {
    if (first_failing_) return refusal_of(asking_, *first_failing_);
    std::optional<Refusal> failure;
    for (const auto& scope : asking_.scopes) {
      // Other kinds may come first; this looks at a few only.
      int looks = 1'000;
      asking_.projection.for_each_in_order(scope.org_id, scope.user_id, [&](const ModelState& row) {
        if (row.kind != "generation" || row.hidden) return --looks > 0;
        const auto judged = judge(asking_, effective(asking_, row), {});
        if (!judged.usable()) failure = refusal_of(asking_, judged);
        return false;
      });
      if (failure) break;
    }
    return failure;
  }

 private:
  bool look_at(const ModelState& row, bool missing) {
    const auto model = effective(asking_, row);
    if (model.hidden()) return true;
    if (model.missing() != missing) {
      any_missing_ = true;
      return true;
    }
    const auto judged = judge(asking_, model, {});
    if (judged.usable()) {
      Selection selection;
      selection.judged = judged;
      selection.targets = targets_of(asking_, judged, selection.warnings);
      selection.choice = {.chosen = text_of(name_of(model)),
                          .reason = "first",
                          .detail = "No default is set; it is the first usable model by priority and name."};
      found_ = std::move(selection);
      return false;
    }
    if (clauses_of(asking_, judged, true).front().code == ErrorCode::invalid_request) {
      found_ = std::unexpected(refusal_of(asking_, judged));
      return false;
    }
    if (!first_failing_) first_failing_ = judged;
    return true;
  }

  Asking& asking_;
  std::optional<Selected> found_;
  std::optional<Judged> first_failing_;
  bool any_missing_ = false;
};

}  // namespace

Selected select_default(Asking& asking) {
  std::vector<std::string> warnings;
  std::optional<Refusal> first_failure;
  for (const auto& scope : asking.scopes) {
    for (const auto& name : defaults_of(asking, scope)) {
      auto selected =
          select_exact(asking, name, "default", fmt::format("It is the default of the {}.", level_of(scope)));
      if (selected) {
        selected->warnings.insert(selected->warnings.begin(), warnings.begin(), warnings.end());
        return selected;
      }
      if (selected.error().code == ErrorCode::invalid_request) return selected;
      warnings.push_back(fmt::format("The default model could not be used: {}", selected.error().message));
      if (!first_failure) first_failure = std::move(selected.error());
    }
  }
  const bool strict = asking.rules.strict_default || asking.access.strict_default();
  // What comes first among models of another kind, or of one provider, says little; there a default is set or there is
  // none.
  if (strict || asking.question.kind != "generation" || !asking.question.provider.empty()) {
    if (first_failure) return std::unexpected(std::move(*first_failure));
    return std::unexpected(refuse(ClauseName::found, ErrorCode::model_not_found,
                                  "The request names no model and no default is set.",
                                  fmt::format("Name one ({}), or set a default.", list_command)));
  }
  FirstUsable first(asking);
  if (auto found = first.find()) {
    if (*found) (*found)->warnings.insert((*found)->warnings.begin(), warnings.begin(), warnings.end());
    return std::move(*found);
  }
  if (!first_failure) first_failure = first.first_failure();
  if (first_failure) return std::unexpected(std::move(*first_failure));
  return std::unexpected(refuse(ClauseName::found, ErrorCode::model_not_found,
                                "The request names no model, and the registry has none that can chat.",
                                "Add a connection that has one, run `tokenrail registry sync`, and ask again."));
}

}  // namespace tokenrail::registry
