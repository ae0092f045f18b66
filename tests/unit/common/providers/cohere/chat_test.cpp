// A chat request as Cohere takes it, byte for byte.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/cohere/cohere.hpp"

namespace tokenrail::providers::cohere {
namespace {

using events::ChatRequest;
using events::Message;
using events::Role;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const Target target{.provider = "cohere", .base_url = "https://api.cohere.com", .upstream_name = "command-r"};

Message message(Role role, std::string text) {
  return {.role = role, .content = {{.type = "text", .text = std::move(text)}}};
}

ChatRequest request_with(std::vector<Message> messages) {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "o1";
  request.messages = std::move(messages);
  return request;
}

std::string body_of(const ChatRequest& request, std::vector<std::string>* warnings = nullptr) {
  auto call = provider().chat(request, target, {});
  if (!call) {
    EXPECT_EQ(call.error().kind, ErrorKind::invalid_input);
    return "error: " + call.error().detail;
  }
  if (warnings != nullptr) *warnings = call->warnings;
  return call->request.body;
}

/// The body of a request that says "hi" and whatever `change` makes of it.
template <class Change>
std::string changed(Change change, std::vector<std::string>* warnings = nullptr) {
  auto request = request_with({message(Role::user, "hi")});
  change(request);
  return body_of(request, warnings);
}
const std::string hi = R"({"model":"command-r","stream":true,"messages":[{"role":"user","content":"hi"}])";

TEST(CohereChat, ContainsOnlyWhatTheRequestContains) {
  const auto call = provider().chat(request_with({message(Role::user, "hi")}), target, {});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.method, "POST");
  EXPECT_EQ(call->request.url, "https://api.cohere.com/v2/chat");
  EXPECT_EQ(call->request.body, hi + "}") << "no temperature, no p: the model's own defaults hold";
  EXPECT_THAT(call->warnings, IsEmpty());
  EXPECT_TRUE(call->decoder);
  for (const auto& header : call->request.headers) EXPECT_NE(header.name, "Authorization");
}

TEST(CohereChat, BaseUrlMayHavePathOrVersion) {
  for (const auto& [base, url] : {
           std::pair("https://api.cohere.com/", "https://api.cohere.com/v2/chat"),
           std::pair("https://api.cohere.com/v2", "https://api.cohere.com/v2/chat"),
           std::pair("https://api.cohere.com/v1/", "https://api.cohere.com/v2/chat"),
           std::pair("https://gateway.example/cohere", "https://gateway.example/cohere/v2/chat"),
           std::pair("https://gateway.example/cohere/v2/", "https://gateway.example/cohere/v2/chat"),
       }) {
    const auto call = provider().chat(request_with({message(Role::user, "hi")}), {.base_url = base}, {});
    ASSERT_TRUE(call);
    EXPECT_EQ(call->request.url, url) << base;
  }
}

TEST(CohereChat, TheSecretIsABearerTokenMarkedSecret) {
  Target with_key = {.base_url = target.base_url, .upstream_name = "m"};
  with_key.credential = {.type = AuthType::bearer, .secret = Secret("key-1")};
  const auto call = provider().chat(request_with({message(Role::user, "hi")}), with_key, {});
  ASSERT_TRUE(call);
  bool found = false;
  for (const auto& header : call->request.headers) {
    if (header.name != "Authorization") continue;
    found = true;
    EXPECT_EQ(header.value, "Bearer key-1");
    EXPECT_TRUE(header.secret);
  }
  EXPECT_TRUE(found);
}

TEST(CohereChat, ParametersHaveCoheresNames) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.stream = false;
                  r.tokens_max = 64;
                  r.temperature = 0.5;
                  r.top_p = 0.9;
                  r.top_k = 40;
                  r.seed = 7;
                  r.stop = {"END", "\n"};
                },
                &warnings),
            R"({"model":"command-r","stream":false,"messages":[{"role":"user","content":"hi"}],"max_tokens":64,)"
            R"("temperature":0.5,"p":0.9,"k":40,"seed":7,"stop_sequences":["END","\n"]})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(CohereChat, ClampsNumbersToCoheresBoundsWithWarning) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.temperature = 1.5;
                  r.top_p = 1.0;
                  r.top_k = 501;
                },
                &warnings),
            hi + R"(,"temperature":1,"p":0.99,"k":500})");
  EXPECT_THAT(warnings, ElementsAre(AllOf(StartsWith("temperature:"), HasSubstr("1.5")), StartsWith("topP:"),
                                    AllOf(StartsWith("topK:"), HasSubstr("501"))));
  EXPECT_EQ(changed([](auto& r) { r.top_p = 0.0; }, &warnings), hi + R"(,"p":0.01})");
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(changed([](auto& r) { r.temperature = 1.0; }, &warnings), hi + R"(,"temperature":1})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(CohereChat, LeavesOutNegativeSeedWithWarning) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed([](auto& r) { r.seed = -1; }, &warnings), hi + "}");
  EXPECT_THAT(warnings, ElementsAre(StartsWith("seed:")));
  EXPECT_EQ(changed([](auto& r) { r.seed = 0; }, &warnings), hi + R"(,"seed":0})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(CohereChat, MoreThanFiveStopTextsAreRefused) {
  const auto stops = [](std::size_t count) { return [count](ChatRequest& r) { r.stop.assign(count, "s"); }; };
  EXPECT_THAT(changed(stops(6)), AllOf(StartsWith("error: stop:"), HasSubstr("at most 5")));
  EXPECT_THAT(changed(stops(5)), HasSubstr("stop_sequences"));
}

