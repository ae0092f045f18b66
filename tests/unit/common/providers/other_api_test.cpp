#include "common/providers/other_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(OtherApi, IsRecognisedByItsFields) {
  struct Case {
    const char* bytes;
    const char* api;
  };
  for (const auto& row : {
           Case{R"({"id":"c-1","object":"chat.completion","model":"m","choices":[{"index":0}]})", "OpenAI-compatible"},
           Case{R"({"object":"chat.completion.chunk","choices":[]})", "OpenAI-compatible"},
           Case{R"({"object":"list","data":[{"id":"m"}]})", "OpenAI-compatible"},
           Case{"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}", "OpenAI-compatible"},
           Case{"data:{\"choices\":[{\"delta\":{\"content\":\"\\ud83d\"}}]}\r\n\r\n", "OpenAI-compatible"},
           Case{": waiting\n\ndata: {\"choices\":[]}\n\n", "OpenAI-compatible"},
           Case{": waiting", "server-sent events"},
           Case{"data: [DONE]", "server-sent events"},
           Case{"id: 7", "server-sent events"},
           Case{"retry: 3000", "server-sent events"},
           Case{R"({"object":"response","output":[]})", "Responses API"},
           Case{"event: response.created", "Responses API"},
           Case{R"({"type":"message","role":"assistant","content":[]})", "Anthropic"},
           Case{"event: message_start", "Anthropic"},
           Case{"data: {\"type\":\"content_block_delta\"}", "Anthropic"},
           Case{"event: ping", "Anthropic"},
           Case{R"({"candidates":[{"content":{"parts":[]}}]})", "Gemini"},
           Case{R"([{"candidates":[]}])", "Gemini"},
           Case{"data: {\"usageMetadata\": {}}", "Gemini"},
           Case{"event: message-start", "Cohere"},
           Case{R"([{"generated_text":"x"}])", "text-generation-inference"},
           Case{R"({"response":"The","done":false})", "/api/generate"},
           Case{" \n<!DOCTYPE html><html>", "a web page"},
           Case{"\xEF\xBB\xBF<html>", "a web page"},
       }) {
    EXPECT_THAT(api_that_sends(row.bytes), HasSubstr(row.api)) << row.bytes;
  }
}

TEST(OtherApi, UnknownBodyHasNoName) {
  for (const auto* bytes :
       {"", " \n", "{}", "[]", "[1]", "7", "text", "not\ndata: {}", "{\"choices\":", "{\"choices\":null}",
        R"({"message":{"content":"x"},"done":false})", R"({"type":"other"})", R"({"object":7})"}) {
    EXPECT_THAT(api_that_sends(bytes), IsEmpty()) << bytes;
    EXPECT_THAT(other_api_text(bytes, "ollama"), IsEmpty()) << bytes;
  }
}

TEST(OtherApi, TextNamesTheAdapterAndTheRemedy) {
  const auto text = other_api_text(R"({"choices":[]})", "ollama");
  EXPECT_THAT(text, HasSubstr("looks like an OpenAI-compatible server"));
  EXPECT_THAT(text, HasSubstr("adapter is ollama"));
  EXPECT_THAT(text, HasSubstr("base URL"));
}

}  // namespace
}  // namespace tokenrail::providers
