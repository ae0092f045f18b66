#include "common/events/chat_request.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "tests/unit/common/events/requests_for_tests.hpp"

namespace tokenrail::events {
namespace {

using tests::parsed;
using tests::with;
using tests::with_messages;

TEST(ChatRequest, TheLeastIsIdsAndOneMessage) {
  const auto request = parsed(with(""));
  EXPECT_EQ(request.request_id, "r-1");
  EXPECT_EQ(request.org_id, "acme");
  EXPECT_TRUE(request.stream);
  EXPECT_FALSE(request.model.has_value());
  EXPECT_FALSE(request.timeout.has_value());
  EXPECT_EQ(request.on_interrupt, OnInterrupt::error);
  ASSERT_EQ(request.messages.size(), 1U);
  EXPECT_EQ(request.messages[0].role, Role::user);
  ASSERT_EQ(request.messages[0].content.size(), 1U);
  EXPECT_EQ(request.messages[0].content[0].text, "Hi");
  EXPECT_EQ(request.unknown_fields, 0U);
  EXPECT_EQ(request.value_bytes, with("").size());
}

TEST(ChatRequest, ReadsEveryField) {
  const auto request = parsed(tests::whole_request);
  EXPECT_EQ(request.unknown_fields, 0U);
  EXPECT_EQ(request.user_id, "u-7");
  ASSERT_TRUE(request.model.has_value());
  EXPECT_EQ(request.model->provider, "ollama");
  EXPECT_EQ(request.model->name, "library/llama3.2:1b");
  ASSERT_EQ(request.messages.size(), 4U);
  const auto& parts = request.messages[1].content;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[1].data, "iVBORw0KGgo=");
  EXPECT_EQ(parts[1].media_type, "image/png");
  EXPECT_EQ(parts[2].url, "https://example.org/cat.png");
  EXPECT_TRUE(request.messages[2].content.empty());
  EXPECT_EQ(request.messages[2].reasoning, "Look it up.");
  ASSERT_EQ(request.messages[2].tool_calls.size(), 1U);
  EXPECT_EQ(request.messages[2].tool_calls[0].arguments, R"({"word":"cat"})");
  EXPECT_EQ(request.messages[3].tool_call_id, "c1");
  EXPECT_EQ(request.messages[3].name, "look_up");
  EXPECT_EQ(request.temperature, 0.7);
  EXPECT_EQ(request.top_p, 0.9);
  EXPECT_EQ(request.top_k, 40);
  EXPECT_EQ(request.tokens_max, 256);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"END", "\n\n"}));
  EXPECT_EQ(request.seed, -5);
  EXPECT_FALSE(request.stream);
  ASSERT_EQ(request.tools.size(), 1U);
  EXPECT_EQ(request.tools[0].parameters, R"({"type":"object","properties":{"word":{"type":"string"}}})");
  ASSERT_TRUE(request.tool_choice.has_value());
  EXPECT_EQ(request.tool_choice->mode, ToolChoice::Mode::named);
  EXPECT_EQ(request.tool_choice->name, "look_up");
  ASSERT_TRUE(request.response_format.has_value());
  EXPECT_EQ(request.response_format->kind, ResponseFormat::Kind::json_schema);
  EXPECT_EQ(request.response_format->schema, R"({"type":"object"})");
  ASSERT_TRUE(request.reasoning.has_value());
  EXPECT_EQ(request.reasoning->enabled, true);
  EXPECT_EQ(request.reasoning->effort, "low");
  EXPECT_EQ(request.reasoning->tokens_max, 100);
  EXPECT_EQ(request.provider_config.at("ollama"), R"({"keep_alive":"5m","options":{"num_ctx":8192}})");
  ASSERT_EQ(request.fallbacks.size(), 3U);
  EXPECT_EQ(request.fallbacks[0].provider, "openai");
  EXPECT_EQ(request.fallbacks[1].provider, "openrouter");
  EXPECT_EQ(request.fallbacks[1].name, "meta/llama-3");
  EXPECT_EQ(request.fallbacks[2].provider, "");
  EXPECT_EQ(request.fallbacks[2].name, "house-default");
  EXPECT_EQ(request.on_interrupt, OnInterrupt::resume);
  EXPECT_EQ(request.timeout, std::chrono::milliseconds(60000));
  EXPECT_EQ(request.metadata.at("conversationId"), "c-9");
  EXPECT_EQ(request.metadata.size(), 4U);
}

