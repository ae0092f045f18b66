#include "common/registry/explanation_json.hpp"

#include "common/events/json_writer.hpp"

namespace tokenrail::registry {

namespace {

void write_choice(events::JsonWriter& json, const Choice& choice) {
  json.begin_object("choice");
  json.field("reason", choice.reason);
  json.field("detail", choice.detail);
  if (!choice.asked.empty()) json.field("asked", choice.asked);
  if (!choice.alias.empty()) json.field("alias", choice.alias);
  if (!choice.variant.empty()) json.field("variant", choice.variant);
  if (!choice.view.empty()) json.field("view", choice.view);
  json.end_object();
}

void write_route(events::JsonWriter& json, const Route& route) {
  write_choice(json, route.choice);
  json.begin_array("targets");
  for (const auto& target : route.targets) {
    json.begin_object();
    json.field("model", target.model.provider + "/" + target.model.model_name);
    json.field("deploymentId", target.deployment.id);
    json.field("connection", target.deployment.connection_name);
    json.field("upstreamName", target.deployment.upstream_name);
    json.field("priority", target.deployment.priority);
    json.field("weight", target.deployment.weight);
    json.end_object();
  }
  json.end_array();
  json.begin_array("warnings");
  for (const auto& warning : route.warnings) json.element(warning);
  json.end_array();
}

void write_clause(events::JsonWriter& json, const Clause& clause) {
  json.begin_object();
  json.field("clause", name_of(clause.name));
  json.field("holds", clause.ok);
  if (!clause.scope.empty()) json.field("scope", clause.scope);
  json.field("detail", clause.detail);
  if (!clause.ok) json.field("hint", clause.advice);
  json.end_object();
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  std::string text;
  events::JsonWriter json(text);
  json.begin_object();
  json.field("usable", explanation.usable);
  if (explanation.model) {
    json.field("model", explanation.model->provider + "/" + explanation.model->name);
  } else {
    json.null_field("model");
  }
  if (explanation.route) write_route(json, *explanation.route);
  if (explanation.failure) {
    json.begin_object("failure");
    json.field("code", events::name_of(explanation.failure->code));
    json.field("message", explanation.failure->message);
    json.end_object();
  }
  json.begin_array("clauses");
  for (const auto& clause : explanation.clauses) write_clause(json, clause);
  json.end_array();
  json.end_object();
  return text;
}

}  // namespace tokenrail::registry
