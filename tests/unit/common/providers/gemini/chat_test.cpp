#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/gemini/gemini.hpp"

namespace tokenrail::providers::gemini {
namespace {

using events::ChatRequest;
using events::Message;
using events::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = events::ResponseFormat::Kind;
using Mode = events::ToolChoice::Mode;

Target target(std::string model = "gemini-2.5-flash") {
  return {
      .provider = "gemini", .base_url = "https://generativelanguage.googleapis.com", .upstream_name = std::move(model)};
}

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

std::string body_of(const ChatRequest& request, std::vector<std::string>* warnings = nullptr,
                    const std::string& model = "gemini-2.5-flash") {
  auto call = provider().chat(request, target(model), {});
  if (!call) {
    EXPECT_EQ(call.error().kind, ErrorKind::invalid_input);
    return "error: " + call.error().detail;
  }
  if (warnings != nullptr) *warnings = call->warnings;
  return call->request.body;
}

template <class Change>
std::string changed(Change change, std::vector<std::string>* warnings = nullptr,
                    const std::string& model = "gemini-2.5-flash") {
  auto request = request_with({message(Role::user, "hi")});
  change(request);
  return body_of(request, warnings, model);
}
const std::string hi = R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}])";

std::string contents_of(const std::vector<Message>& messages, const std::string& model = "gemini-2.5-flash") {
  return body_of(request_with(messages), nullptr, model);
}

TEST(GeminiChat, ContainsOnlyWhatTheRequestAsksFor) {
  auto asking = request_with({message(Role::user, "hi")});
  const auto stream = provider().chat(asking, target(), {});
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->request.method, "POST");
  EXPECT_EQ(stream->request.url,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
  EXPECT_EQ(stream->request.body, hi + "}");
  EXPECT_THAT(stream->warnings, IsEmpty());
  EXPECT_TRUE(stream->decoder);
  asking.stream = false;
  const auto whole = provider().chat(asking, target(), {});
  EXPECT_TRUE(whole->request.url.ends_with("/models/gemini-2.5-flash:generateContent"));
  EXPECT_EQ(whole->request.body, hi + "}");
}

struct UrlCase {
  const char* base;
  const char* model;
  const char* url;
};
TEST(GeminiChat, UrlsFollowTheBaseUrl) {
  for (const auto& row : {
           UrlCase{"https://g.example/", "m", "https://g.example/v1beta/models/m:x"},
           UrlCase{"https://g.example/v1beta", "m", "https://g.example/v1beta/models/m:x"},
           UrlCase{"https://g.example/gateway/v1", "models/m", "https://g.example/gateway/v1/models/m:x"},
           UrlCase{"https://g.example", "tunedModels/t", "https://g.example/v1beta/tunedModels/t:x"},
           UrlCase{"https://g.example", "bad model", "https://g.example/v1beta/models/bad%20model:x"},
           UrlCase{"https://aiplatform.googleapis.com", "m",
                   "https://aiplatform.googleapis.com/v1/publishers/google/models/m:x"},
           UrlCase{"https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu", "m",
                   "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/m:x"},
           UrlCase{"https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google", "m",
                   "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/m:x"},
           UrlCase{"https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu", "endpoints/7",
                   "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/endpoints/7:x"},
       }) {
    EXPECT_EQ(method_url({.base_url = row.base, .upstream_name = row.model}, "x"), row.url);
  }
}

TEST(GeminiChat, TheCredentialGoesWhereItsTypeSays) {
  auto where = target();
  where.credential = {.type = AuthType::header, .name = "x-goog-api-key", .secret = Secret("k")};
  const auto keyed = provider().chat(request_with({message(Role::user, "hi")}), where, {});
  ASSERT_EQ(keyed->request.headers.size(), 3U);
  EXPECT_EQ(keyed->request.headers.back().name, "x-goog-api-key");
  EXPECT_TRUE(keyed->request.headers.back().secret);
  where.credential = {.type = AuthType::bearer, .secret = Secret("t")};
  const auto bearer = provider().chat(request_with({message(Role::user, "hi")}), where, {});
  EXPECT_EQ(bearer->request.headers.back().value, "Bearer t");
}

