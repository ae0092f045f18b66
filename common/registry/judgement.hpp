// All rules of resolution, applied to one model. Pure; used by the parts of resolution only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/registry/access.hpp"
#include "common/registry/effective_model.hpp"
#include "common/registry/fit.hpp"
#include "common/registry/route.hpp"

namespace tokenrail::registry {

/// What is asked: a request, or a question about one.
struct Question {
  Caller caller;
  std::optional<events::ModelReference> model{};  ///< a model, an alias or "auto"; nothing: the default
  std::string_view kind = "generation";
  std::string_view provider{};                   ///< of the default: among this provider's models
  std::string_view purpose{};                    ///< of the default
  std::string_view conversation_id{};            ///< what sticky aliases hold to
  const events::ChatRequest* request = nullptr;  ///< null: only whether it may be used, not whether it fits
};

/// A question while it is resolved.
struct Asking {
  const Projection& projection;
  const Question& question;
  const ResolutionRules& rules;
  std::uint64_t random;
  std::int64_t now_ms;
  Scopes scopes;
  Access access;
  Requirements requirements;
  bool only_platform_rows;  ///< neither the user nor the organisation has a row, so that no row overrides another

  Asking(const Projection& held, const Question& asked, const ResolutionRules& applied, std::uint64_t bits,
         std::int64_t now);
};

struct Judged {
  EffectiveModel model;
  ModelAccess access{};
  Failing failing{};
  [[nodiscard]] bool usable() const { return failing.none(); }
};
/// `alias`: by which the model was asked for, or empty. The model exists.
[[nodiscard]] Judged judge(const Asking& asking, const EffectiveModel& model, std::string_view alias);

/// Every clause, or those that fail, in the order of their precedence.
[[nodiscard]] std::vector<Clause> clauses_of(const Asking& asking, const Judged& judged, bool failing_only);
[[nodiscard]] Refusal refusal_of(const Asking& asking, const Judged& judged);

[[nodiscard]] std::vector<RouteTarget> targets_of(Asking& asking, const Judged& judged,
                                                  std::vector<std::string>& warnings);

[[nodiscard]] events::ModelName name_of(const EffectiveModel& model);
[[nodiscard]] EffectiveModel effective(const Asking& asking, const events::ModelState& row);

/// The candidates of the platform that the caller may use, in order of preference. Where the platform's models need a
/// grant, only the granted ones are looked at.
template <class Visit>
void for_each_platform_candidate(const Asking& asking, Preference preference, Visit&& visit) {
  const auto granted = asking.access.platform_needs_grant() ? asking.access.granted_models() : std::nullopt;
  if (!granted) return asking.projection.for_each_candidate({}, {}, preference, visit);
  std::vector<const events::ModelState*> rows;
  for (const auto id : *granted)
    for (const auto* row : asking.projection.with_id(id))
      if (row->org_id.empty() && is_candidate(*row)) rows.push_back(row);
  std::ranges::sort(rows, {}, [&](const auto* row) {
    return std::tuple(preference_value(*row, preference), priority_of(*row), std::string_view(row->slug));
  });
  for (const auto* row : rows)
    if (!visit(*row)) return;
}

}  // namespace tokenrail::registry
