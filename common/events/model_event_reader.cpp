// Reading registry events. Tolerant: what a newer writer adds is ignored, what it leaves out is the default.
#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/model_event.hpp"

namespace tokenrail::events {
namespace {

Support support_from(std::string_view text) {
  if (text == "supported") {
    return Support::supported;
  }
  if (text == "unsupported") {
    return Support::unsupported;
  }
  return Support::unknown;
}

std::string text_or(const ObjectReader& record, std::string_view name, std::string otherwise) {
  return record.text_if(name).value_or(std::move(otherwise));
}

/// A negative number is no number of this kind: what it says is unknown.
std::optional<std::int64_t> count_if(const ObjectReader& record, std::string_view name) {
  const auto number = record.integer_if(name);
  return number && *number >= 0 ? number : std::nullopt;
}

/// "16:30" as minutes of the day.
std::optional<std::int16_t> minute_if(const ObjectReader& record, std::string_view name) {
  const auto text = record.text(name);
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t at : {0U, 1U, 3U, 4U}) {
    if (digit(at) < 0 || digit(at) > 9) return std::nullopt;
  }
  const int minute = (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
  if (digit(3) > 5 || minute >= minutes_a_day) return std::nullopt;
  return static_cast<std::int16_t>(minute);
}

/// Nothing: a price of a kind that this version does not know, or one that cannot be read. Taking it for another one
/// would be wrong.
std::optional<Price> read_price(const ObjectReader& record) {
  const auto dimension = price_dimension_from(record.text("dimension"));
  const auto tier = service_tier_from(text_or(record, "serviceTier", "standard"));
  const auto micros = count_if(record, "micros");
  const auto tokens =
      record.find("minContextTokens") ? count_if(record, "minContextTokens") : std::optional<std::int64_t>(0);
  if (!dimension || !tier || !micros || *micros > price_micros_max || !tokens) return std::nullopt;
  Price price{.key = {.dimension = *dimension, .tier = *tier, .min_context_tokens = *tokens}, .micros = *micros};
  if (record.find("utcFrom") || record.find("utcTo")) {
    const auto from = minute_if(record, "utcFrom");
    const auto to = minute_if(record, "utcTo");
    if (!from || !to) return std::nullopt;
    price.key.window = {.from_minute = *from, .to_minute = *to};
  }
  return price;
}

ModelPrices read_prices(const ObjectReader& record) {
  ModelPrices prices{.input_micros = count_if(record, "inputMicros"),
                     .output_micros = count_if(record, "outputMicros")};
  prices.version = count_if(record, "version").value_or(0);
  const auto element = record.find("others");
  if (!element || !element->is_array()) return prices;
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    const ObjectReader reader(entry);
    if (!reader.is_object()) continue;
    if (auto price = read_price(reader)) prices.others.push_back(*price);
  }
  return prices;
}

DeploymentState read_deployment(const ObjectReader& record) {
  DeploymentState deployment{.id = record.text("id"),
                             .connection_id = record.text("connectionId"),
                             .connection_name = record.text("connectionName"),
                             .connection_org_id = record.text("connectionOrgId"),
                             .connection_owner_user_id = record.text("connectionOwnerUserId"),
                             .provider = record.text("provider"),
                             .adapter = record.text("adapter"),
                             .base_url = record.text("baseUrl"),
                             .auth_type = text_or(record, "authType", "none"),
                             .auth_name = record.text("authName"),
                             .credential_id = record.text_if("credentialId"),
                             .credential_version = record.integer("credentialVersion"),
                             .upstream_name = record.text("upstreamName"),
                             .priority = record.integer("priority"),
                             .weight = record.integer("weight", 1),
                             .enabled = record.flag("enabled", true),
                             .requests_per_minute = record.integer_if("requestsPerMinute"),
                             .tokens_per_minute = record.integer_if("tokensPerMinute")};
  if (const auto element = record.find("parameters"); element && !element->is_null()) {
    deployment.parameters = read_call_defaults(simdjson::minify(*element), deployment.invalid_parameters);
  }
  if (const auto element = record.find("prices"); element && element->is_object()) {
    deployment.prices = read_prices(ObjectReader(*element));
  }
  return deployment;
}

/// Nothing where it is no number from 0 to 1.
std::optional<double> score_of(simdjson::dom::element element) {
  const auto score = number_of(element);
  return score && *score >= 0 && *score <= 1 ? score : std::nullopt;
}

void read_additions(const ObjectReader& record, ModelState& model) {
  model.inherits = record.flag("inherits");
  model.hidden = record.flag("hidden");
  model.maintenance_until_ms = count_if(record, "maintenanceUntilMs");
  model.maintenance_reason = record.text("maintenanceReason");
  if (const auto element = record.find("tags"); element && element->is_array()) {
    for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
      if (const auto text = string_of(entry)) {
        model.tags.emplace_back(*text);
      }
    }
  }
  if (const auto element = record.find("replacement"); element && element->is_object()) {
    const ObjectReader reader(*element);
    ModelName name{.provider = reader.text("provider"), .name = reader.text("modelName")};
    if (!name.provider.empty() && !name.name.empty()) {
      model.replacement = std::move(name);
    }
  }
  if (const auto element = record.find("qualityScore")) {
    model.quality_score = score_of(*element);
  }
  if (const auto element = record.find("scores"); element && element->is_object()) {
    std::map<std::string, double> scores;
    for (const auto member : simdjson::dom::object(element->get_object().value_unsafe())) {
      if (const auto score = score_of(member.value); score && !member.key.empty()) {
        scores.emplace(member.key, *score);
      }
    }
    if (!scores.empty()) {
      model.scores = std::move(scores);
    }
  }
  if (const auto element = record.find("prices"); element && element->is_object()) {
    model.prices = read_prices(ObjectReader(*element));
  }
  model.first_token_ms = count_if(record, "firstTokenMs");
}

