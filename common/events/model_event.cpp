// Writing registry events, and their keys.
#include "common/events/model_event.hpp"

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/events/registry_key.hpp"

namespace tokenrail::events {
namespace {

std::string_view name_of(Support support) {
  switch (support) {
    case Support::unknown:
      return "unknown";
    case Support::supported:
      return "supported";
    case Support::unsupported:
      return "unsupported";
  }
  return "unknown";
}

std::string clock_text(std::int16_t minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

/// What holds always is left out.
std::string price_text(const Price& price) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  writer.field("dimension", tokenrail::name_of(price.key.dimension));
  if (price.key.tier != ServiceTier::standard) {
    writer.field("serviceTier", tokenrail::name_of(price.key.tier));
  }
  if (price.key.min_context_tokens != 0) {
    writer.field("minContextTokens", price.key.min_context_tokens);
  }
  if (!price.key.window.whole_day()) {
    writer.field("utcFrom", clock_text(price.key.window.from_minute));
    writer.field("utcTo", clock_text(price.key.window.to_minute));
  }
  writer.field("micros", price.micros);
  writer.end_object();
  return text;
}

void field_if(JsonWriter& writer, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    writer.field(name, value);
  }
}

void field_if(JsonWriter& writer, std::string_view name, const std::optional<std::int64_t>& value) {
  if (value) {
    writer.field(name, *value);
  }
}

void write_prices(JsonWriter& writer, const ModelPrices& prices) {
  writer.begin_object("prices");
  field_if(writer, "inputMicros", prices.input_micros);
  field_if(writer, "outputMicros", prices.output_micros);
  if (!prices.others.empty()) {
    writer.begin_array("others");
    for (const auto& price : prices.others) {
      writer.raw_element(price_text(price));
    }
    writer.end_array();
  }
  if (prices.version != 0) {
    writer.field("version", prices.version);
  }
  writer.end_object();
}

void write_deployment(JsonWriter& writer, const DeploymentState& deployment) {
  writer.begin_object();
  writer.field("id", deployment.id);
  writer.field("connectionId", deployment.connection_id);
  writer.field("connectionName", deployment.connection_name);
  if (!deployment.connection_org_id.empty()) writer.field("connectionOrgId", deployment.connection_org_id);
  if (!deployment.connection_owner_user_id.empty())
    writer.field("connectionOwnerUserId", deployment.connection_owner_user_id);
  writer.field("provider", deployment.provider);
  writer.field("adapter", deployment.adapter);
  writer.field("baseUrl", deployment.base_url);
  writer.field("authType", deployment.auth_type);
  if (!deployment.auth_name.empty()) writer.field("authName", deployment.auth_name);
  if (deployment.credential_id) {
    writer.field("credentialId", *deployment.credential_id);
  }
  writer.field("credentialVersion", deployment.credential_version);
  writer.field("upstreamName", deployment.upstream_name);
  writer.field("priority", deployment.priority);
  writer.field("weight", deployment.weight);
  writer.field("enabled", deployment.enabled);
  field_if(writer, "requestsPerMinute", deployment.requests_per_minute);
  field_if(writer, "tokensPerMinute", deployment.tokens_per_minute);
  if (!deployment.parameters.empty()) {
    writer.raw_field("parameters", to_json(deployment.parameters));
  }
  if (deployment.prices) write_prices(writer, *deployment.prices);
  writer.end_object();
}

/// Fields that a record has only where they are set.
void write_additions(JsonWriter& writer, const ModelState& model) {
  if (model.inherits) {
    writer.field("inherits", true);
  }
  if (model.hidden) {
    writer.field("hidden", true);
  }
  field_if(writer, "maintenanceUntilMs", model.maintenance_until_ms);
  field_if(writer, "maintenanceReason", model.maintenance_reason);
  if (!model.tags.empty()) {
    writer.begin_array("tags");
    for (const auto& tag : model.tags) {
      writer.element(tag);
    }
    writer.end_array();
  }
  if (model.replacement) {
    writer.begin_object("replacement");
    writer.field("provider", model.replacement->provider);
    writer.field("modelName", model.replacement->name);
    writer.end_object();
  }
  if (model.quality_score) {
    writer.field("qualityScore", *model.quality_score);
  }
  if (model.scores && !model.scores->empty()) {
    writer.begin_object("scores");
    for (const auto& [metric, score] : *model.scores) {
      writer.field(metric, score);
    }
    writer.end_object();
  }
  if (model.prices != ModelPrices{}) {
    write_prices(writer, model.prices);
  }
  field_if(writer, "firstTokenMs", model.first_token_ms);
}

void write_model(JsonWriter& writer, const ModelState& model) {
  writer.begin_object("model");
  writer.field("id", model.id);
  field_if(writer, "orgId", model.org_id);
  field_if(writer, "ownerUserId", model.owner_user_id);
  writer.field("provider", model.provider);
  writer.field("modelName", model.model_name);
  writer.field("slug", model.slug);
  writer.field("kind", model.kind);
  field_if(writer, "displayName", model.display_name);
  field_if(writer, "description", model.description);
  field_if(writer, "family", model.family);
  field_if(writer, "digest", model.digest);
  writer.field("lifecycle", model.lifecycle);
  writer.field("enabled", model.enabled);
  writer.field("platformBlocked", model.platform_blocked);
  writer.field("availability", model.availability);
  field_if(writer, "missingSinceMs", model.missing_since_ms);
  writer.field("routable", model.routable);
  field_if(writer, "contextWindow", model.context_window);
  field_if(writer, "inputTokensMax", model.input_tokens_max);
  field_if(writer, "outputTokensMax", model.output_tokens_max);
  field_if(writer, "embeddingDimensions", model.embedding_dimensions);
  writer.begin_object("capabilities");
  for (const auto& [capability, support] : model.capabilities) {
    writer.field(capability, name_of(support));
  }
  writer.end_object();
  writer.field("isDefault", model.is_default);
  writer.field("version", model.version);
  writer.begin_array("deployments");
  for (const auto& deployment : model.deployments) {
    write_deployment(writer, deployment);
  }
  writer.end_array();
  write_additions(writer, model);
  writer.end_object();
}

}  // namespace