TEST(CohereChat, ToolsAndChoicesAreInCoheresWords) {
  const auto tools = [](ChatRequest& r) {
    r.tools = {{.name = "look", .description = "Looks.", .parameters = R"({"type":"object"})"}, {.name = "now"}};
  };
  const std::string look = R"({"type":"function","function":{"name":"look","description":"Looks.",)"
                           R"("parameters":{"type":"object"}}})";
  const std::string now = R"({"type":"function","function":{"name":"now",)"
                          R"("parameters":{"type":"object","properties":{}}}})";
  const auto chosen = [&](std::optional<events::ToolChoice> choice) {
    return changed([&](auto& r) {
      tools(r);
      r.tool_choice = choice;
    });
  };
  using Mode = events::ToolChoice::Mode;
  const auto both = hi + R"(,"tools":[)" + look + "," + now + "]";
  EXPECT_EQ(chosen(std::nullopt), both + "}");
  EXPECT_EQ(chosen({{.mode = Mode::automatic}}), both + "}");
  EXPECT_EQ(chosen({{.mode = Mode::required}}), both + R"(,"tool_choice":"REQUIRED"})");
  EXPECT_EQ(chosen({{.mode = Mode::none}}), both + R"(,"tool_choice":"NONE"})");
  EXPECT_EQ(chosen({{.mode = Mode::named, .name = "now"}}),
            hi + R"(,"tools":[)" + now + R"(],"tool_choice":"REQUIRED"})");
  EXPECT_EQ(changed([](auto& r) { r.tool_choice = events::ToolChoice{.mode = Mode::none}; }), hi + "}")
      << "a choice without tools is refused by Cohere";
}

TEST(CohereChat, JsonOutputMayHaveASchema) {
  using Kind = events::ResponseFormat::Kind;
  EXPECT_EQ(changed([](auto& r) { r.response_format = {.kind = Kind::text}; }), hi + "}");
  EXPECT_EQ(changed([](auto& r) { r.response_format = {.kind = Kind::json}; }),
            hi + R"(,"response_format":{"type":"json_object"}})");
  EXPECT_EQ(changed([](auto& r) { r.response_format = {.kind = Kind::json_schema, .schema = R"({"type":"object"})"}; }),
            hi + R"(,"response_format":{"type":"json_object","json_schema":{"type":"object"}}})");
}

TEST(CohereChat, JsonOutputTogetherWithToolsIsRefused) {
  using Mode = events::ToolChoice::Mode;
  const auto both = [](ChatRequest& r) {
    r.tools = {{.name = "look"}};
    r.response_format = {.kind = events::ResponseFormat::Kind::json};
  };
  EXPECT_THAT(changed(both), AllOf(StartsWith("error: responseFormat:"), HasSubstr("tools")));
  // Tools that may not be called are no tools.
  const auto body = changed([&](auto& r) {
    both(r);
    r.tool_choice = events::ToolChoice{.mode = Mode::none};
  });
  EXPECT_EQ(body, hi + R"(,"response_format":{"type":"json_object"}})");
}