TEST(ChatRequest, ReadsBackWhatItWrites) {
  const std::string requests[] = {
      std::string(tests::whole_request),
      with(""),
      with(
          R"("modelName":"auto","toolChoice":"none","responseFormat":"json","reasoning":true,"onInterrupt":"restart")"),
      with(R"("modelName":"house","toolChoice":"auto","responseFormat":"text","reasoning":"high","stop":"x")"),
      with(
          R"("tools":[{"name":"t"}],"toolChoice":"required","metadata":{"quote\"":"\n\u0000é"},"seed":9007199254740993)"),
      with_messages(
          R"([{"role":"user","content":[{"type":"hologram","x":1},{"type":"file","url":"https://a/b","filename":"b"},{"type":"audio","data":"QUJD","mediaType":"audio/wav"},{"type":"text","text":""}]},)"
          R"({"role":"assistant","content":"a","providerBlocks":[{"provider":"p","data":{"b":[1]}}]}])"),
  };
  for (const auto& json : requests) {
    const auto once = to_json(parsed(json));
    EXPECT_EQ(to_json(parsed(once)), once);
  }
}

TEST(ChatRequest, CountsUnknownFieldsAtEveryLevel) {
  const auto request = parsed(R"({
    "requestId": "r-1", "orgId": "acme", "shoeSize": 43, "requirements": {"tools": true}, "nothing": null,
    "messages": [{"role": "assistant", "mood": "good", "content": [{"type": "text", "text": "a", "font": "b"}],
                  "toolCalls": [{"id": "c", "name": "t", "type": "function"}]}],
    "tools": [{"name": "t", "strict": true, "parameters": {"anything": {"goes": 1}}}],
    "responseFormat": {"type": "json_schema", "schema": {"free": 1}, "strict": true},
    "toolChoice": {"name": "t", "type": "tool"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "fallbacks": [{"modelName": "m", "weight": 2}],
    "providerConfig": {"ollama": {"anything": 1}},
    "metadata": {"nested": {"a": 1}, "list": [1], "kept": "yes"}
  })");
  EXPECT_EQ(request.unknown_fields, 3U + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 2);
}

TEST(ChatRequest, NullIsTheSameAsAbsent) {
  const auto request = parsed(with(
      R"("userId":null,"modelProvider":null,"modelName":null,"temperature":null,"topP":null,"topK":null,)"
      R"("maxTokens":null,"stop":null,"seed":null,"stream":null,"tools":null,"toolChoice":null,"responseFormat":null,)"
      R"("reasoning":null,"providerConfig":null,"fallbacks":null,"onInterrupt":null,"timeoutMs":null,"metadata":null)"));
  EXPECT_EQ(to_json(request), to_json(parsed(with(""))));
  EXPECT_EQ(request.unknown_fields, 0U);
}

TEST(ChatRequest, LastOfRepeatedFieldCounts) {
  const auto request =
      parsed(R"({"requestId":"r-0","requestId":"r-1","orgId":"x","orgId":"acme","temperature":1,"temperature":null,)"
             R"("modelName":"a","modelName":"b","stop":["a"],"stop":["b"],"messages":[],)"
             R"("messages":[{"role":"user","role":"system","content":"1","content":"2"}]})");
  EXPECT_EQ(request.request_id, "r-1");
  EXPECT_EQ(request.org_id, "acme");
  EXPECT_FALSE(request.temperature.has_value());
  EXPECT_EQ(request.model->name, "b");
  EXPECT_EQ(request.stop, std::vector<std::string>{"b"});
  ASSERT_EQ(request.messages.size(), 1U);
  EXPECT_EQ(request.messages[0].role, Role::system);
  EXPECT_EQ(request.messages[0].content[0].text, "2");
}

TEST(ChatRequest, WholeNumbersMayBeWrittenWithAFraction) {
  const auto request = parsed(with(R"("maxTokens":64.0,"topK":4e1,"seed":-3.0,"temperature":1,"timeoutMs":1e3)"));
  EXPECT_EQ(request.tokens_max, 64);
  EXPECT_EQ(request.top_k, 40);
  EXPECT_EQ(request.seed, -3);
  EXPECT_EQ(request.temperature, 1.0);
  EXPECT_EQ(request.timeout, std::chrono::milliseconds(1000));
}

