// The body of /v1/messages, and what is refused or left out.
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/anthropic/anthropic.hpp"

namespace tokenrail::providers::anthropic {
namespace {

using events::ChatRequest;
using events::ContentPart;
using events::Message;
using events::Role;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Target target_of(std::string model) {
  return {.provider = "anthropic", .base_url = "https://api.anthropic.com", .upstream_name = std::move(model)};
}

Message message(Role role, std::string text) {
  Message out;
  out.role = role;
  out.content.push_back({.type = "text", .text = std::move(text)});
  return out;
}
Message called(std::vector<events::ToolCall> calls, std::string text = "") {
  Message out;
  out.role = Role::assistant;
  if (!text.empty()) out.content.push_back({.type = "text", .text = std::move(text)});
  out.tool_calls = std::move(calls);
  return out;
}
Message result(std::string id, std::string text) {
  auto out = message(Role::tool, std::move(text));
  out.tool_call_id = std::move(id);
  return out;
}

ChatRequest request_with(std::vector<Message> messages) {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "o1";
  request.tokens_max = 100;
  request.messages = std::move(messages);
  return request;
}

std::string body_of(const ChatRequest& request, std::vector<std::string>* warnings = nullptr,
                    std::string model = "claude-haiku-4-5") {
  auto call = provider().chat(request, target_of(std::move(model)), {});
  if (!call) {
    EXPECT_EQ(call.error().kind, ErrorKind::invalid_input);
    return "error: " + call.error().detail;
  }
  if (warnings != nullptr) *warnings = call->warnings;
  return call->request.body;
}

/// The `messages` field of the body, with what precedes it.
std::string messages_of(std::vector<Message> messages, std::vector<std::string>* warnings = nullptr,
                        std::string model = "claude-haiku-4-5") {
  const auto body = body_of(request_with(std::move(messages)), warnings, std::move(model));
  constexpr std::string_view before = R"("max_tokens":100,)";
  const auto begin = body.find(before);
  if (begin == std::string::npos) return body;
  return body.substr(begin + before.size(), body.find(R"(,"stream")") - begin - before.size());
}

/// What follows `"stream":true` in the body of a request that says "hi" and whatever `change` makes of it.
template <class Change>
std::string changed(Change change, std::vector<std::string>* warnings = nullptr,
                    std::string model = "claude-haiku-4-5") {
  auto request = request_with({message(Role::user, "hi")});
  change(request);
  const auto body = body_of(request, warnings, std::move(model));
  constexpr std::string_view before = R"("stream":true)";
  const auto begin = body.find(before);
  if (begin == std::string::npos) return body;
  return body.substr(begin + before.size(), body.size() - begin - before.size() - 1);
}

TEST(AnthropicChat, BodyHasOnlyRequiredFields) {
  ChatRequest request = request_with({message(Role::user, "hi")});
  request.tokens_max.reset();
  const auto call = provider().chat(request, target_of("claude-haiku-4-5"), {});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.method, "POST");
  EXPECT_EQ(call->request.url, "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(call->request.body,
            R"({"model":"claude-haiku-4-5","max_tokens":16000,"messages":[{"role":"user","content":[{"type":"text",)"
            R"("text":"hi"}]}],"stream":true})");
  EXPECT_THAT(call->warnings, IsEmpty());
  bool versioned = false;
  for (const auto& header : call->request.headers) {
    EXPECT_NE(header.name, "anthropic-beta");
    if (header.name == "anthropic-version") versioned = header.value == "2023-06-01";
  }
  EXPECT_TRUE(versioned);
  ASSERT_TRUE(call->decoder);
}

TEST(AnthropicChat, DefaultOfMaxTokensFitsTheModel) {
  struct Case {
    const char* model;
    const char* max_tokens;
  };
  for (const auto& row :
       {Case{"claude-3-haiku-20240307", "4096"}, Case{"claude-3-5-sonnet-20241022", "8192"},
        Case{"claude-opus-4-20250514", "16000"}, Case{"claude-opus-5", "16000"}, Case{"some-other-model", "4096"}}) {
    auto request = request_with({message(Role::user, "hi")});
    request.tokens_max.reset();
    std::vector<std::string> warnings;
    EXPECT_THAT(body_of(request, &warnings, row.model),
                HasSubstr(std::string(R"("max_tokens":)") + row.max_tokens + ","));
    EXPECT_THAT(warnings, IsEmpty());
  }
}

TEST(AnthropicChat, UrlGetsTheVersionUnlessItHasOne) {
  EXPECT_EQ(url_of("https://api.anthropic.com", "/messages"), "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(url_of("https://api.anthropic.com/", "/messages"), "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(url_of("https://api.anthropic.com/v1/", "/messages"), "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(url_of("https://gateway/anthropic", "/models"), "https://gateway/anthropic/v1/models");
}

TEST(AnthropicChat, SecretIsAHeaderMarkedSecret) {
  auto target = target_of("m");
  target.credential = {.type = AuthType::header, .name = "x-api-key", .secret = Secret("key-1")};
  const auto call = provider().chat(request_with({message(Role::user, "hi")}), target, {});
  ASSERT_TRUE(call);
  int found = 0;
  for (const auto& header : call->request.headers) {
    if (header.name != "x-api-key") continue;
    ++found;
    EXPECT_EQ(header.value, "key-1");
    EXPECT_TRUE(header.secret);
  }
  EXPECT_EQ(found, 1);
  EXPECT_THAT(call->request.url + call->request.body, Not(HasSubstr("key-1")));
}

TEST(AnthropicChat, SystemMessagesAreHoisted) {
  EXPECT_EQ(messages_of({message(Role::system, "a"), message(Role::user, "u"), message(Role::system, "b"),
                         message(Role::system, " ")}),
            R"("system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],)"
            R"("messages":[{"role":"user","content":[{"type":"text","text":"u"}]}])");
  EXPECT_THAT(messages_of({message(Role::system, "a")}), HasSubstr("error: messages: "));
}

