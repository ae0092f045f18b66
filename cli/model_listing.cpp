#include "cli/model_listing.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "cli/govern.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

std::vector<std::string> supported(const events::ModelState& model) {
  std::vector<std::string> names;
  for (const auto& [name, support] : model.capabilities)
    if (support == events::Support::supported) names.push_back(name);
  return names;
}

std::vector<std::string> connections(const events::ModelState& model) {
  std::vector<std::string> names;
  for (const auto& deployment : model.deployments)
    if (std::ranges::find(names, deployment.connection_name) == names.end())
      names.push_back(deployment.connection_name);
  return names;
}

/// As JSON; of several connections each with its name.
std::string parameters(const events::ModelState& model) {
  std::vector<std::string> texts;
  for (const auto& deployment : model.deployments) {
    if (deployment.parameters.empty()) continue;
    auto text = events::to_json(deployment.parameters);
    texts.push_back(model.deployments.size() > 1 ? fmt::format("{}: {}", deployment.connection_name, text) : text);
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string scope(const events::ModelState& model) {
  if (!model.owner_user_id.empty()) return fmt::format("user {}/{}", model.org_id, model.owner_user_id);
  return model.org_id.empty() ? "platform" : fmt::format("org {}", model.org_id);
}

}  // namespace

void take_inherited(std::vector<events::ModelState>& models) {
  using Place = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
  std::map<Place, bool> enabled;
  for (const auto& model : models)
    if (!model.inherits)
      enabled[Place(model.org_id, model.owner_user_id, model.provider, model.model_name)] = model.enabled;
  for (auto& model : models) {
    if (!model.inherits) continue;
    model.enabled = false;
    for (const auto& org : {std::string_view(model.org_id), std::string_view()}) {
      const auto above = enabled.find(Place(org, "", model.provider, model.model_name));
      if (above == enabled.end()) continue;
      model.enabled = above->second;
      break;
    }
    model.routable = model.routable && model.enabled;
  }
}

std::vector<events::ModelState> seen_by(const std::vector<events::ModelState>& models, const std::string& org_id) {
  std::vector<events::ModelState> seen;
  std::ranges::copy_if(models, std::back_inserter(seen), [&](const events::ModelState& model) {
    return model.owner_user_id.empty() && (model.org_id.empty() || model.org_id == org_id);
  });
  return seen;
}

std::string state_word(const events::ModelState& model) {
  // The strongest reason first: what fixes the later ones would not help.
  if (model.platform_blocked) return "blocked";
  if (!model.enabled) return "disabled";
  if (model.lifecycle == "retired") return "retired";
  const bool served = std::ranges::any_of(model.deployments, &events::DeploymentState::enabled);
  if (model.availability != "listed")
    return model.routable ? model.availability + " (still tried)" : model.availability;
  if (!served) return "not served";
  return model.routable ? "ready" : "not routable";
}

std::string listing(const std::vector<events::ModelState>& models) {
  std::vector<std::vector<std::string>> rows{{"MODEL", "SCOPE", "STATE", "CONTEXT", "CAPABILITIES", "CONNECTIONS"}};
  const bool any_parameters = std::ranges::any_of(models, [](const auto& model) { return !parameters(model).empty(); });
  if (any_parameters) rows.front().emplace_back("PARAMETERS");
  for (const auto& model : models) {
    rows.push_back({without_controls(
                        fmt::format("{}/{}{}", model.provider, model.model_name, model.is_default ? " (default)" : "")),
                    scope(model), state_word(model), model.context_window ? std::to_string(*model.context_window) : "?",
                    fmt::format("{}", fmt::join(supported(model), ",")),
                    fmt::format("{}", fmt::join(connections(model), ","))});
    if (any_parameters) rows.back().push_back(without_controls(parameters(model)));
  }
  return table(rows);
}

std::string listing_json(const events::ModelState& model) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("provider", model.provider);
  json.field("modelName", model.model_name);
  json.field("slug", model.slug);
  if (!model.org_id.empty()) json.field("orgId", model.org_id);
  if (!model.owner_user_id.empty()) json.field("ownerUserId", model.owner_user_id);
  json.field("kind", model.kind);
  json.field("state", state_word(model));
  json.field("routable", model.routable);
  json.field("enabled", model.enabled);
  json.field("availability", model.availability);
  json.field("default", model.is_default);
  if (model.context_window)
    json.field("contextWindow", *model.context_window);
  else
    json.null_field("contextWindow");
  json.begin_array("capabilities");
  for (const auto& name : supported(model)) json.element(name);
  json.end_array();
  json.begin_array("connections");
  for (const auto& name : connections(model)) json.element(name);
  json.end_array();
  if (!parameters(model).empty()) {
    json.begin_array("parameters");
    for (const auto& deployment : model.deployments) {
      if (deployment.parameters.empty()) continue;
      json.begin_object();
      json.field("connection", deployment.connection_name);
      json.raw_field("parameters", events::to_json(deployment.parameters));
      json.end_object();
    }
    json.end_array();
  }
  json.field("digest", model.digest);
  json.field("version", model.version);
  json.end_object();
  return line;
}

namespace {

events::DeploymentState deployment_of(std::string_view deployment) {
  std::vector<events::InvalidDefault> invalid;
  events::DeploymentState state;
  state.connection_name = member_of(deployment, "connection");
  state.enabled = member_of(deployment, "enabled") == "true" && member_of(deployment, "connectionEnabled") != "false";
  if (const auto parameters = member_of(deployment, "params"); !parameters.empty())
    state.parameters = events::read_call_defaults(parameters, invalid);
  return state;
}

}  // namespace

events::ModelState model_of(std::string_view document) {
  const auto text = [&](std::string_view name) { return member_of(document, name); };
  const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto digits = text(name);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() ? std::optional(value) : std::nullopt;
  };
  events::ModelState model;
  model.id = text("id");
  // The document of a platform's model names no organisation.
  model.org_id = text("orgId");
  model.provider = text("provider");
  model.model_name = text("modelName");
  model.slug = text("slug");
  model.kind = text("kind");
  model.digest = text("digest");
  model.lifecycle = text("lifecycle");
  model.enabled = text("enabled") == "true";
  model.platform_blocked = text("blocked") == "true";
  model.availability = text("availability");
  model.routable = text("status") == "active";
  model.is_default = text("isDefault") == "true";
  model.context_window = number("contextWindow");
  model.version = number("version").value_or(0);
  for (const auto& [name, value] : members_of(document, "capabilities"))
    model.capabilities[name] = value == "supported" ? events::Support::supported : events::Support::unknown;
  for (const auto& deployment : elements_of(document, "deployments"))
    model.deployments.push_back(deployment_of(deployment));
  return model;
}

}  // namespace tokenrail::cli
