// Bodies about models: what people set, what is shown, and which one a request gets.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "workers/registry_api/endpoints/schema_parts.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api::schemas {

namespace {

/// Of a deployment, in a minute. Readers that leave it out, such as older pages, do not remove it.
Schema limit(std::string_view what) {
  return described(nullable(integer(1, count_max)),
                   fmt::format("How many {} a minute each router sends here before it tries other deployments first. "
                               "Left out, a deployment that is there keeps its limit; null: none.",
                               what));
}

const Schema& deployment_input() {
  static const auto schema =
      object("DeploymentInput", {
                                    required("connectionId", described(text(1, 255), "Id or name.")),
                                    optional("upstreamName", text(1, 255)),
                                    optional("priority", integer(-1'000'000, 1'000'000)),
                                    optional("weight", integer(0, 1'000'000)),
                                    optional("enabled", boolean()),
                                    optional("params", any_object()),
                                    optional("requestsPerMinute", limit("requests")),
                                    optional("tokensPerMinute", limit("tokens")),
                                });
  return schema;
}

/// `patch`: null removes a parameter.
Schema model_params(bool patch) {
  constexpr std::int64_t int_max = 2'147'483'647;
  const auto parameter = [&](std::string name, Schema schema, std::string description = {}) {
    if (patch) schema.nullable = true;
    return optional(std::move(name), described(std::move(schema), std::move(description)));
  };
  return described(
      object(
          "",
          {parameter("temperature", number(0, 2)), parameter("topP", number(0, 1)),
           parameter("topK", integer(1, int_max)), parameter("maxTokens", integer(1, int_max)),
           parameter("stop", {}, "A text, or a list of texts."), parameter("numCtx", integer(1, int_max), "Of Ollama."),
           parameter("keepAlive", {}, "Of Ollama: seconds, or a duration such as 10m."),
           parameter("providerConfig", any_object(), "Fields of the provider's own API."),
           parameter("normalize", boolean(), "Of embeddings: whether vectors have the length 1."),
           parameter("distanceMetric", choice({"cosine", "dot", "l2"}), "Of embeddings: how vectors are compared."),
           parameter("batchSize", integer(1, 1'000'000), "Of embeddings: the most texts in a request.")}),
      "Default parameters of calls: a request's own count first, then those of its deployment, then these. Those of "
      "embeddings are for readers of vectors; no call uses them.");
}

Schema support() {
  return choice({"supported", "unsupported", "unknown"});
}

/// What a person may set of a model. `support`: what a capability may be. `patch`: null gives back what may be given
/// back.
std::vector<Property> model_fields(const Schema& support, bool patch = false) {
  return {
      optional("enabled", boolean()),
      optional("blocked", boolean()),
      optional("hidden", boolean()),
      optional("displayName", text(0, 255)),
      optional("description", text(0, 4096)),
      optional("family", text(0, 255)),
      optional("license", text(0, 255)),
      optional("kind", model_kind()),
      optional("lifecycle", choice({"preview", "active", "deprecated", "retired"})),
      optional("deprecatesAt", date_time()),
      optional("retiresAt", date_time()),
      optional("replacementId", uuid()),
      optional("maintenanceUntil", date_time()),
      optional("maintenanceReason", text(0, 1024)),
      optional("contextWindow", integer(1, count_max)),
      optional("inputTokensMax", integer(1, count_max)),
      optional("outputTokensMax", integer(1, count_max)),
      optional("embeddingDimensions", integer(1, count_max)),
      optional("capabilities", map_of(support, 64)),
      optional("tags", list_of(text(1, 64), 64)),
      optional("metadata", any_object()),
      optional("params", model_params(patch)),
      optional("deployments", list_of(deployment_input(), 64)),
  };
}

Schema with(std::string name, std::vector<Property> first, std::vector<Property> rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return object(std::move(name), std::move(first));
}

}  // namespace

// ---- of requests

const Schema& model_input() {
  static const auto schema =
      with("ModelInput",
           {required("provider", text(1, 63)), required("modelName", text(1, 255)), optional("slug", text(1, 512))},
           model_fields(support()));
  return schema;
}

const Schema& model_replacement() {
  static const auto schema =
      with("ModelReplacement",
           {optional("provider", text(1, 63)), optional("modelName", text(1, 255)), optional("slug", text(1, 512))},
           model_fields(support()));
  return schema;
}

const Schema& model_patch() {
  static const auto schema = patch_of(object("", model_fields(nullable(support()), true)), "ModelPatch");
  return schema;
}

const Schema& org_model_input() {
  // Open: what it does not know, that API leaves out without a word.
  static const auto schema = open_object(
      "OrgModelInput",
      {required("provider", text(1, 63)), required("modelName", text(1, 255)), required("displayName", text(1, 255)),
       optional("description", text(0, 4096)), optional("isEnabled", boolean()), optional("isDefault", boolean()),
       optional("capabilities", list_of(text(1, 64), 64)), optional("contextWindow", integer(1, count_max)),
       optional("maxOutputTokens", integer(1, count_max)), optional("inputPriceMicros", integer(0, count_max)),
       optional("outputPriceMicros", integer(0, count_max)), optional("metadata", any_object())});
  return schema;
}

const Schema& model_batch_input() {
  static const auto change =
      object("ModelChange", {required("model", model_name()), required("patch", model_patch()),
                             optional("version", described(integer(1), "The version that the change is meant for."))});
  static const auto schema =
      object("ModelBatchInput",
             {required("changes", list_of(change, 500, 1)),
              optional("atomic", described(boolean(),
                                           "true: all changes are made or none. The reply is then the problem of the "
                                           "first change that is refused, with a pointer to it."))});
  return schema;
}

