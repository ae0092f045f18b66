#include "common/registry/selection.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/registry/near_names.hpp"

namespace tokenrail::registry {

using events::ErrorCode;
using events::ModelName;
using events::ModelReference;
using events::ModelState;

namespace {

std::string asked_text(const ModelReference& asked) {
  return text_of({asked.provider, asked.name});
}

/// `suggest`: with the names that may have been meant, which are looked for.
Refusal not_found(const Asking& asking, const ModelReference& asked, bool suggest) {
  NearNames near(asked_text(asked), suggest ? 3 : 0);
  bool enough = !suggest;
  for (const auto& scope : asking.scopes) {
    if (enough) break;
    asking.projection.for_each_in_order(scope.org_id, scope.user_id, [&](const ModelState& model) {
      enough = !near.look_at(asked.provider.empty() ? std::string_view() : model.provider, model.model_name);
      return !enough;
    });
  }
  const auto names = near.found();
  const auto hint = names.empty() ? std::string() : fmt::format(" Did you mean {}?", fmt::join(names, " or "));
  return refuse(ClauseName::found, ErrorCode::model_not_found,
                fmt::format("The registry has no model {}.{}", asked_text(asked), hint),
                fmt::format("See {} for those there are.", list_command), asked.provider);
}

using Meant = std::variant<std::monostate, ModelName, const events::RegistryAlias*>;

/// The model with the tag that its provider's servers add to a name without one.
Meant with_implied_tag(const Asking& asking, const ModelReference& asked) {
  const auto slash = asked.name.rfind('/');
  if (asked.name.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos) return {};
  for (const auto& scope : asking.scopes) {
    for (const auto& [provider, tag] : asking.rules.implied_tags) {
      if (!asked.provider.empty() && asked.provider != provider) continue;
      const auto tagged = asked.name + tag;
      if (asking.projection.find(scope.org_id, scope.user_id, provider, tagged) != nullptr)
        return ModelName{.provider = provider, .name = tagged};
      if (!asked.provider.empty()) continue;
      if (const auto* model = asking.projection.with_slug(scope.org_id, scope.user_id, tagged);
          model != nullptr && model->provider == provider)
        return ModelName{.provider = model->provider, .name = model->model_name};
    }
  }
  return {};
}

/// What a reference means in the nearest scope that has it. In one scope an alias comes before a slug, and a slug
/// before a model's own name: a name that people chose is more deliberate than one that a provider gave.
Meant identify(const Asking& asking, const ModelReference& asked, std::vector<std::string>& warnings) {
  const auto& projection = asking.projection;
  if (!asked.provider.empty()) {
    for (const auto& scope : asking.scopes)
      if (projection.find(scope.org_id, scope.user_id, asked.provider, asked.name) != nullptr)
        return ModelName{.provider = asked.provider, .name = asked.name};
  } else {
    for (const auto& scope : asking.scopes) {
      if (const auto* alias = projection.alias(scope.org_id, scope.user_id, asked.name)) return alias;
      if (const auto* model = projection.with_slug(scope.org_id, scope.user_id, asked.name))
        return ModelName{.provider = model->provider, .name = model->model_name};
      const auto named = projection.named(scope.org_id, scope.user_id, asked.name);
      if (named.empty()) continue;
      if (named.size() > 1) {
        warnings.push_back(fmt::format("{} providers have a model {}; {} was taken. Name `modelProvider` to choose.",
                                       named.size(), asked.name, named.front()->provider));
      }
      return ModelName{.provider = named.front()->provider, .name = asked.name};
    }
  }
  return with_implied_tag(asking, asked);
}

/// One model that was identified, or the reason against it.
std::expected<Judged, Refusal> judge_named(const Asking& asking, const ModelName& name, std::string_view alias) {
  const EffectiveModel model(asking.projection, asking.scopes, name.provider, name.name);
  if (!model.exists()) {
    return std::unexpected(refuse(ClauseName::found, ErrorCode::model_not_found,
                                  fmt::format("The registry has no model {}.", text_of(name)),
                                  fmt::format("See {} for those there are.", list_command), name.provider));
  }
  auto judged = judge(asking, model, alias);
  if (judged.usable()) return judged;
  auto refusal = refusal_of(asking, judged);
  refusal.alias = alias;
  return std::unexpected(std::move(refusal));
}

/// What keeps requests on one target, or fresh bits.
std::uint64_t seed_of(Asking& asking, const events::RegistryAlias& alias, std::string_view& kept_for) {
  const auto& question = asking.question;
  const auto key = alias.sticky == events::Sticky::conversation ? question.conversation_id
                   : alias.sticky == events::Sticky::user       ? question.caller.user_id
                                                                : std::string_view();
  if (key.empty()) return draw(asking.random);
  kept_for = alias.sticky == events::Sticky::conversation ? "conversation" : "user";
  return stable_hash(key, stable_hash(question.caller.org_id, stable_hash(alias.alias)));
}

std::string alias_detail(const events::RegistryAlias& alias, const events::AliasTarget& drawn,
                         std::string_view kept_for) {
  const auto level = level_of(LevelScope{.org_id = alias.org_id, .user_id = alias.owner_user_id});
  if (alias.targets.size() == 1) return fmt::format("The alias {} of the {} leads to it.", alias.alias, level);
  std::int64_t total = 0;
  for (const auto& target : alias.targets) total += std::min<std::int64_t>(target.weight, 1'000'000);
  return fmt::format("The alias {} of the {} drew {} with weight {} of {}{}{}.", alias.alias, level,
                     text_of(drawn.model), drawn.weight, total, kept_for.empty() ? "" : ", kept for the ", kept_for);
}

Selected select_alias(Asking& asking, const events::RegistryAlias& alias) {
  if (alias.targets.empty()) {
    return std::unexpected(refuse(ClauseName::found, ErrorCode::invalid_model_config,
                                  fmt::format("The alias {} leads to no model.", alias.alias),
                                  "Give it a target, or name a model."));
  }
  std::string_view kept_for;
  const auto order = drawn_order(alias.targets, seed_of(asking, alias, kept_for));
  const auto& drawn = alias.targets[order.front()];
  Selection selection;
  std::optional<Refusal> first;
  for (const auto at : order) {
    const auto& target = alias.targets[at];
    auto judged = judge_named(asking, target.model, alias.alias);
    if (!judged) {
      selection.warnings.push_back(fmt::format("The target {} of the alias {} was left out: {}", text_of(target.model),
                                               alias.alias, judged.error().message));
      if (!first) first = std::move(judged.error());
      continue;
    }
    if (selection.targets.empty()) {
      selection.judged = *judged;
      selection.choice.chosen = text_of(target.model);
    }
    // A target that cannot be called is followed by the others, as a deployment is.
    for (auto& step : targets_of(asking, *judged, selection.warnings)) selection.targets.push_back(std::move(step));
  }
  if (selection.targets.empty()) return std::unexpected(std::move(*first));
  selection.choice.alias = alias.alias;
  selection.choice.reason = "alias";
  selection.choice.detail = alias_detail(alias, drawn, kept_for);
  if (alias.targets.size() > 1) selection.choice.variant = text_of(drawn.model);
  return selection;
}

}  // namespace

Refusal refuse(ClauseName name, ErrorCode code, std::string detail, std::string advice, std::string_view provider) {
  return refusal_of(
      {{.name = name, .ok = false, .detail = std::move(detail), .advice = std::move(advice), .code = code}}, provider);
}

Selected select_exact(Asking& asking, const ModelName& name, std::string_view reason, std::string detail) {
  auto judged = judge_named(asking, name, {});
  if (!judged) return std::unexpected(std::move(judged.error()));
  Selection selection;
  selection.targets = targets_of(asking, *judged, selection.warnings);
  selection.choice = {.chosen = text_of(name), .reason = std::string(reason), .detail = std::move(detail)};
  selection.judged = *judged;
  return selection;
}

Selected select(Asking& asking, const std::optional<ModelReference>& asked, bool suggest) {
  if (asking.access.organization_deleted()) {
    const auto clause = asking.access.describe({}, ClauseName::organization, asking.access.failing({}), {});
    return std::unexpected(refusal_of({clause}, asked ? std::string_view(asked->provider) : std::string_view()));
  }
  Selected selected = [&]() -> Selected {
    if (!asked) return select_default(asking);
    if (asked->provider.empty() && asked->name == auto_name) return select_auto(asking);
    std::vector<std::string> warnings;
    const auto meant = identify(asking, *asked, warnings);
    if (const auto* alias = std::get_if<const events::RegistryAlias*>(&meant)) return select_alias(asking, **alias);
    const auto* name = std::get_if<ModelName>(&meant);
    if (name == nullptr) return std::unexpected(not_found(asking, *asked, suggest));
    auto exact = select_exact(asking, *name, "named", "The request names it.");
    if (exact) exact->warnings.insert(exact->warnings.begin(), warnings.begin(), warnings.end());
    return exact;
  }();
  if (selected && asked) selected->choice.asked = asked_text(*asked);
  return selected;
}

}  // namespace tokenrail::registry