TEST(ChatRequest, TheEdgesOfEveryRangeAreInside) {
  const auto low = parsed(with(R"("temperature":0,"topP":0,"topK":1,"maxTokens":1,"timeoutMs":1,"stop":[])"));
  EXPECT_EQ(low.temperature, 0.0);
  const auto high = parsed(with(R"("temperature":2,"topP":1,"timeoutMs":31536000000,"seed":-9223372036854775808)"));
  EXPECT_EQ(high.top_p, 1.0);
  EXPECT_EQ(high.seed, INT64_MIN);
}

TEST(ChatRequest, ReadsImagesAsBase64DataUrlOrAddress) {
  const auto request =
      parsed(with_messages(R"([{"role":"user","content":[{"type":"image","data":"QUJD"},)"
                           R"({"type":"image","data":"data:image/jpeg;base64,QUJD"},)"
                           R"({"type":"image","url":"data:image/png;charset=x;base64,QUI=","mediaType":"image/webp"},)"
                           R"({"type":"image","url":"https://a/b","data":null}]}])"));
  const auto& parts = request.messages[0].content;
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].data, "QUJD");
  EXPECT_EQ(parts[0].media_type, "");
  EXPECT_EQ(parts[1].data, "QUJD");
  EXPECT_EQ(parts[1].media_type, "image/jpeg");
  EXPECT_EQ(parts[2].data, "QUI=");
  EXPECT_EQ(parts[2].url, "");
  EXPECT_EQ(parts[2].media_type, "image/webp") << "what the sender says outright wins";
  EXPECT_EQ(parts[3].url, "https://a/b");
}

TEST(ChatRequest, FilesAndAudioComeAsImagesDo) {
  const auto request = parsed(with_messages(
      R"([{"role":"user","content":[{"type":"file","data":"QUJD","mediaType":"application/pdf","filename":"a.pdf"},)"
      R"({"type":"file","url":"https://a/b","filename":null},)"
      R"({"type":"audio","url":"data:audio/wav;base64,QUI="},)"
      R"({"type":"audio","data":"data:audio/mpeg;base64,QUJD","filename":"b.mp3"}]}])"));
  EXPECT_EQ(request.unknown_fields, 0U);
  const auto& parts = request.messages[0].content;
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].data, "QUJD");
  EXPECT_EQ(parts[0].media_type, "application/pdf");
  EXPECT_EQ(parts[0].filename, "a.pdf");
  EXPECT_EQ(parts[1].url, "https://a/b");
  EXPECT_EQ(parts[1].filename, "");
  EXPECT_EQ(parts[2].data, "QUI=");
  EXPECT_EQ(parts[2].url, "");
  EXPECT_EQ(parts[2].media_type, "audio/wav");
  EXPECT_EQ(parts[3].data, "QUJD");
  EXPECT_EQ(parts[3].media_type, "audio/mpeg");
  EXPECT_EQ(parts[3].filename, "b.mp3");
}

TEST(ChatRequest, CountsNameOfImageAsUnknown) {
  const auto request =
      parsed(with_messages(R"([{"role":"user","content":[{"type":"image","data":"QUJD","filename":"a"}]}])"));
  EXPECT_EQ(request.unknown_fields, 1U);
}

TEST(ChatRequest, ProviderBlocksKeepTheirOrderAndContent) {
  const auto request = parsed(with_messages(
      R"([{"role":"assistant","content":"a","providerBlocks":[)"
      R"({"provider":"anthropic","data": {"type": "thinking", "signature": "c2ln\n", "z": 1, "a": [1.5, null]}},)"
      R"({"provider":"openai","data":[{"id":"rs_1"}],"later":true}]}])"));
  const auto& blocks = request.messages[0].provider_blocks;
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].provider, "anthropic");
  EXPECT_EQ(blocks[0].data, R"({"type":"thinking","signature":"c2ln\n","z":1,"a":[1.5,null]})");
  EXPECT_EQ(blocks[1].provider, "openai");
  EXPECT_EQ(blocks[1].data, R"([{"id":"rs_1"}])");
  EXPECT_EQ(request.unknown_fields, 1U);
  EXPECT_TRUE(parsed(with_messages(R"([{"role":"user","content":"a","providerBlocks":[]}])"))
                  .messages[0]
                  .provider_blocks.empty());
}