const Schema& rollback_input() {
  static const auto schema =
      object("RollbackInput", {required("version", described(integer(1), "Of a revision of this model."))});
  return schema;
}

const Schema& dependent_input() {
  static const auto schema = object(
      "DependentInput", {required("refType", choice({"profile", "knowledge_base", "conversation", "view", "other"})),
                         required("refId", text(1, 256)), optional("label", text(0, 255))});
  return schema;
}

const Schema& resolution_input() {
  // The fields of a chat request but for its ids; the values of the others are checked as routers check them.
  static const auto schema = [] {
    std::vector<Property> properties{optional("modelProvider", text(1, 255)),
                                     optional("modelName", described(text(1, 255), "A model, an alias, or auto.")),
                                     optional("userId", text(1, 256)), optional("groups", list_of(text(1, 256), 256))};
    for (const auto* name : {"auto", "messages", "temperature", "topP", "topK", "maxTokens", "stop", "seed", "stream",
                             "tools", "toolChoice", "responseFormat", "reasoning", "providerConfig", "fallbacks",
                             "onInterrupt", "timeoutMs", "metadata"})
      properties.push_back(optional(name, Schema{}));
    return object("ResolutionInput", std::move(properties));
  }();
  return schema;
}

// ---- of replies

const Schema& model() {
  static const auto amount = described(any_text(), "US dollars per million tokens, as a decimal text.");
  static const auto prices =
      described(open_object("ModelPrices", {optional("input", amount), optional("output", amount)}),
                "Now, on the standard tier. null: no price is known.");
  static const auto schema = reply_object(
      "Model",
      {required("id", any_text()),
       version(),
       required("enabled", boolean()),
       optional("hidden", boolean()),
       optional("blocked", boolean()),
       optional("isDefault", boolean()),
       optional("contextWindow", nullable(integer())),
       optional("outputTokensMax", nullable(integer())),
       optional("capabilities", any_object()),
       optional("metadata", any_object()),
       optional("params", described(any_object(), "As in ModelInput, of the row whose deployments serve the model.")),
       optional("sources", described(any_object(),
                                     "Where a field's value comes from: organization, override (a person), "
                                     "provider, curated or inferred. Capabilities as capabilities.NAME.")),
       optional("origins", described(any_object(), "Of a curated field the catalogue, of an inferred one the rule.")),
       optional("prices", nullable(prices)),
       optional("inherits", described(boolean(), "enabled is the platform's.")),
       optional("inputTokensMax", nullable(integer())),
       optional("embeddingDimensions", nullable(integer())),
       optional("openWeights", nullable(boolean())),
       optional("tags", list_of(any_text(), 1000)),
       optional("deployments", list_of(any_object(), 1000)),
       optional("curated", any_object()),
       optional("inferred", any_object())},
      {"scope",
       "orgId",
       "platformId",
       "ownId",
       "provider",
       "modelName",
       "slug",
       "kind",
       "displayName",
       "description",
       "family",
       "license",
       "digest",
       "releaseDate",
       "knowledgeCutoff",
       "status",
       "blockedBy",
       "lifecycle",
       "deprecatesAt",
       "retiresAt",
       "replacementId",
       "maintenanceUntil",
       "maintenanceReason",
       "availability",
       "missingSince",
       "createdAt",
       "updatedAt"});
  return schema;
}

const Schema& org_model() {
  static const auto schema =
      reply_object("OrgModel",
                   {required("id", any_text()), required("isEnabled", boolean()), required("isDefault", boolean()),
                    required("capabilities", list_of(any_text(), 1000))},
                   {"orgId", "provider", "modelName", "displayName", "description", "scope"});
  return schema;
}

const Schema& model_batch() {
  static const auto result =
      open_object("ModelChangeResult", {required("model", any_text()), required("status", integer(200, 599)),
                                        optional("version", integer()), optional("problem", any_object())});
  static const auto schema = open_object("ModelBatch", {required("results", list_of(result, 500))});
  return schema;
}

const Schema& revision() {
  static const auto schema =
      reply_object("Revision", {version(), optional("model", any_object())}, {"scope", "cause", "actor", "at"});
  return schema;
}

const Schema& difference() {
  static const auto change = open_object("FieldChange", {required("field", described(any_text(), "JSON Pointer."))});
  static const auto schema = open_object("Difference", {required("from", integer(0)), required("to", integer(0)),
                                                        required("changes", list_of(change, 10'000))});
  return schema;
}

const Schema& dependent() {
  static const auto schema = reply_object("Dependent", {}, {"refType", "refId", "label"});
  return schema;
}

const Schema& explanation() {
  static const auto clause = reply_object("Clause", {required("clause", any_text()), required("holds", boolean())},
                                          {"scope", "detail", "hint"});
  static const auto schema =
      open_object("Explanation", {required("usable", boolean()), required("model", nullable(any_text())),
                                  optional("choice", any_object()), optional("targets", list_of(any_object(), 10'000)),
                                  optional("warnings", list_of(any_text(), 10'000)), optional("failure", any_object()),
                                  required("clauses", list_of(clause, 100))});
  return schema;
}

const Schema& statistics() {
  static const auto schema = open_object("Statistics", {required("models", integer(0))});
  return schema;
}

const Schema& usable_models() {
  static const auto item =
      open_object("UsableModel", {required("id", any_text()), required("object", any_text()),
                                  required("created", integer(0)), required("owned_by", any_text())});
  static const auto schema =
      open_object("UsableModels", {required("object", any_text()), required("data", list_of(item, 1'000'000))});
  return schema;
}

}  // namespace tokenrail::registry_api::schemas
