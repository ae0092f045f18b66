#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {
namespace {

using events::ChatRequest;
using events::ContentPart;
using events::Message;
using events::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Target target{.base_url = "http://localhost:11434", .upstream_name = "llama3.2:1b"};

Message message(Role role, std::string text) {
  Message out;
  out.role = role;
  out.content.push_back({.type = "text", .text = std::move(text)});
  return out;
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
  if (!call) return "error: " + call.error().detail;
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
const std::string hi =
    R"({"model":"llama3.2:1b","messages":[{"role":"user","content":"hi"}],"stream":true,"truncate":false)";

TEST(OllamaChat, APromptThatIsTooLongIsAnErrorUnlessTheRequestWantsItCut) {
  EXPECT_THAT(changed([](auto& r) { r.provider_config["ollama"] = R"({"truncate":true})"; }),
              HasSubstr(R"("stream":true,"truncate":true})"));
}

TEST(OllamaChat, SendsOnlyFieldsOfTheRequest) {
  const auto call = provider().chat(request_with({message(Role::user, "hi")}), target, {});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.method, "POST");
  EXPECT_EQ(call->request.url, "http://localhost:11434/api/chat");
  EXPECT_EQ(call->request.body, hi + "}") << "no temperature, no top_p: the model's own defaults hold";
  EXPECT_THAT(call->warnings, IsEmpty());
  for (const auto& header : call->request.headers) EXPECT_NE(header.name, "Authorization");
}

TEST(OllamaChat, AlwaysSendsStream) {
  EXPECT_THAT(changed([](auto& r) { r.stream = false; }), HasSubstr(R"("stream":false)"));
  EXPECT_THAT(changed([](auto& r) { r.stream = true; }), HasSubstr(R"("stream":true)"));
}

TEST(OllamaChat, SecretIsABearerTokenMarkedSecret) {
  Target hosted{.base_url = target.base_url, .upstream_name = target.upstream_name};
  hosted.credential = {.type = AuthType::bearer, .secret = Secret("key-1")};
  const auto call = provider().chat(request_with({message(Role::user, "hi")}), hosted, {});
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

// The mistake named S0.43 in the specification: messages of the role tool and tool calls were dropped.
TEST(OllamaChat, S0_43_ToolMessagesAndToolCallsAreKept) {
  Message call;
  call.role = Role::assistant;
  call.tool_calls = {{.id = "call_1", .name = "square_root", .arguments = "{ \"number\": 132413 }"},
                     {.id = "call_2", .name = "now", .arguments = ""}};
  auto result = message(Role::tool, "363.89");
  result.tool_call_id = "call_1";
  auto named = message(Role::tool, "noon");
  named.tool_call_id = "call_2";
  named.name = "clock";
  std::vector<std::string> warnings;
  EXPECT_EQ(
      body_of(request_with({message(Role::system, "s"), message(Role::user, "u"), call, result, named}), &warnings),
      R"({"model":"llama3.2:1b","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},)"
      R"({"role":"assistant","tool_calls":[{"id":"call_1","function":{"name":"square_root","arguments":{"number":132413}}},)"
      R"({"id":"call_2","function":{"name":"now","arguments":{}}}]},)"
      R"({"role":"tool","content":"363.89","tool_name":"square_root","tool_call_id":"call_1"},)"
      R"({"role":"tool","content":"noon","tool_name":"clock","tool_call_id":"call_2"}],"stream":true,"truncate":false})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(OllamaChat, NewestCallOfAnIdNamesTheTool) {
  Message first;
  first.role = Role::assistant;
  first.tool_calls = {{.id = "call_1", .name = "old", .arguments = "{}"}};
  auto second = first;
  second.tool_calls[0].name = "new";
  auto result = message(Role::tool, "1");
  result.tool_call_id = "call_1";
  EXPECT_THAT(body_of(request_with({first, second, result})), HasSubstr(R"("tool_name":"new")"));
}

TEST(OllamaChat, CallInFirstMessageNamesTheTool) {
  Message call;
  call.role = Role::assistant;
  call.tool_calls = {{.id = "call_1", .name = "clock", .arguments = "{}"}};
  auto result = message(Role::tool, "noon");
  result.tool_call_id = "call_1";
  std::vector<std::string> warnings;
  EXPECT_THAT(body_of(request_with({call, result}), &warnings), HasSubstr(R"("tool_name":"clock")"));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(OllamaChat, SendsResultOfUnknownToolWithWarning) {
  auto result = message(Role::tool, "1");
  result.tool_call_id = "call_9";
  std::vector<std::string> warnings;
  EXPECT_THAT(body_of(request_with({result}), &warnings),
              HasSubstr(R"({"role":"tool","content":"1","tool_call_id":"call_9"})"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[0]")));
}

TEST(OllamaChat, RefusesArgumentsThatAreNoObject) {
  for (const auto* arguments : {"not json", "[1]", "\"text\"", "7", "{\"a\":1} x", "{\"a\":"}) {
    Message call;
    call.role = Role::assistant;
    call.tool_calls = {{.id = "c", .name = "square_root", .arguments = arguments}};
    const auto made = provider().chat(request_with({message(Role::user, "u"), call}), target, {});
    ASSERT_FALSE(made) << arguments;
    EXPECT_EQ(made.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(made.error().detail, HasSubstr("messages[1]"));
    EXPECT_THAT(made.error().detail, HasSubstr("square_root"));
  }
}

TEST(OllamaChat, ThinkingIsReplayedOnAssistantMessagesOnly) {
  auto said = message(Role::assistant, "4");
  said.reasoning = "2+2";
  auto asked = message(Role::user, "why");
  asked.reasoning = "stray";
  EXPECT_THAT(body_of(request_with({said, asked})),
              HasSubstr(R"([{"role":"assistant","content":"4","thinking":"2+2"},{"role":"user","content":"why"}])"));
}

TEST(OllamaChat, ThinkingOfAnotherProviderIsNotReplayed) {
  auto said = message(Role::assistant, "4");
  said.reasoning = "2+2";
  said.provider_blocks = {{.provider = "anthropic", .data = R"({"signature":"c2ln"})"}};
  EXPECT_THAT(body_of(request_with({said})), HasSubstr(R"([{"role":"assistant","content":"4"}])"));
}

TEST(OllamaChat, TextPartsAreJoinedByLineEnds) {
  Message parts;
  parts.content = {{.type = "text", .text = "a"}, {.type = "text", .text = "b"}};
  EXPECT_THAT(body_of(request_with({parts})), HasSubstr(R"("content":"a\nb")"));
  EXPECT_THAT(body_of(request_with({Message{}})), HasSubstr(R"({"role":"user","content":""})"));
}

TEST(OllamaChat, ImagesAreBareBase64BesideTheText) {
  Message picture;
  picture.content = {{.type = "text", .text = "What is it?"},
                     {.type = "image", .text = "", .data = "aGk=", .url = "", .media_type = "image/png"},
                     {.type = "image", .text = "", .data = "eW8="}};
  EXPECT_THAT(body_of(request_with({picture})),
              HasSubstr(R"({"role":"user","content":"What is it?","images":["aGk=","eW8="]})"));
  picture.content.erase(picture.content.begin());
  EXPECT_THAT(body_of(request_with({picture})), HasSubstr(R"({"role":"user","images":["aGk=","eW8="]})"));
}

TEST(OllamaChat, RefusesUnsupportedPartsWithAdvice) {
  Message by_url;
  by_url.content = {{.type = "image", .text = "", .data = "", .url = "https://example.org/cat.png"}};
  const auto image = provider().chat(request_with({by_url}), target, {});
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(image.error().detail, HasSubstr("data URL"));

  Message audio;
  audio.content = {{.type = "audio"}};
  const auto part = provider().chat(request_with({audio}), target, {});
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(part.error().detail, HasSubstr("\"audio\""));
}

TEST(OllamaChat, ParametersBecomeOptions) {
  EXPECT_EQ(
      changed([](auto& r) {
        r.temperature = 0.5;
        r.top_p = 0.9;
        r.top_k = 40;
        r.seed = 7;
        r.tokens_max = 16;
        r.stop = {"a", "\n"};
      }),
      hi + R"(,"options":{"temperature":0.5,"top_p":0.9,"top_k":40,"seed":7,"num_predict":16,"stop":["a","\n"]}})");
  EXPECT_EQ(changed([](auto& r) { r.temperature = 0.0; }), hi + R"(,"options":{"temperature":0}})")
      << "zero is a value";
}

TEST(OllamaChat, FormatIsJsonOrASchema) {
  using Kind = events::ResponseFormat::Kind;
  EXPECT_EQ(changed([](auto& r) { r.response_format = {{.kind = Kind::json}}; }), hi + R"(,"format":"json"})");
  EXPECT_EQ(
      changed([](auto& r) { r.response_format = {{.kind = Kind::json_schema, .schema = R"({"type":"object"})"}}; }),
      hi + R"(,"format":{"type":"object"}})");
  EXPECT_EQ(changed([](auto& r) { r.response_format = {{.kind = Kind::text}}; }), hi + "}");
}

TEST(OllamaChat, ToolsAreOfferedUnlessTheChoiceIsNone) {
  using Mode = events::ToolChoice::Mode;
  const auto offering = [](std::optional<Mode> mode) {
    return [mode](ChatRequest& r) {
      r.tools = {{.name = "f", .description = "does f", .parameters = R"({"type":"object"})"}, {.name = "g"}};
      if (mode) r.tool_choice = events::ToolChoice{.mode = *mode, .name = "f"};
    };
  };
  const std::string offered =
      hi +
      R"(,"tools":[{"type":"function","function":{"name":"f","description":"does f","parameters":{"type":"object"}}},)"
      R"({"type":"function","function":{"name":"g"}}]})";
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(offering(std::nullopt), &warnings), offered);
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed(offering(Mode::automatic), &warnings), offered);
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(changed(offering(Mode::none), &warnings), hi + "}");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(OllamaChat, ToolThatMustBeCalledIsRefused) {
  using Mode = events::ToolChoice::Mode;
  for (const auto mode : {Mode::required, Mode::named}) {
    EXPECT_THAT(changed([&](auto& r) {
                  r.tools = {{.name = "f"}};
                  r.tool_choice = events::ToolChoice{.mode = mode, .name = "f"};
                }),
                HasSubstr("error: toolChoice: Ollama cannot be made to call a tool"));
  }
}

struct ThinkCase {
  events::Reasoning reasoning;
  std::string_view think;  ///< empty: left out
  std::size_t warnings;
};
TEST(OllamaChat, ReasoningBecomesThink) {
  for (const auto& row : {
           ThinkCase{{.enabled = true}, "true", 0},
           ThinkCase{{.enabled = false}, "false", 0},
           ThinkCase{{.effort = "low"}, R"("low")", 0},
           ThinkCase{{.enabled = true, .effort = "medium"}, R"("medium")", 0},
           ThinkCase{{.effort = "high"}, R"("high")", 0},
           ThinkCase{{.effort = "none"}, "false", 0},
           ThinkCase{{.enabled = false, .effort = "high"}, "false", 0},
           ThinkCase{{.enabled = true, .effort = "heroic"}, "true", 1},
           ThinkCase{{.effort = "heroic"}, "", 1},
           ThinkCase{{.enabled = true, .effort = "", .tokens_max = 100}, "true", 1},
           ThinkCase{{}, "", 0},
       }) {
    std::vector<std::string> warnings;
    const auto body = changed([&](auto& r) { r.reasoning = row.reasoning; }, &warnings);
    EXPECT_EQ(body, row.think.empty() ? hi + "}" : hi + ",\"think\":" + std::string(row.think) + "}");
    EXPECT_EQ(warnings.size(), row.warnings) << body;
  }
}

TEST(OllamaChat, WarnsWhereThinkingCannotBeSwitchedOff) {
  auto request = request_with({message(Role::user, "hi")});
  request.reasoning = events::Reasoning{.enabled = false};
  for (const auto* model : {"gpt-oss:20b", "hf.co/someone/gpt-oss-120b"}) {
    const auto call = provider().chat(request, {.base_url = "http://h", .upstream_name = model}, {});
    ASSERT_TRUE(call);
    EXPECT_THAT(call->warnings, ElementsAre(HasSubstr("cannot be switched off")));
  }
}

TEST(OllamaChat, ProviderConfigIsLaidOverTheRest) {
  std::vector<std::string> warnings;
  EXPECT_EQ(
      changed(
          [](auto& r) {
            r.temperature = 0.5;
            r.seed = 7;
            r.reasoning = events::Reasoning{.enabled = true};
            r.provider_config["ollama"] =
                R"({"keep_alive": "10m", "think": "max", "truncate": false, "options": {"num_ctx": 8192, "seed": 8}})";
            r.provider_config["openai"] = R"({"service_tier":"flex"})";
          },
          &warnings),
      hi.substr(0, hi.rfind(",\"truncate\"")) +
          R"(,"options":{"temperature":0.5,"num_ctx":8192,"seed":8},"keep_alive":"10m","think":"max","truncate":false})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(OllamaChat, ProviderConfigCannotChangeWhatWasAdmitted) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.provider_config["ollama"] = R"({"model":"other","messages":[],"stream":false,"tools":[{}]})";
                },
                &warnings),
            hi + "}");
  EXPECT_EQ(warnings.size(), 4U);
}

TEST(OllamaChat, ProviderConfigThatIsNoObjectIsRefused) {
  for (const auto* config : {"[]", "7", "{", R"({"options":[]})", R"({"options":"x"})"}) {
    EXPECT_THAT(changed([&](auto& r) { r.provider_config["ollama"] = config; }),
                HasSubstr("error: providerConfig.ollama"))
        << config;
  }
}

TEST(OllamaChat, TextIsEscapedWhateverItIs) {
  EXPECT_THAT(body_of(request_with({message(Role::user, "\"\\\n\x01 ü\xFF")})), HasSubstr(R"("content":"\"\\\n\u0001 ü)"
                                                                                          "\xEF\xBF\xBD\""));
}

TEST(FindProvider, KnowsOllamaByName) {
  ASSERT_NE(find_provider("ollama"), nullptr);
  EXPECT_EQ(find_provider("ollama")->adapter(), "ollama");
  EXPECT_EQ(find_provider("ollama2"), nullptr);
  EXPECT_EQ(find_provider(""), nullptr);
}

/// The oldest call is the one that a search from the newest finds last.
TEST(OllamaChat, AConversationOfManyCallsAndResultsEnds) {
  constexpr std::size_t answers = 200;
  constexpr std::size_t calls = 500;
  constexpr std::size_t results = 100'000;
  std::vector<Message> messages(answers + results);
  for (std::size_t i = 0; i < answers; ++i) {
    messages[i].role = Role::assistant;
    for (std::size_t j = 0; j < calls; ++j) {
      messages[i].tool_calls.push_back({.id = fmt::format("c{}", i * calls + j), .name = "f", .arguments = ""});
    }
  }
  for (std::size_t i = answers; i < messages.size(); ++i) {
    messages[i].role = Role::tool;
    messages[i].tool_call_id = "c0";
  }
  EXPECT_THAT(body_of(request_with(std::move(messages))), HasSubstr(R"("tool_name":"f","tool_call_id":"c0"})"));
}

TEST(OllamaChat, ResultAnswersNewestCallOfItsId) {
  auto asks = [](std::vector<std::string> names) {
    Message out;
    out.role = Role::assistant;
    for (auto& name : names) out.tool_calls.push_back({.id = "c", .name = std::move(name), .arguments = ""});
    return out;
  };
  Message result;
  result.role = Role::tool;
  result.tool_call_id = "c";
  const auto body = body_of(request_with({asks({"old"}), asks({"first", "second"}), result, asks({"later"}), result}));
  EXPECT_THAT(body, HasSubstr(R"("tool_name":"first")"));
  EXPECT_THAT(body, HasSubstr(R"("tool_name":"later")"));
  EXPECT_EQ(body.find(R"("tool_name":"old")"), std::string::npos);
  EXPECT_EQ(body.find(R"("tool_name":"second")"), std::string::npos);
}

}  // namespace
}  // namespace tokenrail::providers::ollama