TEST(AnthropicChat, SystemMessageThatIsMovedHasAWarning) {
  std::vector<std::string> warnings;
  const std::vector<Message> before = {message(Role::system, "a"), message(Role::system, "b"), message(Role::user, "u"),
                                       message(Role::system, " ")};
  changed([&](auto& r) { r.messages = before; }, &warnings);
  EXPECT_THAT(warnings, IsEmpty());
  changed(
      [](auto& r) { r.messages = {message(Role::user, "u"), message(Role::system, "a"), message(Role::user, "v")}; },
      &warnings);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[1]: Anthropic takes system messages only before all others")));
}

TEST(AnthropicChat, NeighboursOfOneRoleAreOneMessage) {
  std::vector<std::string> warnings;
  EXPECT_EQ(messages_of({message(Role::user, "a"), message(Role::user, "b"), message(Role::assistant, "c"),
                         message(Role::user, ""), message(Role::assistant, "d"), message(Role::user, "e")},
                        &warnings),
            R"("messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
            R"({"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]},)"
            R"({"role":"user","content":[{"type":"text","text":"e"}]}])");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[3]"))) << "an empty message cannot be sent";
}

TEST(AnthropicChat, ResultsOfATurnAreOneUserMessageAndFirst) {
  EXPECT_EQ(
      messages_of(
          {message(Role::user, "u"),
           called({{.id = "t1", .name = "f", .arguments = "{ \"x\": 1 }"}, {.id = "t2", .name = "g", .arguments = ""}},
                  "Wait."),
           result("t1", "one"), message(Role::user, "and?"), result("t2", "")}),
      R"("messages":[{"role":"user","content":[{"type":"text","text":"u"}]},)"
      R"({"role":"assistant","content":[{"type":"text","text":"Wait."},{"type":"tool_use","id":"t1","name":"f",)"
      R"("input":{"x":1}},{"type":"tool_use","id":"t2","name":"g","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"one"}]},)"
      R"({"type":"tool_result","tool_use_id":"t2"},{"type":"text","text":"and?"}]}])");
}

TEST(AnthropicChat, MakesForeignIdsFitAndUnique) {
  EXPECT_EQ(
      messages_of({message(Role::user, "u"), called({{.id = "functions.f:0", .name = "f", .arguments = "{}"}}),
                   result("functions.f:0", "1"), called({{.id = "call_1", .name = "f", .arguments = "{}"}}),
                   result("call_1", "2"), called({{.id = "call_1", .name = "f", .arguments = "{}"}}),
                   result("call_1", "3")}),
      R"("messages":[{"role":"user","content":[{"type":"text","text":"u"}]},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"functions_f_0","name":"f","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"functions_f_0","content":[{"type":"text","text":"1"}]}]},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"2"}]}]},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"call_1_2","name":"f","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1_2","content":[{"type":"text","text":"3"}]}]}])");
}