TEST(GeminiChat, SystemMessagesBecomeTheInstruction) {
  std::vector<std::string> warnings;
  EXPECT_EQ(body_of(request_with({message(Role::system, "a"), message(Role::user, "hi"), message(Role::assistant, "yo"),
                                  message(Role::system, "b")}),
                    &warnings),
            R"({"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]},"contents":[)"
            R"({"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"yo"}]}]})");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[3]")));
  EXPECT_THAT(contents_of({message(Role::system, "a")}), HasSubstr("error: messages: Gemini needs"));
  auto picture = message(Role::system, "a");
  picture.content.push_back({.type = "image", .data = "AA=="});
  EXPECT_THAT(contents_of({picture, message(Role::user, "hi")}), HasSubstr("error: messages[0]"));
}

TEST(GeminiChat, CallsAndResultsCarryIdsAndNames) {
  Message call;
  call.role = Role::assistant;
  call.tool_calls = {{.id = "c1", .name = "f", .arguments = R"({ "a": 1 })"},
                     {.id = "c2", .name = "g", .arguments = ""}};
  auto first = message(Role::tool, "5");
  first.tool_call_id = "c1";
  auto second = message(Role::tool, R"({ "ok": true })");
  second.tool_call_id = "c2";
  EXPECT_EQ(contents_of({message(Role::user, "hi"), call, second, first, message(Role::user, "and?")}),
            R"({"contents":[{"role":"user","parts":[{"text":"hi"}]},)"
            R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{"a":1}}},)"
            R"({"functionCall":{"id":"c2","name":"g","args":{}}}]},)"
            R"({"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"result":"5"}}},)"
            R"({"functionResponse":{"id":"c2","name":"g","response":{"ok":true}}}]},)"
            R"({"role":"user","parts":[{"text":"and?"}]}]})");
}

TEST(GeminiChat, DoesNotSendInventedIds) {
  Message call;
  call.role = Role::assistant;
  call.tool_calls = {{.id = "gemini-1-r", .name = "f", .arguments = "{}"}};
  auto result = message(Role::tool, "5");
  result.tool_call_id = "gemini-1-r";
  EXPECT_THAT(contents_of({call, result}),
              testing::AllOf(HasSubstr(R"({"functionCall":{"name":"f","args":{}}})"),
                             HasSubstr(R"({"functionResponse":{"name":"f","response":{"result":"5"}}})")));
}

TEST(GeminiChat, AResultNeedsTheNameOfItsTool) {
  auto result = message(Role::tool, "5");
  result.tool_call_id = "c9";
  EXPECT_THAT(contents_of({message(Role::user, "hi"), result}), HasSubstr("error: messages[1]"));
  result.name = "f";
  EXPECT_THAT(contents_of({message(Role::user, "hi"), result}), HasSubstr(R"("name":"f","response":{"result":"5"})"));
}

TEST(GeminiChat, ArgumentsThatAreNoObjectAreRefused) {
  for (const auto* arguments : {"x", "[1]", "7", "{\"a\":"}) {
    Message call;
    call.role = Role::assistant;
    call.tool_calls = {{.id = "c", .name = "square", .arguments = arguments}};
    const auto body = contents_of({message(Role::user, "u"), call});
    EXPECT_THAT(body, testing::AllOf(HasSubstr("error: messages[1]"), HasSubstr("square"))) << arguments;
  }
}

TEST(GeminiChat, SignaturesReturnToTheirParts) {
  auto said = message(Role::assistant, "abcdef");
  said.reasoning = "hm";
  said.tool_calls = {{.id = "c1", .name = "f", .arguments = "{}"}, {.id = "c2", .name = "g", .arguments = "{}"}};
  said.provider_blocks = {
      {.provider = "gemini", .data = R"({"part":"thought","thoughtSignature":"dA=="})"},
      {.provider = "gemini", .data = R"({"part":"text","from":2,"bytes":2,"calls":0,"thoughtSignature":"eA=="})"},
      {.provider = "gemini", .data = R"({"part":"call","id":"c2","thoughtSignature":"YQ=="})"},
      {.provider = "gemini", .data = R"({"part":"text","from":6,"bytes":0,"calls":2,"thoughtSignature":"Yw=="})"},
      {.provider = "anthropic", .data = R"({"part":"call","id":"c1","thoughtSignature":"no"})"}};
  EXPECT_THAT(contents_of({message(Role::user, "hi"), said}),
              HasSubstr(R"({"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"dA=="},)"
                        R"({"text":"ab"},{"text":"cd","thoughtSignature":"eA=="},{"text":"ef"},)"
                        R"({"functionCall":{"id":"c1","name":"f","args":{}}},)"
                        R"({"functionCall":{"id":"c2","name":"g","args":{}},"thoughtSignature":"YQ=="},)"
                        R"({"text":"","thoughtSignature":"Yw=="}]})"));
}

