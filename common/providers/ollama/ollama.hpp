// Ollama's native API: /api/chat, /api/tags, /api/show (github.com/ollama/ollama, docs/api.md). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::ollama {

[[nodiscard]] const Provider& provider();

[[nodiscard]] http::Request list_models(const Target& target);
[[nodiscard]] Result<ModelPage> parse_model_list(std::string_view body);

[[nodiscard]] http::Request show_model(const Target& target, std::string_view model);
/// What /api/show adds to a listed model.
struct ModelDetails {
  std::vector<std::string> capabilities{};  ///< completion | tools | insert | vision | embedding | thinking | …
  bool capabilities_known = false;          ///< servers before 0.6.4 do not say
  std::optional<std::int64_t> context_length{};
  std::optional<std::int64_t> embedding_length{};
  std::string architecture{};
  std::optional<std::int64_t> parameter_count{};
};
[[nodiscard]] Result<ModelDetails> parse_model_details(std::string_view body);

}  // namespace tokenrail::providers::ollama