TEST(AnthropicChat, ArgumentsThatAreNoObjectAreRefused) {
  for (const auto* arguments : {"[1]", "7", "not json", "{} x"}) {
    EXPECT_THAT(messages_of({message(Role::user, "u"), called({{.id = "t", .name = "f", .arguments = arguments}})}),
                AllOf(HasSubstr("error: messages[1]"), HasSubstr("\"f\"")));
  }
}

TEST(AnthropicChat, OwnBlocksGoBackFirstAndUnchanged) {
  auto turn = called({{.id = "t1", .name = "f", .arguments = "{}"}}, "Hm.");
  turn.reasoning = "thought";
  turn.provider_blocks = {
      {.provider = "anthropic", .data = R"({"type":"thinking","thinking":"thought","signature":"s"})"},
      {.provider = "openai", .data = R"({"type":"reasoning"})"},
      {.provider = "anthropic", .data = R"({"type":"redacted_thinking","data":"d"})"}};
  std::vector<std::string> warnings;
  EXPECT_THAT(messages_of({message(Role::user, "u"), turn, result("t1", "1")}, &warnings),
              HasSubstr(R"("content":[{"type":"thinking","thinking":"thought","signature":"s"},)"
                        R"({"type":"redacted_thinking","data":"d"},{"type":"text","text":"Hm."},{"type":"tool_use")"));
  EXPECT_THAT(warnings, IsEmpty());
  turn.provider_blocks[0].data = "[1]";
  EXPECT_THAT(messages_of({message(Role::user, "u"), turn, result("t1", "1")}), HasSubstr("error: messages[1]"));
}

TEST(AnthropicChat, ThinkingOfOthersIsLeftOut) {
  auto said = message(Role::assistant, "4");
  said.reasoning = "2+2";
  said.provider_blocks = {{.provider = "openai", .data = "{}"}};
  std::vector<std::string> warnings;
  EXPECT_THAT(messages_of({message(Role::user, "u"), said, said, message(Role::user, "v")}, &warnings),
              HasSubstr(R"({"role":"assistant","content":[{"type":"text","text":"4"},{"type":"text","text":"4"}]})"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[1].reasoning"))) << "once";
}

TEST(AnthropicChat, ImagesAndFilesBecomeBlocks) {
  Message parts;
  parts.content = {
      {.type = "image", .data = "iVBORw0KGgo="},
      {.type = "image", .data = "AAAA", .media_type = "image/JPG"},
      {.type = "image", .url = "https://example.org/a.gif"},
      {.type = "file", .data = "JVBERi0x", .filename = "a.pdf"},
      {.type = "file", .data = "aGk=", .media_type = "text/markdown; charset=utf-8", .filename = "a.md"},
      {.type = "file", .url = "https://example.org/b.pdf"},
      {.type = "text", .text = "What is it?"},
  };
  EXPECT_EQ(
      messages_of({parts}),
      R"("messages":[{"role":"user","content":[)"
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},)"
      R"({"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAA"}},)"
      R"({"type":"image","source":{"type":"url","url":"https://example.org/a.gif"}},)"
      R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"},"title":"a.pdf"},)"
      R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"},"title":"a.md"},)"
      R"({"type":"document","source":{"type":"url","url":"https://example.org/b.pdf"}},)"
      R"({"type":"text","text":"What is it?"}]}])");
  auto picture = result("t1", "");
  picture.content = {{.type = "image", .data = "AAAA", .media_type = "image/webp"}};
  EXPECT_THAT(messages_of({message(Role::user, "u"), called({{.id = "t1", .name = "f", .arguments = "{}"}}), picture}),
              HasSubstr(R"({"type":"tool_result","tool_use_id":"t1","content":[{"type":"image")"));
}

TEST(AnthropicChat, PartsThatAnthropicLacksAreRefusedWithAdvice) {
  struct Case {
    ContentPart part;
    const char* named;
  };
  for (const auto& row : {
           Case{{.type = "image", .data = "AAAA", .media_type = "image/tiff"}, "image/tiff"},
           Case{{.type = "image", .data = "AAAA"}, "mediaType"},
           Case{{.type = "file", .data = "AAAA", .media_type = "application/zip"}, "application/zip"},
           Case{{.type = "file", .url = "https://x/a.txt", .media_type = "text/plain"}, "by URL"},
           Case{{.type = "file", .data = "A?==", .media_type = "text/plain"}, "base64"},
           Case{{.type = "file"}, "no data"},
           Case{{.type = "audio", .data = "AAAA"}, "\"audio\""},
       }) {
    Message parts;
    parts.content = {row.part};
    EXPECT_THAT(messages_of({parts}), AllOf(HasSubstr("error: messages[0]"), HasSubstr(row.named)));
  }
  for (const auto role : {Role::system, Role::assistant}) {
    Message picture;
    picture.role = role;
    picture.content = {{.type = "image", .data = "AAAA", .media_type = "image/png"}};
    EXPECT_THAT(messages_of({message(Role::user, "u"), picture, message(Role::user, "u")}),
                AllOf(HasSubstr("error: messages[1]"), HasSubstr("user message")));
  }
}