TEST(GeminiChat, SignatureOfChangedTextGoesToItsEnd) {
  for (const auto* place :
       {R"("from":4,"bytes":9)", R"("from":1,"bytes":1)", R"("from":9223372036854775807,"bytes":1)"}) {
    auto said = message(Role::assistant, "\u00fcx");
    said.provider_blocks = {
        {.provider = "gemini", .data = fmt::format(R"({{"part":"text",{},"thoughtSignature":"eA=="}})", place)}};
    EXPECT_THAT(contents_of({said}), HasSubstr("[{\"text\":\"\u00fcx\",\"thoughtSignature\":\"eA==\"}]")) << place;
  }
  Message lists = message(Role::assistant, "a");
  lists.content.push_back({.type = "text", .text = "b"});
  lists.provider_blocks = {
      {.provider = "gemini", .data = R"({"part":"text","from":0,"bytes":1,"thoughtSignature":"eA=="})"}};
  EXPECT_THAT(contents_of({lists}), HasSubstr(R"([{"text":"a"},{"text":"b","thoughtSignature":"eA=="}])"));
}

TEST(GeminiChat, BlocksThatCannotBeReadAreNamed) {
  auto said = message(Role::assistant, "x");
  said.provider_blocks = {{.provider = "gemini", .data = "7"}, {.provider = "gemini", .data = "{"}};
  std::vector<std::string> warnings;
  EXPECT_THAT(body_of(request_with({said}), &warnings), HasSubstr(R"("parts":[{"text":"x"}])"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[0]: 2")));
}

TEST(GeminiChat, MarksForeignCallsIfSignaturesAreRequired) {
  Message call;
  call.role = Role::assistant;
  call.tool_calls = {{.id = "c1", .name = "f", .arguments = "{}"}, {.id = "c2", .name = "g", .arguments = "{}"}};
  for (const auto* model : {"gemini-3-pro-preview", "models/gemini-3.5-flash", "gemini-flash-latest", "gemini-12-x"}) {
    EXPECT_THAT(contents_of({message(Role::user, "u"), call}, model),
                HasSubstr(R"("name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},)"
                          R"({"functionCall":{"id":"c2","name":"g","args":{}}}])"))
        << model;
  }
  for (const auto* model : {"gemini-2.5-flash", "gemini-2.0-flash", "gemma-3-1b-it"}) {
    EXPECT_THAT(contents_of({message(Role::user, "u"), call}, model), Not(HasSubstr("thoughtSignature"))) << model;
  }
}

TEST(GeminiChat, ReasoningOfOtherModelsIsNotReplayed) {
  auto said = message(Role::assistant, "4");
  said.reasoning = "2+2";
  EXPECT_THAT(contents_of({said}), HasSubstr(R"({"role":"model","parts":[{"text":"4"}]})"));
}

TEST(GeminiChat, EmptyMessagesHaveNoEmptyTurn) {
  std::vector<std::string> warnings;
  EXPECT_EQ(body_of(request_with({message(Role::user, "hi"), message(Role::assistant, "")}), &warnings), hi + "}");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[1]")));
  EXPECT_EQ(contents_of({Message{}}), R"({"contents":[{"role":"user","parts":[{"text":""}]}]})");
  auto signed_only = message(Role::assistant, "");
  signed_only.provider_blocks = {
      {.provider = "gemini", .data = R"({"part":"call","id":"c9","thoughtSignature":"eA=="})"}};
  EXPECT_THAT(contents_of({signed_only}), HasSubstr(R"("parts":[{"text":""}])"));
}

