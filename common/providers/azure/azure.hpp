// Azure OpenAI: OpenAI's API behind other addresses. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::azure {

[[nodiscard]] const Provider& provider();

/// How a resource is addressed; its base URL decides.
enum class Surface {
  v1,       ///< /openai/v1/chat/completions; the model is the deployment. No api-version is needed.
  classic,  ///< /openai/deployments/{deployment}/chat/completions?api-version=…
  models,   ///< /models/chat/completions?api-version=…, models of other makers
};
struct Address {
  Surface surface = Surface::v1;
  std::string api_version{};  ///< empty: none
  std::string url{};
};

/// `path` ("/chat/completions") at the resource of that base URL. A base URL that has a query with `api-version`, or a
/// path to deployments, is classic; one that ends in /models is that; every other is v1.
[[nodiscard]] Address address_of(std::string_view base_url, std::string_view deployment, std::string_view path);

}  // namespace tokenrail::providers::azure
