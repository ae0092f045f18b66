#include "common/providers/provider_config.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace tokenrail::providers {

Result<ProviderConfig> ProviderConfig::read(const events::ChatRequest& request, std::string_view provider,
                                            std::vector<std::string>& warnings) {
  ProviderConfig out;
  const auto config = request.provider_config.find(std::string(provider));
  if (config == request.provider_config.end()) return out;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(config->second).get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("providerConfig.{}: must be a JSON object", provider));
  }
  for (const auto& [key, value] : object) {
    if (key == "model" || key == "messages" || key == "stream" || key == "tools") {
      warnings.push_back(
          fmt::format("providerConfig.{}.{} was ignored: the request's own field says it.", provider, key));
    } else {
      out.fields_.insert_or_assign(std::string(key), simdjson::minify(value));
    }
  }
  return out;
}

void ProviderConfig::write(events::JsonWriter& json) const {
  for (const auto& [name, value] : fields_) json.raw_field(name, value);
}

}  // namespace tokenrail::providers