TEST(GeminiChat, MediaIsInlineOrByUrl) {
  Message asking = message(Role::user, "What is it?");
  asking.content.push_back({.type = "image", .data = "AAAA", .media_type = "image/webp"});
  asking.content.push_back({.type = "image", .data = "/9j/4AA"});
  asking.content.push_back({.type = "audio", .data = "UklGRg"});
  asking.content.push_back({.type = "file", .data = "AAAA", .filename = "a.csv"});
  asking.content.push_back({.type = "file", .url = "https://example.org/a.pdf?x=1"});
  asking.content.push_back({.type = "image", .url = "gs://b/c"});
  EXPECT_EQ(contents_of({asking}),
            R"({"contents":[{"role":"user","parts":[{"text":"What is it?"},)"
            R"({"inlineData":{"mimeType":"image/webp","data":"AAAA"}},)"
            R"({"inlineData":{"mimeType":"image/jpeg","data":"/9j/4AA"}},)"
            R"({"inlineData":{"mimeType":"audio/wav","data":"UklGRg"}},)"
            R"({"inlineData":{"mimeType":"text/csv","data":"AAAA"}},)"
            R"({"fileData":{"mimeType":"application/pdf","fileUri":"https://example.org/a.pdf?x=1"}},)"
            R"({"fileData":{"fileUri":"gs://b/c"}}]}]})");
}

TEST(GeminiChat, MediaWithoutATypeIsRefused) {
  Message asking;
  asking.content.push_back({.type = "file", .data = "AAAA"});
  EXPECT_THAT(contents_of({asking}), testing::AllOf(HasSubstr("error: messages[0]"), HasSubstr("mediaType")));
  asking.content[0].type = "hologram";
  EXPECT_THAT(contents_of({asking}), HasSubstr("\"hologram\""));
}

TEST(GeminiChat, MediaOfResultsComesBehindThem) {
  auto result = message(Role::tool, "5");
  result.name = "f";
  result.content.push_back({.type = "image", .data = "AAAA", .media_type = "image/png"});
  auto other = message(Role::tool, "6");
  other.name = "g";
  EXPECT_THAT(contents_of({result, other}),
              HasSubstr(R"("response":{"result":"5"}}},{"functionResponse":{"name":"g","response":{"result":"6"}}},)"
                        R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}}])"));
}

TEST(GeminiChat, ParametersBecomeGenerationConfig) {
  EXPECT_EQ(changed([](auto& r) {
              r.temperature = 0.0;
              r.top_p = 0.9;
              r.top_k = 40;
              r.seed = 7;
              r.tokens_max = 16;
              r.stop = {"a", "\n"};
            }),
            hi + R"(,"generationConfig":{"temperature":0,"topP":0.9,"topK":40,"maxOutputTokens":16,)"
                 R"("stopSequences":["a","\n"],"seed":7}})");
}

