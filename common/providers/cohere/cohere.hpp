// Cohere's API, version 2: chat, embed and rerank, and the list of models of version 1. Pure.
#pragma once

#include "common/providers/provider.hpp"

namespace tokenrail::providers::cohere {

[[nodiscard]] const Provider& provider();

}  // namespace tokenrail::providers::cohere
