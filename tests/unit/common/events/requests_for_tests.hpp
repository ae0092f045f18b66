// Requests that several tests of this module start from.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "common/events/chat_request.hpp"

namespace tokenrail::events::tests {

/// A request with those further fields: `with("\"stream\":false")`.
inline std::string with(std::string_view fields) {
  std::string json = R"({"requestId":"r-1","orgId":"acme","messages":[{"role":"user","content":"Hi"}])";
  if (!fields.empty()) {
    json += ',';
    json += fields;
  }
  return json + '}';
}

inline std::string with_messages(std::string_view messages) {
  return R"({"requestId":"r-1","orgId":"acme","messages":)" + std::string(messages) + '}';
}

inline ChatRequest parsed(std::string_view json, const RequestLimits& limits = {}) {
  auto result = parse_chat_request(json, limits);
  if (const auto* invalid = std::get_if<InvalidRequest>(&result)) {
    ADD_FAILURE() << json.substr(0, 500) << "\n" << invalid->failure.message;
  }
  if (const auto* unanswerable = std::get_if<Unanswerable>(&result)) {
    ADD_FAILURE() << json.substr(0, 500) << "\n" << unanswerable->reason;
  }
  auto* request = std::get_if<ChatRequest>(&result);
  return request != nullptr ? std::move(*request) : ChatRequest{};
}

/// The message of the failure; empty, and a failed test, where the request was not an invalid one.
inline std::string complaint(std::string_view json, const RequestLimits& limits = {}) {
  auto result = parse_chat_request(json, limits);
  const auto* invalid = std::get_if<InvalidRequest>(&result);
  if (invalid == nullptr) {
    ADD_FAILURE() << json.substr(0, 500) << (result.index() == 0 ? " was taken" : " was unanswerable");
    return {};
  }
  EXPECT_EQ(invalid->request_id, "r-1");
  EXPECT_EQ(invalid->org_id, "acme");
  EXPECT_EQ(invalid->failure.code, ErrorCode::invalid_request);
  EXPECT_FALSE(invalid->failure.retryable);
  return invalid->failure.message;
}

/// Every field there is, most of them in their richest form.
inline constexpr std::string_view whole_request = R"({
  "requestId": "r-1", "orgId": "acme", "userId": "u-7", "modelProvider": "ollama", "modelName": "library/llama3.2:1b",
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                                 {"type": "image", "data": "iVBORw0KGgo=", "mediaType": "image/png"},
                                 {"type": "image", "url": "https://example.org/cat.png"}]},
    {"role": "assistant", "content": null, "reasoning": "Look it up.",
     "toolCalls": [{"id": "c1", "name": "look_up", "arguments": "{\"word\":\"cat\"}"}]},
    {"role": "tool", "toolCallId": "c1", "name": "look_up", "content": "An animal."}
  ],
  "temperature": 0.7, "topP": 0.9, "topK": 40, "maxTokens": 256, "stop": ["END", "\n\n"], "seed": -5, "stream": false,
  "tools": [{"name": "look_up", "description": "Looks a word up.",
             "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}}],
  "toolChoice": {"name": "look_up"},
  "responseFormat": {"type": "json_schema", "schema": {"type": "object"}},
  "reasoning": {"enabled": true, "effort": "low", "maxTokens": 100},
  "providerConfig": {"ollama": {"keep_alive": "5m", "options": {"num_ctx": 8192}}},
  "fallbacks": [{"modelProvider": "openai", "modelName": "gpt-4o-mini"}, "openrouter/meta/llama-3", "house-default"],
  "onInterrupt": "continue", "timeoutMs": 60000,
  "metadata": {"conversationId": "c-9", "messageId": "m-1", "chatProfileId": "p-1", "team": "blue"}
})";

}  // namespace tokenrail::events::tests