TEST(GeminiChat, RefusesOrNamesUnsupportedParts) {
  EXPECT_THAT(changed([](auto& r) { r.stop = {"1", "2", "3", "4", "5", "6"}; }),
              HasSubstr("error: stop: Gemini takes at most 5"));
  EXPECT_THAT(changed([](auto& r) { r.stop = {"1", "2", "3", "4", "5"}; }), Not(HasSubstr("error")));
  std::vector<std::string> warnings;
  EXPECT_EQ(changed([](auto& r) { r.seed = 2'147'483'648; }, &warnings), hi + "}");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("seed")));
  EXPECT_EQ(changed([](auto& r) { r.seed = -2'147'483'648; }, &warnings),
            hi + R"(,"generationConfig":{"seed":-2147483648}})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(GeminiChat, FormatIsJsonOrASchema) {
  EXPECT_EQ(changed([](auto& r) { r.response_format = {{.kind = Kind::text}}; }), hi + "}");
  EXPECT_EQ(changed([](auto& r) { r.response_format = {{.kind = Kind::json}}; }),
            hi + R"(,"generationConfig":{"responseMimeType":"application/json"}})");
  EXPECT_EQ(
      changed([](auto& r) { r.response_format = {{.kind = Kind::json_schema, .schema = R"({"type":"object"})"}}; }),
      hi + R"(,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}})");
}

TEST(GeminiChat, ToolsAreDeclaredWithJsonSchemas) {
  const auto offering = [](std::optional<Mode> mode) {
    return [mode](ChatRequest& r) {
      r.tools = {{.name = "f", .description = "does f", .parameters = R"({"type":"object"})"}, {.name = "g"}};
      if (mode) r.tool_choice = events::ToolChoice{.mode = *mode, .name = "f"};
    };
  };
  const std::string tools = R"(,"tools":[{"functionDeclarations":[{"name":"f","description":"does f",)"
                            R"("parametersJsonSchema":{"type":"object"}},{"name":"g"}]}])";
  const auto config = [](std::string_view mode) {
    return fmt::format(R"(,"toolConfig":{{"functionCallingConfig":{{"mode":{}}}}}}})", mode);
  };
  EXPECT_EQ(changed(offering(std::nullopt)), hi + tools + "}");
  EXPECT_EQ(changed(offering(Mode::automatic)), hi + tools + config(R"("AUTO")"));
  EXPECT_EQ(changed(offering(Mode::none)), hi + tools + config(R"("NONE")"));
  EXPECT_EQ(changed(offering(Mode::required)), hi + tools + config(R"("ANY")"));
  EXPECT_EQ(changed(offering(Mode::named)), hi + tools + config(R"("ANY","allowedFunctionNames":["f"])"));
  EXPECT_EQ(changed([](auto& r) { r.tool_choice = {{.mode = Mode::required}}; }), hi + "}");
}

struct ThinkCase {
  const char* model;
  events::Reasoning reasoning;
  std::string_view config;  ///< empty: left out
  std::size_t warnings = 0;
};
TEST(GeminiChat, ReasoningBecomesALevelOrABudget) {
  const auto* const flash2 = "gemini-2.5-flash";
  const auto* const pro2 = "gemini-2.5-pro";
  const auto* const flash3 = "gemini-3.5-flash";
  const auto* const pro3 = "gemini-3-pro-preview";
  for (const auto& row : {
           ThinkCase{flash2, {}, ""},
           ThinkCase{flash2, {.enabled = true}, R"({"includeThoughts":true})"},
           ThinkCase{flash2, {.enabled = false}, R"({"thinkingBudget":0})"},
           ThinkCase{flash2, {.effort = "none"}, R"({"thinkingBudget":0})"},
           ThinkCase{flash2, {.tokens_max = 0}, R"({"thinkingBudget":0})"},
           ThinkCase{flash2, {.enabled = true, .effort = "none"}, R"({"includeThoughts":true})"},
           ThinkCase{flash2, {.effort = "low"}, R"({"includeThoughts":true,"thinkingBudget":1024})"},
           ThinkCase{flash2, {.effort = "high"}, R"({"includeThoughts":true,"thinkingBudget":24576})"},
           ThinkCase{flash2, {.effort = "high", .tokens_max = 512}, R"({"includeThoughts":true,"thinkingBudget":512})"},
           ThinkCase{flash2, {.enabled = false, .effort = "high"}, R"({"thinkingBudget":0})"},
           ThinkCase{flash2, {.effort = "heroic"}, R"({"includeThoughts":true})", 1},
           ThinkCase{pro2, {.enabled = false}, R"({"thinkingBudget":128})", 1},
           ThinkCase{flash3, {.effort = "minimal"}, R"({"includeThoughts":true,"thinkingLevel":"MINIMAL"})"},
           ThinkCase{flash3, {.effort = "medium"}, R"({"includeThoughts":true,"thinkingLevel":"MEDIUM"})"},
           ThinkCase{flash3, {.effort = "max"}, R"({"includeThoughts":true,"thinkingLevel":"HIGH"})"},
           ThinkCase{flash3, {.tokens_max = 512}, R"({"includeThoughts":true,"thinkingBudget":512})"},
           ThinkCase{flash3, {.enabled = false}, R"({"thinkingLevel":"MINIMAL"})", 1},
           ThinkCase{pro3, {.effort = "minimal"}, R"({"includeThoughts":true,"thinkingLevel":"LOW"})"},
           ThinkCase{pro3, {.effort = "medium"}, R"({"includeThoughts":true,"thinkingLevel":"HIGH"})"},
           ThinkCase{
               "gemini-3.1-pro-preview", {.effort = "medium"}, R"({"includeThoughts":true,"thinkingLevel":"MEDIUM"})"},
           ThinkCase{pro3, {.enabled = false}, R"({"thinkingLevel":"LOW"})", 1},
           ThinkCase{"gemini-2.0-flash", {.effort = "low"}, "", 1},
           ThinkCase{"gemini-1.5-pro", {.enabled = false}, ""},
           ThinkCase{"gemini-flash-latest", {.effort = "low"}, R"({"includeThoughts":true,"thinkingBudget":1024})"},
       }) {
    std::vector<std::string> warnings;
    const auto body = changed([&](auto& r) { r.reasoning = row.reasoning; }, &warnings, row.model);
    EXPECT_EQ(body, row.config.empty()
                        ? hi + "}"
                        : fmt::format(R"({},"generationConfig":{{"thinkingConfig":{}}}}})", hi, row.config))
        << row.model;
    EXPECT_EQ(warnings.size(), row.warnings) << body;
  }
}

TEST(GeminiChat, ProviderConfigIsLaidOverTheRest) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.temperature = 0.5;
                  r.seed = 7;
                  r.tools = {{.name = "f"}};
                  r.tool_choice = {{.mode = Mode::required}};
                  r.reasoning = {{.enabled = true}};
                  r.provider_config["gemini"] =
                      R"({"generationConfig": {"seed": 8, "candidateCount": 1, "thinkingConfig": {}},)"
                      R"("toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},)"
                      R"("safetySettings": [], "tools": [{"googleSearch": {}}]})";
                  r.provider_config["openai"] = R"({"service_tier":"flex"})";
                },
                &warnings),
            hi + R"(,"tools":[{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}],)"
                 R"("generationConfig":{"temperature":0.5,"candidateCount":1,"seed":8,"thinkingConfig":{}},)"
                 R"("safetySettings":[],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}})");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(GeminiChat, ProviderConfigAsksForNoFurtherAnswers) {
  std::vector<std::string> warnings;
  const auto body =
      changed([](auto& r) { r.provider_config["gemini"] = R"({"generationConfig":{"candidateCount":8,"topK":3}})"; },
              &warnings);
  EXPECT_EQ(body, hi + R"(,"generationConfig":{"topK":3}})");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("candidateCount")));
}

