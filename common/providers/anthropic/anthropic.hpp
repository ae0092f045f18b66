// Anthropic's Messages API: /v1/messages and /v1/models, and servers that speak the same. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::anthropic {

[[nodiscard]] const Provider& provider();

/// Where `path` ("/messages") is. Base URLs of this API have no version, so "/v1" is added unless the URL ends in it.
[[nodiscard]] std::string url_of(std::string_view base_url, std::string_view path);

[[nodiscard]] http::Request list_models(const Target& target, std::string_view page);
[[nodiscard]] Result<ModelPage> parse_model_list(std::string_view body);

}  // namespace tokenrail::providers::anthropic
