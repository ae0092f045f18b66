#include "common/providers/provider_config.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace tokenrail::providers {

Result<ProviderConfig> ProviderConfig::read(const events::ChatRequest& request, std::string_view provider,
                                            std::vector<std::string>& warnings, const Rules& rules) {
  ProviderConfig out;
  const auto config = request.provider_config.find(std::string(provider));
  if (config == request.provider_config.end()) return out;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(config->second).get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("providerConfig.{}: must be a JSON object", provider));
  }
  const auto among = [](std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  for (const auto& [key, value] : object) {
    if (among(rules.fixed, key)) {
      warnings.push_back(
          fmt::format("providerConfig.{}.{} was ignored: the request's own field says it.", provider, key));
    } else if (among(one_answer_fields, key) && simdjson::minify(value) != "1") {
      warnings.push_back(fmt::format(
          "providerConfig.{}.{} was ignored: a request has one answer, of the model that it was admitted for.",
          provider, key));
    } else if (among(rules.parts, key)) {
      simdjson::dom::object inner;
      if (value.get_object().get(inner) != simdjson::SUCCESS) {
        return fail(ErrorKind::invalid_input,
                    fmt::format("providerConfig.{}.{}: must be a JSON object", provider, key));
      }
      auto& part = out.parts_[std::string(key)];
      for (const auto& [name, one] : inner) part.insert_or_assign(std::string(name), simdjson::minify(one));
    } else {
      out.fields_.insert_or_assign(std::string(key), simdjson::minify(value));
    }
  }
  return out;
}

const ProviderConfig::Fields& ProviderConfig::part(std::string_view name) const {
  static const Fields none;
  const auto found = parts_.find(name);
  return found == parts_.end() ? none : found->second;
}

std::optional<std::string> ProviderConfig::take(std::string_view name) {
  const auto found = fields_.find(name);
  if (found == fields_.end()) return std::nullopt;
  auto value = std::move(found->second);
  fields_.erase(found);
  return value;
}

void ProviderConfig::write(events::JsonWriter& json) const {
  for (const auto& [name, value] : fields_) json.raw_field(name, value);
}

}  // namespace tokenrail::providers