TEST(ChatRequest, KeepsNameOfUnknownPart) {
  const auto request = parsed(with_messages(R"([{"role":"user","content":[{"type":"video","url":7}]}])"));
  EXPECT_EQ(request.messages[0].content[0].type, "video");
}

TEST(ChatRequest, ToolCallArgumentsAreJsonText) {
  const auto request = parsed(with_messages(
      R"([{"role":"assistant","toolCalls":[{"id":"1","name":"t","arguments":{"a": [1, 2]}},)"
      R"({"id":"2","name":"t","arguments":"{\"a\": 1}"},{"id":"3","name":"t","arguments":""},{"id":"4","name":"t"}]}])"));
  const auto& calls = request.messages[0].tool_calls;
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_EQ(calls[0].arguments, R"({"a":[1,2]})");
  EXPECT_EQ(calls[1].arguments, R"({"a": 1})") << "text stays as it was";
  EXPECT_EQ(calls[2].arguments, "{}");
  EXPECT_EQ(calls[3].arguments, "{}");
}

TEST(ChatRequest, ToolsMayComeWrappedAsFunctions) {
  const auto request = parsed(with(
      R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}])"));
  ASSERT_EQ(request.tools.size(), 1U);
  EXPECT_EQ(request.tools[0].name, "f");
  EXPECT_EQ(request.tools[0].description, "d");
  EXPECT_EQ(request.tools[0].parameters, R"({"type":"object"})");
  EXPECT_EQ(request.unknown_fields, 0U);
}

TEST(ChatRequest, ReasoningHasAShortForm) {
  EXPECT_EQ(parsed(with(R"("reasoning":false)")).reasoning->enabled, false);
  for (const std::string effort : {"none", "minimal", "low", "medium", "high", "xhigh", "max"}) {
    EXPECT_EQ(parsed(with(R"("reasoning":")" + effort + "\"")).reasoning->effort, effort);
    EXPECT_EQ(parsed(with(R"("reasoning":{"effort":")" + effort + "\"}")).reasoning->effort, effort);
  }
  EXPECT_FALSE(parsed(with(R"("reasoning":"medium")")).reasoning->enabled.has_value());
}

TEST(ChatRequest, MetadataBecomesText) {
  const auto request = parsed(
      with(R"("metadata":{"a":"x","b":3,"c":true,"d":2.5,"e":null,"f":{"g":1},"h":[1],"i":18446744073709551615})"));
  EXPECT_EQ(request.metadata, (std::map<std::string, std::string>{
                                  {"a", "x"}, {"b", "3"}, {"c", "true"}, {"d", "2.5"}, {"i", "18446744073709551615"}}));
  EXPECT_EQ(request.unknown_fields, 2U);
}

TEST(ChatRequest, ReadsHalfSurrogatePairAsReplacement) {
  const auto request = parsed(with_messages(R"([{"role":"user","content":"cut \ud83d here, whole \ud83d\ude00"}])"));
  EXPECT_EQ(request.messages[0].content[0].text, "cut \xEF\xBF\xBD here, whole 😀");
}

TEST(ChatRequest, AByteOrderMarkIsForgiven) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF" + with("")).request_id, "r-1");
}

TEST(ChatRequest, TextMayHoldAnyCharacter) {
  const auto request = parsed(with_messages(R"([{"role":"user","content":"\u0000\u2028 é 😀"}])"));
  EXPECT_EQ(request.messages[0].content[0].text, std::string("\0", 1) + "\u2028 é 😀");
}

TEST(ChatRequest, TheModelMayBeAnAliasAlone) {
  const auto request = parsed(with(R"("modelName":"auto")"));
  EXPECT_EQ(request.model->provider, "");
  EXPECT_EQ(request.model->name, "auto");
}

TEST(ChatRequest, LimitsAreReachedBeforeTheyAreCrossed) {
  const RequestLimits limits{.id_bytes_max = 4, .messages_max = 2, .tools_max = 1, .depth_max = 5};
  const auto request = parse_chat_request(
      R"({"requestId":"r-12","orgId":"acme","userId":"abcd","tools":[{"name":"t","parameters":{"a":{}}}],)"
      R"("messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]})",
      limits);
  EXPECT_TRUE(std::holds_alternative<ChatRequest>(request));
}

}  // namespace
}  // namespace tokenrail::events
