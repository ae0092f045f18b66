// Ollama's native API: /api/chat, /api/embed, /api/tags, /api/show, /api/version (github.com/ollama/ollama,
// docs/api.md). Pure.
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

[[nodiscard]] http::Request ask_version(const Target& target);
[[nodiscard]] std::string parse_version(std::string_view body);

[[nodiscard]] http::Request show_model(const Target& target, std::string_view model);
[[nodiscard]] Result<ModelDetails> parse_model_details(std::string_view body);

[[nodiscard]] Result<http::Request> embed_texts(const Embedder::Request& request, const Target& target);
[[nodiscard]] Result<Embedder::Answer> parse_embeddings(std::string_view body);

/// Capabilities are `completion`, `tools`, `insert`, `vision`, `embedding`, `thinking`, …; servers before 0.6.4 do not
/// say. Where Ollama names them, those that it leaves out are not supported.
[[nodiscard]] ModelFacts model_facts(const ListedModel& listed, const ModelDetails* details);

}  // namespace tokenrail::providers::ollama
