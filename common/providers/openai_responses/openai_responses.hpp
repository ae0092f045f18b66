// OpenAI's Responses API, POST /v1/responses, as OpenAI, Azure, LM Studio, vLLM, llama.cpp and others offer it. Used
// without state at the provider: nothing is stored there, and encrypted reasoning travels with the conversation. Pure.
#pragma once

#include "common/providers/provider.hpp"

namespace tokenrail::providers::openai_responses {

[[nodiscard]] const Provider& provider();

}  // namespace tokenrail::providers::openai_responses
