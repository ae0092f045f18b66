// OpenAI's Chat Completions API (developers.openai.com, openapi.yaml) and the servers that speak it. Their differences
// are rows of chat_profile.cpp. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/openai/chat_profile.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::providers::openai {

[[nodiscard]] const Provider& provider();

/// A chat call to `url`; what the adapters of this API share.
[[nodiscard]] Result<ChatCall> chat_call(const events::ChatRequest& request, const Target& target, std::string url,
                                         const ChatProfile& profile, std::string_view adapter,
                                         const DecoderLimits& limits);
[[nodiscard]] CallFailure classify_end(const Target& target, const http::End& end, std::string_view example_url);

[[nodiscard]] http::Request list_request(const Target& target, std::string url, std::string_view page);
/// `{"data":[…]}`, a bare list, or `{"models":[…]}`.
[[nodiscard]] Result<ModelPage> parse_model_list(std::string_view body, std::string_view adapter);

[[nodiscard]] Result<http::Request> embed_request(const Embedder::Request& request, const Target& target,
                                                  std::string url, const ChatProfile& profile);
[[nodiscard]] Result<Embedder::Answer> parse_embeddings(std::string_view body);

[[nodiscard]] const Reranker& reranker();

}  // namespace tokenrail::providers::openai