TEST(CohereChat, ReasoningIsSwitchedAndBounded) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed([](auto& r) { r.reasoning = {.enabled = false, .effort = "low", .tokens_max = 5}; }, &warnings),
            hi + R"(,"thinking":{"type":"disabled"}})");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed([](auto& r) { r.reasoning = {.enabled = true, .tokens_max = 500}; }, &warnings),
            hi + R"(,"thinking":{"type":"enabled","token_budget":500}})");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed([](auto& r) { r.reasoning = events::Reasoning{.effort = "high"}; }, &warnings),
            hi + R"(,"thinking":{"type":"enabled"}})");
  EXPECT_THAT(warnings, ElementsAre(StartsWith("reasoning.effort:")));
}

TEST(CohereChat, CallsAndResultsKeepTheirIdsAndPlan) {
  Message call{.role = Role::assistant,
               .content = {{.text = ""}},
               .tool_calls = {{.id = "a_1", .name = "look", .arguments = R"({"x": 1})"},
                              {.id = "b_2", .name = "now", .arguments = {}}},
               .reasoning = "I will look."};
  auto result = message(Role::tool, "363.89");
  result.tool_call_id = "a_1";
  result.name = "look";
  EXPECT_EQ(body_of(request_with({message(Role::system, "s"), message(Role::user, "hi"), call, result})),
            R"({"model":"command-r","stream":true,"messages":[{"role":"system","content":"s"},)"
            R"({"role":"user","content":"hi"},{"role":"assistant","tool_plan":"I will look.","tool_calls":[)"
            R"({"id":"a_1","type":"function","function":{"name":"look","arguments":"{\"x\": 1}"}},)"
            R"({"id":"b_2","type":"function","function":{"name":"now","arguments":"{}"}}]},)"
            R"({"role":"tool","content":"363.89","tool_call_id":"a_1"}]})");
}

TEST(CohereChat, EarlierThinkingIsAPartOfTheAnswer) {
  auto answer = message(Role::assistant, "Hello");
  answer.reasoning = "Hm.";
  EXPECT_THAT(body_of(request_with({answer, message(Role::user, "hi")})),
              HasSubstr(R"({"role":"assistant","content":[{"type":"thinking","thinking":"Hm."},)"
                        R"({"type":"text","text":"Hello"}]})"));
}

TEST(CohereChat, ReasoningOfOtherProvidersIsNotSent) {
  auto answer = message(Role::assistant, "Hello");
  answer.reasoning = "Hm.";
  answer.provider_blocks = {{.provider = "anthropic", .data = R"({"signature":"c2ln"})"}};
  EXPECT_THAT(body_of(request_with({answer, message(Role::user, "hi")})), Not(HasSubstr("Hm.")));
  answer.tool_calls = {{.id = "a_1", .name = "look", .arguments = "{}"}};
  auto result = message(Role::tool, "363.89");
  result.tool_call_id = "a_1";
  result.name = "look";
  EXPECT_THAT(body_of(request_with({message(Role::user, "hi"), answer, result})), Not(HasSubstr("tool_plan")));
}

TEST(CohereChat, BlocksOfOtherProvidersAreNotSent) {
  auto answer = message(Role::assistant, "Hello");
  answer.provider_blocks = {{.provider = "anthropic", .data = R"({"signature":"c2ln"})"}};
  EXPECT_THAT(body_of(request_with({answer, message(Role::user, "hi")})), Not(HasSubstr("c2ln")));
}

TEST(CohereChat, SeveralPartsStayParts) {
  Message user{.role = Role::user,
               .content = {{.text = "What is this?"},
                           {.type = "image", .data = "QUJD", .media_type = "image/webp"},
                           {.type = "image", .data = "/9j/QUJD"},
                           {.type = "image", .url = "https://a/b.png"}}};
  EXPECT_EQ(body_of(request_with({user})),
            R"({"model":"command-r","stream":true,"messages":[{"role":"user","content":[)"
            R"({"type":"text","text":"What is this?"},)"
            R"({"type":"image_url","image_url":{"url":"data:image/webp;base64,QUJD"}},)"
            R"({"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/QUJD"}},)"
            R"({"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]})");
}

