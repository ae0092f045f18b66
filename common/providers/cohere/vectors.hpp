// Cohere's /v2/embed and /v2/rerank. Private to this folder.
#pragma once

#include "common/providers/provider.hpp"

namespace tokenrail::providers::cohere {

[[nodiscard]] const Embedder& embedder();
[[nodiscard]] const Reranker& reranker();

}  // namespace tokenrail::providers::cohere