TEST(GeminiChat, ProviderConfigCannotChangeWhatWasAdmitted) {
  std::vector<std::string> warnings;
  EXPECT_EQ(changed(
                [](auto& r) {
                  r.provider_config["gemini"] = R"({"model":"other","contents":[],"systemInstruction":{},"stream":1,)"
                                                R"("tools":[{"functionDeclarations":[]}]})";
                },
                &warnings),
            hi + "}");
  EXPECT_EQ(warnings.size(), 5U);
  for (const auto* config : {"[]", "7", "{", R"({"generationConfig":[]})"}) {
    EXPECT_THAT(changed([&](auto& r) { r.provider_config["gemini"] = config; }),
                HasSubstr("error: providerConfig.gemini"));
  }
}

TEST(GeminiChat, ADecoderNamesTheProviderOfItsBlocks) {
  class Sink final : public AnswerSink {
   public:
    void on_event(AnswerEvent event) override {
      if (const auto* opaque = std::get_if<OpaqueBlock>(&event)) provider = opaque->block.provider;
    }
    std::string provider{};
  };
  auto where = target();
  where.provider = "my-vertex";
  Sink sink;
  provider()
      .chat(request_with({message(Role::user, "hi")}), where, {})
      ->decoder->feed("[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\",\"thoughtSignature\":\"eA==\"}]}}]}",
                      sink);
  EXPECT_EQ(sink.provider, "my-vertex");
}

TEST(FindProvider, KnowsGeminiByName) {
  ASSERT_NE(find_provider("gemini"), nullptr);
  EXPECT_EQ(find_provider("gemini")->adapter(), "gemini");
}

/// The oldest call is the one that a search from the newest finds last.
TEST(GeminiChat, AConversationOfManyCallsAndResultsEnds) {
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
  EXPECT_THAT(contents_of(messages), HasSubstr(R"({"functionResponse":{"id":"c0","name":"f","response":{)"));
}

TEST(GeminiChat, ResultAnswersNewestCallOfItsId) {
  auto asks = [](std::vector<std::string> names) {
    Message out;
    out.role = Role::assistant;
    for (auto& name : names) out.tool_calls.push_back({.id = "c", .name = std::move(name), .arguments = ""});
    return out;
  };
  Message result;
  result.role = Role::tool;
  result.tool_call_id = "c";
  const auto body = contents_of({asks({"old"}), asks({"first", "second"}), result, asks({"later"}), result});
  EXPECT_THAT(body, HasSubstr(R"("name":"first","response")"));
  EXPECT_THAT(body, HasSubstr(R"("name":"later","response")"));
  EXPECT_THAT(body, Not(HasSubstr(R"("name":"old","response")")));
  EXPECT_THAT(body, Not(HasSubstr(R"("name":"second","response")")));
}

TEST(GeminiChat, EncodesManyPartsCallsAndSignatures) {
  constexpr std::size_t many = 100'000;
  Message answer;
  answer.role = Role::assistant;
  for (std::size_t i = 0; i < many; ++i) {
    answer.content.push_back({.type = "text", .text = "t"});
    answer.tool_calls.push_back({.id = fmt::format("c{}", i), .name = "f", .arguments = ""});
    answer.provider_blocks.push_back(
        {.provider = "gemini", .data = fmt::format(R"({{"part":"call","id":"c{}","thoughtSignature":"s{}"}})", i, i)});
  }
  const auto body = contents_of({answer});
  EXPECT_THAT(body, HasSubstr(R"({"functionCall":{"id":"c99999","name":"f","args":{}},"thoughtSignature":"s99999"})"));
}

}  // namespace
}  // namespace tokenrail::providers::gemini