TEST(AnthropicChat, PrefillIsSentToModelsThatContinueIt) {
  const std::vector<Message> messages = {message(Role::user, "u"), message(Role::assistant, "Once upon \n")};
  EXPECT_THAT(messages_of(messages),
              HasSubstr(R"({"role":"assistant","content":[{"type":"text","text":"Once upon"}]}])"))
      << "trailing blanks are refused by the provider";
  EXPECT_THAT(messages_of(messages, nullptr, "some-other-model"), HasSubstr("Once upon"));
  EXPECT_THAT(messages_of(messages, nullptr, "claude-opus-4-6"),
              AllOf(HasSubstr("error: messages"), HasSubstr("claude-opus-4-6"), HasSubstr("user message")));
  EXPECT_THAT(messages_of({message(Role::user, "u"), message(Role::assistant, "a "), message(Role::user, "b")}),
              HasSubstr(R"("text":"a ")"))
      << "blanks elsewhere stay";
}

TEST(AnthropicChat, SendsSamplingThatTheModelTakes) {
  const auto all = [](ChatRequest& r) {
    r.temperature = 0.5;
    r.top_p = 0.9;
    r.top_k = 40;
  };
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(all, &warnings, "claude-3-5-haiku-latest"), R"(,"temperature":0.5,"top_p":0.9,"top_k":40)");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed(all, &warnings, "claude-sonnet-4-5-20250929"), R"(,"temperature":0.5,"top_k":40)");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("topP")));
  EXPECT_EQ(changed([](auto& r) { r.top_p = 0.9; }, &warnings, "claude-sonnet-4-5"), R"(,"top_p":0.9)");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed(all, &warnings, "claude-opus-4-7"), "");
  EXPECT_EQ(warnings.size(), 3U);
  EXPECT_EQ(changed([](auto& r) { r.temperature = 1.0; }, &warnings, "claude-opus-5"), "");
  EXPECT_THAT(warnings, IsEmpty()) << "the default is what the model does anyway";
  EXPECT_EQ(changed([](auto& r) { r.temperature = 1.5; }, &warnings), R"(,"temperature":1)");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("temperature")));
  EXPECT_EQ(changed([](auto& r) { r.temperature = 0.0; }), R"(,"temperature":0)");
}

TEST(AnthropicChat, SeedIsLeftOutWithAWarning) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed([](auto& r) { r.seed = 7; }, &warnings), "");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("seed")));
}

TEST(AnthropicChat, StopSequencesOfBlanksAreRefused) {
  EXPECT_EQ(changed([](auto& r) { r.stop = {"END", "\n\nHuman:"}; }), R"(,"stop_sequences":["END","\n\nHuman:"])");
  EXPECT_THAT(changed([](auto& r) { r.stop = {"END", "\n"}; }), HasSubstr("error: stop[1]"));
}

TEST(AnthropicChat, ToolsAndTheirChoice) {
  using Mode = events::ToolChoice::Mode;
  const auto offering = [](std::optional<Mode> mode, std::string config = "") {
    return [=](ChatRequest& r) {
      r.tools = {{.name = "f", .description = "does f", .parameters = R"({"type":"object","properties":{}})"},
                 {.name = "g"}};
      if (mode) r.tool_choice = events::ToolChoice{.mode = *mode, .name = "f"};
      if (!config.empty()) r.provider_config["anthropic"] = config;
    };
  };
  const std::string tools =
      R"(,"tools":[{"name":"f","description":"does f","input_schema":{"type":"object","properties":{}}},)"
      R"({"name":"g","input_schema":{"type":"object"}}])";
  EXPECT_EQ(changed(offering(std::nullopt)), tools);
  EXPECT_EQ(changed(offering(Mode::automatic)), tools + R"(,"tool_choice":{"type":"auto"})");
  EXPECT_EQ(changed(offering(Mode::none)), tools + R"(,"tool_choice":{"type":"none"})");
  EXPECT_EQ(changed(offering(Mode::required)), tools + R"(,"tool_choice":{"type":"any"})");
  EXPECT_EQ(changed(offering(Mode::named)), tools + R"(,"tool_choice":{"name":"f","type":"tool"})");
  EXPECT_EQ(changed(offering(Mode::required, R"({"tool_choice":{"disable_parallel_tool_use":true}})")),
            tools + R"(,"tool_choice":{"type":"any","disable_parallel_tool_use":true})");
  EXPECT_EQ(changed([](auto& r) { r.tool_choice = events::ToolChoice{.mode = Mode::required}; }), "")
      << "no tools, no choice";
}