std::string model_key(const ModelState& model) {
  std::string key;
  append_key_part_or_none(key, model.org_id);
  key += '/';
  append_key_part_or_none(key, model.owner_user_id);
  key += '/';
  append_key_part(key, model.provider);
  key += '/';
  key += model.model_name;
  return key;
}

std::string to_json(const ModelUpserted& event) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", model_upserted_type);
  writer.field("key", event.key);
  writer.field("version", event.version);
  field_if(writer, "beforeVersion", event.before_version);
  writer.begin_array("changedFields");
  for (const auto& field : event.changed_fields) {
    writer.element(field);
  }
  writer.end_array();
  writer.field("cause", event.cause);
  writer.field("actor", event.actor);
  write_model(writer, event.model);
  writer.end_object();
  return out;
}

std::string to_json(const RegistryMark& mark) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", registry_mark_type);
  writer.field("version", mark.version);
  writer.field("models", mark.models);
  writer.end_object();
  return out;
}

std::string to_json(const SyncCompleted& event) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", event.status == "held" ? sync_held_type : sync_completed_type);
  writer.field("connectionId", event.connection_id);
  writer.field("connectionName", event.connection_name);
  writer.field("trigger", event.trigger);
  writer.field("status", event.status);
  writer.field("listed", event.listed);
  writer.field("added", event.added);
  writer.field("updated", event.updated);
  writer.field("unchanged", event.unchanged);
  writer.field("missing", event.missing);
  writer.field("failed", event.failed);
  if (event.held > 0) writer.field("held", event.held);
  field_if(writer, "errorClass", event.error_class);
  writer.end_object();
  return out;
}

}  // namespace tokenrail::events