ModelState read_model(const ObjectReader& record) {
  ModelState model{.id = record.text("id"),
                   .org_id = record.text("orgId"),
                   .owner_user_id = record.text("ownerUserId"),
                   .provider = record.text("provider"),
                   .model_name = record.text("modelName"),
                   .slug = record.text("slug"),
                   .kind = text_or(record, "kind", "generation"),
                   .display_name = record.text("displayName"),
                   .description = record.text("description"),
                   .family = record.text("family"),
                   .digest = record.text("digest"),
                   .lifecycle = text_or(record, "lifecycle", "active"),
                   .enabled = record.flag("enabled", true),
                   .platform_blocked = record.flag("platformBlocked"),
                   .availability = text_or(record, "availability", "listed"),
                   .missing_since_ms = record.integer_if("missingSinceMs"),
                   .routable = record.flag("routable", true),
                   .context_window = record.integer_if("contextWindow"),
                   .input_tokens_max = record.integer_if("inputTokensMax"),
                   .output_tokens_max = record.integer_if("outputTokensMax"),
                   .embedding_dimensions = record.integer_if("embeddingDimensions"),
                   .capabilities = {},
                   .is_default = record.flag("isDefault"),
                   .version = record.integer("version"),
                   .deployments = {}};
  if (const auto element = record.find("capabilities"); element && element->is_object()) {
    for (const auto field : simdjson::dom::object(element->get_object().value_unsafe())) {
      if (const auto text = string_of(field.value)) {
        model.capabilities[std::string(field.key)] = support_from(*text);
      }
    }
  }
  if (const auto element = record.find("deployments"); element && element->is_array()) {
    for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
      const ObjectReader reader(entry);
      if (reader.is_object()) {
        model.deployments.push_back(read_deployment(reader));
      }
    }
  }
  read_additions(record, model);
  return model;
}

std::unexpected<Error> lacks(std::string_view what, std::string_view field) {
  return fail(ErrorKind::invalid_input, fmt::format("{} has no usable {}", what, field));
}

/// A record of another type under a key that was meant for this one must not be taken for it. A type that is missing is
/// forgiven.
bool other_type(const ObjectReader& record, std::string_view type) {
  const auto found = record.find("type");
  return found && string_of(*found) != type;
}

}  // namespace

Result<ModelUpserted> parse_model_upserted(std::string_view value) {
  constexpr std::string_view what = "the model_registry.upserted event";
  const JsonDocument document(value);
  const auto read = read_object(document, what);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& record = *read;
  if (other_type(record, model_upserted_type)) {
    return lacks(what, "type");
  }
  const auto version = record.integer_if("version");
  if (!version) {
    return lacks(what, "version");
  }
  const auto model = record.find("model");
  if (!model || !model->is_object()) {
    return lacks(what, "model");
  }

  ModelUpserted event{.key = record.text("key"),
                      .version = *version,
                      .before_version = record.integer_if("beforeVersion"),
                      .changed_fields = {},
                      .cause = record.text("cause"),
                      .actor = record.text("actor"),
                      .model = read_model(ObjectReader(*model))};
  if (event.model.provider.empty()) {
    return lacks(what, "model.provider");
  }
  if (event.model.model_name.empty()) {
    return lacks(what, "model.modelName");
  }
  if (event.model.version == 0) {
    event.model.version = *version;
  }
  if (event.key.empty()) {
    event.key = model_key(event.model);
  }
  if (const auto element = record.find("changedFields"); element && element->is_array()) {
    for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
      if (const auto text = string_of(entry)) {
        event.changed_fields.emplace_back(*text);
      }
    }
  }
  return event;
}

std::vector<std::string> invalid_parameters(const ModelState& model) {
  std::vector<std::string> texts;
  for (const auto& deployment : model.deployments) {
    for (const auto& invalid : deployment.invalid_parameters) {
      texts.push_back(fmt::format("{}/{}: a default parameter of deployment {} on connection {} is not used: {}.",
                                  model.provider, model.model_name, deployment.id, deployment.connection_name,
                                  to_text(invalid)));
    }
  }
  return texts;
}

Result<RegistryMark> parse_registry_mark(std::string_view value) {
  constexpr std::string_view what = "the registry mark";
  const JsonDocument document(value);
  const auto read = read_object(document, what);
  if (!read) {
    return std::unexpected(read.error());
  }
  if (other_type(*read, registry_mark_type)) {
    return lacks(what, "type");
  }
  const auto version = read->integer_if("version");
  if (!version) {
    return lacks(what, "version");
  }
  return RegistryMark{.version = *version, .models = read->integer("models")};
}

}  // namespace tokenrail::events
