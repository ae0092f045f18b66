#include "workers/registry_api/endpoints/explain_model.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::registry_api {

namespace {

struct Clause {
  std::string_view name;
  bool holds = true;
  std::string detail{};
  std::string hint{};  ///< where it does not hold
};

bool usable(const Json& deployment) {
  return deployment.boolean_of("enabled").value_or(false) && deployment.boolean_of("connectionEnabled").value_or(false);
}

Clause served_by_a_connection(const Json& model) {
  const auto* deployments = model.find("deployments");
  const auto* all = deployments == nullptr ? nullptr : deployments->array();
  if (all == nullptr || all->empty())
    return {"served", false, "No connection serves the model.", "Add a connection of its provider and sync it."};
  std::string names;
  for (const auto& deployment : *all)
    names += (names.empty() ? "" : ", ") + deployment.text_of("connection").value_or("?");
  if (std::ranges::none_of(*all, usable))
    return {"served", false, fmt::format("Every connection that serves the model is disabled: {}.", names),
            "Enable one of the connections, or the deployment on it."};
  return {"served", true, fmt::format("Connections that serve it: {}.", names)};
}

std::vector<Clause> clauses_of(const Json& model) {
  const auto status = model.text_of("status").value_or("");
  const auto text = [&](std::string_view name) { return model.text_of(name).value_or(""); };
  std::vector<Clause> clauses;
  const auto blocked_by = text("blockedBy");
  clauses.push_back(blocked_by.empty()
                        ? Clause{"not_blocked", true, "Nothing blocks it."}
                        : Clause{"not_blocked", false, fmt::format("The {} blocks it.", blocked_by),
                                 blocked_by == "platform" ? "Ask a platform administrator." : "Set blocked to false."});
  const bool retired = text("lifecycle") == "retired" || status == "retired";
  clauses.push_back(retired ? Clause{"not_retired", false, "It is retired.",
                                     text("replacementId").empty() ? "Use another model."
                                                                   : fmt::format("Use {}.", text("replacementId"))}
                            : Clause{"not_retired", true, fmt::format("Its lifecycle is {}.", text("lifecycle"))});
  const bool enabled = model.boolean_of("enabled").value_or(false);
  const bool inherits = model.boolean_of("inherits").value_or(false);
  const std::string_view whose = inherits ? "the platform's row" : "this scope's own row";
  clauses.push_back(
      enabled ? Clause{"enabled", true, fmt::format("It is enabled by {}.", whose)}
              : Clause{"enabled", false, fmt::format("It is disabled by {}.", whose), "Set enabled to true."});
  clauses.push_back(status == "maintenance" ? Clause{"no_maintenance", false,
                                                     fmt::format("It is in maintenance until {}. {}",
                                                                 text("maintenanceUntil"), text("maintenanceReason")),
                                                     "Wait, or set maintenanceUntil to null."}
                                            : Clause{"no_maintenance", true, "There is no maintenance now."});
  const bool gone = status == "missing";
  const bool missing = text("availability") == "missing";
  clauses.push_back(
      gone ? Clause{"listed", false, fmt::format("Its provider has not listed it since {}.", text("missingSince")),
                    "Sync the connection; install the model at the provider, or use another."}
           : Clause{"listed", true,
                    missing ? fmt::format("Its provider has not listed it since {}, which is within the grace.",
                                          text("missingSince"))
                            : std::string("Its provider lists it, or a person added it.")});
  clauses.push_back(served_by_a_connection(model));
  return clauses;
}

}  // namespace

std::string explain_model(const Json& model) {
  const auto clauses = clauses_of(model);
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("model", model.text_of("slug").value_or(""));
  json.field("id", model.text_of("id").value_or(""));
  json.field("status", model.text_of("status").value_or(""));
  json.field("routable", std::ranges::all_of(clauses, &Clause::holds));
  json.begin_array("clauses");
  for (const auto& clause : clauses) {
    json.begin_object();
    json.field("clause", clause.name);
    json.field("holds", clause.holds);
    json.field("detail", clause.detail);
    if (!clause.holds) json.field("hint", clause.hint);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace tokenrail::registry_api