TEST(AnthropicChat, SchemaIsClosedAndJsonModeRefused) {
  using Kind = events::ResponseFormat::Kind;
  EXPECT_EQ(
      changed([](auto& r) {
        r.response_format = {{.kind = Kind::json_schema,
                              .schema = R"({"type":"object","properties":{"a":{"type":["object","null"],"default":)"
                                        R"({"type":"object"}},"b":{"type":"array","items":{"type":"object",)"
                                        R"("additionalProperties":false}}}})"}};
      }),
      R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":)"
      R"({"type":["object","null"],"default":{"type":"object"},"additionalProperties":false},"b":{"type":"array",)"
      R"("items":{"type":"object","additionalProperties":false}}},"additionalProperties":false}}})");
  EXPECT_THAT(changed([](auto& r) { r.response_format = {{.kind = Kind::json}}; }),
              AllOf(HasSubstr("error: responseFormat"), HasSubstr("schema")));
  EXPECT_THAT(changed([](auto& r) { r.response_format = {{.kind = Kind::json_schema, .schema = "7"}}; }),
              HasSubstr("error: responseFormat"));
  EXPECT_EQ(changed([](auto& r) { r.response_format = {{.kind = Kind::text}}; }), "");
}

TEST(AnthropicChat, ProviderConfigIsLaidOverTheRest) {
  std::vector<std::string> warnings;
  EXPECT_EQ(
      changed(
          [](auto& r) {
            r.temperature = 0.5;
            r.stop = {"x"};
            r.response_format = {{.kind = events::ResponseFormat::Kind::json_schema, .schema = R"({"type":"string"})"}};
            r.provider_config["anthropic"] =
                R"({"temperature":0.25,"stop_sequences":["y"],"service_tier":"auto","thinking":{"type":"disabled"},)"
                R"("output_config":{"effort":"low"},"cache_control":{"type":"ephemeral"}})";
            r.provider_config["openai"] = R"({"seed":1})";
          },
          &warnings),
      R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"string"}},"effort":"low"},)"
      R"("cache_control":{"type":"ephemeral"},"service_tier":"auto","stop_sequences":["y"],"temperature":0.25,)"
      R"("thinking":{"type":"disabled"})");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.provider_config["anthropic"] =
                      R"({"model":"x","messages":[],"system":"s","stream":false,"tools":[]})";
                },
                &warnings),
            "");
  EXPECT_EQ(warnings.size(), 5U);
  for (const auto* config : {"[]", "{", R"({"tool_choice":1})", R"({"output_config":[]})", R"({"betas":["a\r\nb"]})",
                             R"({"betas":"a"})", R"({"betas":[1]})"}) {
    EXPECT_THAT(changed([&](auto& r) { r.provider_config["anthropic"] = config; }),
                HasSubstr("error: providerConfig.anthropic"))
        << config;
  }
}

TEST(AnthropicChat, BetasBecomeAHeader) {
  auto request = request_with({message(Role::user, "hi")});
  request.provider_config["anthropic"] = R"({"betas":["context-1m-2025-08-07","files-api-2025-04-14"]})";
  const auto call = provider().chat(request, target_of("claude-haiku-4-5"), {});
  ASSERT_TRUE(call);
  EXPECT_THAT(call->request.body, Not(HasSubstr("betas")));
  bool found = false;
  for (const auto& header : call->request.headers) {
    if (header.name == "anthropic-beta") found = header.value == "context-1m-2025-08-07,files-api-2025-04-14";
  }
  EXPECT_TRUE(found);
}

TEST(AnthropicChat, IsFoundByName) {
  ASSERT_NE(find_provider("anthropic"), nullptr);
  EXPECT_EQ(find_provider("anthropic")->adapter(), "anthropic");
}

}  // namespace
}  // namespace tokenrail::providers::anthropic
