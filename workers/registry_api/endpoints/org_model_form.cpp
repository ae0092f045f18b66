#include <algorithm>
#include <string_view>
#include <utility>

#include "workers/registry_api/endpoints/org_models.hpp"
#include "workers/registry_api/endpoints/price_form.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::int64_t thousand = 1'000;

Json copy_of(const Json& object, std::string_view name) {
  const auto* member = object.find(name);
  return member == nullptr ? Json() : *member;
}

Json text_or_null(const Json& object, std::string_view name) {
  auto text = object.text_of(name).value_or("");
  return text.empty() ? Json() : Json(std::move(text));
}

Json supported_capabilities(const Json& model) {
  Json::Array names;
  const auto* capabilities = model.find("capabilities");
  if (capabilities != nullptr && capabilities->object() != nullptr) {
    for (const auto& capability : *capabilities->object())
      if (capability.value.text() != nullptr && *capability.value.text() == "supported")
        names.emplace_back(capability.name);
  }
  return Json(std::move(names));
}

/// Dollars per million as micro-dollars per thousand. A number may lose digits; an exact one is in /v1.
Json micros_per_thousand(const Json& model, std::string_view dimension) {
  const auto* prices = model.find("prices");
  const auto text = prices == nullptr ? std::nullopt : prices->text_of(dimension);
  const auto micros_per_million = text ? registry::micros_from(*text) : Result<std::int64_t>(0);
  if (!text || !micros_per_million) return {};
  if (*micros_per_million % thousand == 0) return Json(*micros_per_million / thousand);
  return Json(static_cast<double>(*micros_per_million) / static_cast<double>(thousand));
}

bool is_plain(const PriceKey& key, PriceDimension dimension) {
  return key == PriceKey{.dimension = dimension};
}

}  // namespace

Json org_model_of(const Json& model) {
  const bool global = model.text_of("scope") == "platform";
  return Json(Json::Object{
      {"id", copy_of(model, "id")},
      {"orgId", global ? Json() : copy_of(model, "orgId")},
      {"provider", copy_of(model, "provider")},
      {"modelName", copy_of(model, "modelName")},
      {"displayName",
       text_or_null(model, "displayName").is_null() ? copy_of(model, "modelName") : copy_of(model, "displayName")},
      {"description", text_or_null(model, "description")},
      {"isEnabled", Json(model.boolean_of("enabled").value_or(false))},
      {"isDefault", Json(model.boolean_of("isDefault").value_or(false))},
      {"capabilities", supported_capabilities(model)},
      {"contextWindow", copy_of(model, "contextWindow")},
      {"maxOutputTokens", copy_of(model, "outputTokensMax")},
      {"inputPriceMicros", micros_per_thousand(model, "input")},
      {"outputPriceMicros", micros_per_thousand(model, "output")},
      {"metadata", copy_of(model, "metadata")},
      {"scope", Json(std::string(global ? "global" : "org"))},
  });
}

void append_org_models(std::string& list, const std::vector<registry::Document>& models) {
  for (const auto& document : models) {
    const auto model = parse_document(document.json);
    if (!model) continue;
    if (!list.empty()) list += ',';
    list += org_model_of(*model).write();
  }
}

Json patch_from_org_model(const Json& body, bool first) {
  Json::Object patch{{"displayName", copy_of(body, "displayName")}, {"description", copy_of(body, "description")}};
  constexpr std::pair<std::string_view, std::string_view> same[]{{"isEnabled", "enabled"},
                                                                 {"contextWindow", "contextWindow"},
                                                                 {"maxOutputTokens", "outputTokensMax"},
                                                                 {"metadata", "metadata"}};
  for (const auto& [from, to] : same)
    if (const auto* given = body.find(from)) patch.push_back({std::string(to), *given});
  if (first && body.find("isEnabled") == nullptr) patch.push_back({"enabled", Json(true)});
  if (body.find("capabilities") != nullptr) {
    Json::Object capabilities;
    for (auto& name : body.texts_of("capabilities"))
      if (std::ranges::find(capabilities, name, &JsonMember::name) == capabilities.end())
        capabilities.push_back({std::move(name), Json(std::string("supported"))});
    patch.push_back({"capabilities", Json(std::move(capabilities))});
  }
  return Json(std::move(patch));
}

std::optional<std::vector<Price>> prices_from_org_model(const Json& body, const Json& own) {
  const std::pair<PriceDimension, std::optional<std::int64_t>> given[]{
      {PriceDimension::input, body.integer_of("inputPriceMicros")},
      {PriceDimension::output, body.integer_of("outputPriceMicros")}};
  if (std::ranges::none_of(given, [](const auto& price) { return price.second.has_value(); })) return std::nullopt;
  std::vector<Price> prices;
  if (const auto* list = own.array()) {
    for (const auto& item : *list)
      if (const auto price = price_of(item, prices.size())) prices.push_back(*price);
  }
  for (const auto& [dimension, micros] : given) {
    if (!micros) continue;
    std::erase_if(prices, [&](const Price& price) { return is_plain(price.key, dimension); });
    prices.push_back({.key = {.dimension = dimension}, .micros = *micros * thousand});
  }
  return prices;
}

}  // namespace tokenrail::registry_api