TEST(CohereChat, TextFilesInResultsAreDocuments) {
  Message result{.role = Role::tool,
                 .content = {{.text = "Found:"},
                             {.type = "file",
                              .data = "eyJ0aXRsZSI6ICJSdWJ5IiwgIm4iOiAxfQ==",  // {"title": "Ruby", "n": 1}
                              .media_type = "application/json",
                              .filename = "facts"},
                             {.type = "file", .data = "SGk=", .media_type = "text/plain"},
                             {.type = "file", .data = "WzFd", .media_type = "application/json"}},  // [1]
                 .tool_call_id = "a"};
  EXPECT_THAT(body_of(request_with({result})),
              HasSubstr(R"("content":[{"type":"text","text":"Found:"},)"
                        R"({"type":"document","document":{"id":"facts","data":{"title":"Ruby","n":1}}},)"
                        R"({"type":"document","document":{"data":{"text":"Hi"}}},)"
                        R"({"type":"document","document":{"data":{"text":"[1]"}}}])"));
}

struct RefusedPart {
  Role role;
  events::ContentPart part;
  const char* words;
};
TEST(CohereChat, RefusesUnreadablePartsByName) {
  for (const auto& row : {
           RefusedPart{Role::user, {.type = "file", .data = "SGk=", .media_type = "text/plain"}, "part of type text"},
           RefusedPart{
               Role::tool, {.type = "file", .data = "SGk=", .media_type = "application/pdf"}, "application/pdf"},
           RefusedPart{Role::tool, {.type = "file", .url = "https://a/b", .media_type = "text/plain"}, "as text"},
           RefusedPart{Role::tool, {.type = "file", .data = "/w==", .media_type = "text/plain"}, "as text"},
           RefusedPart{Role::tool, {.type = "file", .data = "SGk"}, "as text"},
           RefusedPart{Role::user, {.type = "audio", .data = "QUJD", .media_type = "audio/wav"}, "\"audio\""},
           RefusedPart{Role::user, {.type = "hologram"}, "\"hologram\""},
           RefusedPart{Role::user, {.type = "image", .data = "QUJD"}, "mediaType"},
           RefusedPart{Role::assistant, {.type = "image", .url = "https://a/b"}, "only in messages of the user"},
           RefusedPart{Role::system, {.type = "image", .url = "https://a/b"}, "only in messages of the user"},
       }) {
    Message bad{.role = row.role, .content = {{.text = "a"}, row.part}, .tool_call_id = "c"};
    EXPECT_THAT(body_of(request_with({message(Role::user, "hi"), bad})),
                AllOf(StartsWith("error: messages[1]:"), HasSubstr(row.words)));
  }
}

TEST(CohereChat, ProviderConfigOverridesTheBody) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.temperature = 1.5;
                  r.reasoning = {.effort = "low"};
                  r.stop.assign(6, "s");
                  r.provider_config["cohere"] =
                      R"({"temperature":0.2,"safety_mode":"STRICT","thinking":{"type":"x"},)"
                      R"("stop_sequences":["a"],"model":"other","messages":[],"stream":false})";
                },
                &warnings),
            hi + R"(,"safety_mode":"STRICT","stop_sequences":["a"],"temperature":0.2,"thinking":{"type":"x"}})");
  EXPECT_EQ(warnings.size(), 3U) << "of model, messages and stream only";
  EXPECT_EQ(changed([](auto& r) { r.provider_config["openai"] = R"({"x":1})"; }), hi + "}");
}

TEST(CohereChat, ReadsProviderConfigUnderConnectionsName) {
  auto request = request_with({message(Role::user, "hi")});
  request.provider_config["my-gateway"] = R"({"safety_mode":"OFF"})";
  const auto call =
      provider().chat(request, {.provider = "my-gateway", .base_url = "https://g", .upstream_name = "m"}, {});
  ASSERT_TRUE(call);
  EXPECT_THAT(call->request.body, HasSubstr(R"("safety_mode":"OFF")"));
}

}  // namespace
}  // namespace tokenrail::providers::cohere
