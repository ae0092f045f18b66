// The Gemini API (generativelanguage.googleapis.com), and the same format on Vertex AI. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::gemini {

[[nodiscard]] const Provider& provider();

/// Whether the base URL belongs to Vertex AI, where paths and some methods differ.
[[nodiscard]] bool is_vertex(std::string_view base_url);

/// The URL of a method of a model, such as "generateContent". A base URL without a path gets the API's version; one of
/// Vertex AI that ends in a location gets Google as the publisher.
[[nodiscard]] std::string method_url(const Target& target, std::string_view method);

/// The resource name of a model: "models/gemini-2.5-pro" for "gemini-2.5-pro". Names that have a collection are taken
/// as they are.
[[nodiscard]] std::string resource_name(std::string_view upstream_name);

/// The list of models, with the capabilities that follow from their methods.
[[nodiscard]] const ModelLister& lister();
/// :batchEmbedContents. Not on Vertex AI.
[[nodiscard]] const Embedder& embedder();

}  // namespace tokenrail::providers::gemini
