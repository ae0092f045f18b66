#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/json_document.hpp"
#include "common/providers/openai_responses/openai_responses.hpp"
#include "common/providers/openai_responses/strict_schema.hpp"

namespace tokenrail::providers::openai_responses {
namespace {

using events::ChatRequest;
using events::ContentPart;
using events::Message;
using events::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Message message(Role role, std::string text) {
  Message out;
  out.role = role;
  out.content.push_back({.type = "text", .text = std::move(text)});
  return out;
}

struct Made {
  std::string body{};
  std::vector<std::string> warnings{};
};
/// The body of a request that says "hi" and whatever `change` makes of it.
template <class Change>
Made made(Change change, std::string model = "gpt-5.1") {
  ChatRequest request;
  request.messages.push_back(message(Role::user, "hi"));
  change(request);
  auto call = provider().chat(
      request, {.provider = "openai", .base_url = "https://api.openai.com/v1", .upstream_name = std::move(model)}, {});
  if (!call) return {.body = "error: " + call.error().detail};
  return {.body = call->request.body, .warnings = call->warnings};
}
constexpr std::string_view begin =
    R"({"model":"gpt-5.1","input":[{"role":"user","content":"hi"}],"stream":true,"store":false,)"
    R"("include":["reasoning.encrypted_content"])";
std::string with(std::string_view fields) {
  return fmt::format("{},{}}}", begin, fields);
}
std::string input(std::string_view items, std::string_view before = "") {
  return fmt::format(R"({{"model":"gpt-5.1",{}"input":[{}],"stream":true,"store":false,)"
                     R"("include":["reasoning.encrypted_content"]}})",
                     before, items);
}

TEST(ResponsesChat, SendsOnlyFieldsOfTheRequest) {
  const auto one = made([](auto&) {});
  EXPECT_EQ(one.body, std::string(begin) + "}");
  EXPECT_THAT(one.warnings, IsEmpty());
}

TEST(ResponsesChat, TheUrlTakesTheBaseAsItIs) {
  const auto url = [](std::string base) {
    ChatRequest request;
    request.messages.push_back(message(Role::user, "hi"));
    return provider()
        .chat(request, {.provider = "openai", .base_url = std::move(base), .upstream_name = "m"}, {})
        ->request.url;
  };
  EXPECT_EQ(url("https://api.openai.com/v1"), "https://api.openai.com/v1/responses");
  EXPECT_EQ(url("http://localhost:1234"), "http://localhost:1234/v1/responses");
  EXPECT_EQ(url("https://h/openai/v1/"), "https://h/openai/v1/responses");
}

TEST(ResponsesChat, TheSecretIsMarkedAsSecret) {
  ChatRequest request;
  request.messages.push_back(message(Role::user, "hi"));
  const auto call = provider().chat(request,
                                    {.provider = "openai",
                                     .base_url = "https://h",
                                     .upstream_name = "m",
                                     .credential = {.type = AuthType::bearer, .secret = Secret("key-1")}},
                                    {});
  ASSERT_TRUE(call);
  const auto& headers = call->request.headers;
  const auto found = std::ranges::find(headers, "Authorization", &http::Header::name);
  ASSERT_NE(found, headers.end());
  EXPECT_EQ(found->value, "Bearer key-1");
  EXPECT_TRUE(found->secret);
  EXPECT_EQ(headers[1].value, "text/event-stream");
}

TEST(ResponsesChat, LeadingSystemMessagesAreInstructions) {
  EXPECT_EQ(
      made([](auto& r) {
        r.messages = {message(Role::system, "be brief"), message(Role::system, "be kind"), message(Role::user, "hi"),
                      message(Role::system, "now rhyme"), message(Role::user, "go")};
      }).body,
      input(R"({"role":"user","content":"hi"},{"role":"system","content":"now rhyme"},{"role":"user","content":"go"})",
            R"("instructions":"be brief\n\nbe kind",)"));
  EXPECT_EQ(made([](auto& r) { r.messages = {message(Role::system, "alone")}; }).body,
            input(R"({"role":"system","content":"alone"})"))
      << "an empty input is refused";
}

TEST(ResponsesChat, SendsImagesAndFilesAsParts) {
  EXPECT_EQ(made([](auto& r) {
              r.messages[0].content.push_back({.type = "image", .data = "AAAA", .media_type = "image/webp"});
              r.messages[0].content.push_back({.type = "image", .data = "/9j/AAAA"});
              r.messages[0].content.push_back({.type = "image", .url = "https://h/a.png"});
              r.messages[0].content.push_back(
                  {.type = "file", .data = "BBBB", .media_type = "application/pdf", .filename = "a.pdf"});
              r.messages[0].content.push_back({.type = "file", .data = "BBBB"});
              r.messages[0].content.push_back({.type = "file", .url = "https://h/b.pdf"});
            }).body,
            input(R"({"role":"user","content":[{"type":"input_text","text":"hi"},)"
                  R"({"type":"input_image","detail":"auto","image_url":"data:image/webp;base64,AAAA"},)"
                  R"({"type":"input_image","detail":"auto","image_url":"data:image/jpeg;base64,/9j/AAAA"},)"
                  R"({"type":"input_image","detail":"auto","image_url":"https://h/a.png"},)"
                  R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},)"
                  R"({"type":"input_file","filename":"file","file_data":"data:application/pdf;base64,BBBB"},)"
                  R"({"type":"input_file","file_url":"https://h/b.pdf"}]})"));
}

TEST(ResponsesChat, RefusesWhatWouldChangeTheMeaning) {
  EXPECT_THAT(made([](auto& r) { r.messages[0].content.push_back({.type = "audio", .data = "AAAA"}); }).body,
              HasSubstr("error: messages[0]: the Responses API takes no audio"));
  EXPECT_THAT(made([](auto& r) { r.messages[0].content.push_back({.type = "video"}); }).body, HasSubstr("\"video\""));
  EXPECT_THAT(made([](auto& r) { r.stop = {"END"}; }).body, HasSubstr("error: stop: "));
  EXPECT_THAT(made([](auto& r) {
                r.messages.push_back(message(Role::assistant, "x"));
                r.messages[1].content.push_back({.type = "image", .data = "AAAA"});
              }).body,
              HasSubstr("error: messages[1]"));
  EXPECT_THAT(made([](auto& r) {
                r.messages[0].role = Role::system;
                r.messages[0].content.push_back({.type = "image", .data = "AAAA"});
              }).body,
              HasSubstr("error: messages[0]"));
}

TEST(ResponsesChat, ToolsAreFlatAndNotStrict) {
  const auto tools = [](std::optional<events::ToolChoice> choice) {
    return made([&](auto& r) {
             r.tools = {{.name = "f", .description = "d", .parameters = R"({"type":"object"})"}, {.name = "g"}};
             r.tool_choice = choice;
           })
        .body;
  };
  const std::string list =
      R"("tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false},)"
      R"({"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":false}])";
  using Mode = events::ToolChoice::Mode;
  EXPECT_EQ(tools(std::nullopt), with(list));
  EXPECT_EQ(tools(events::ToolChoice{.mode = Mode::automatic}), with(list + R"(,"tool_choice":"auto")"));
  EXPECT_EQ(tools(events::ToolChoice{.mode = Mode::none}), with(list + R"(,"tool_choice":"none")"));
  EXPECT_EQ(tools(events::ToolChoice{.mode = Mode::required}), with(list + R"(,"tool_choice":"required")"));
  EXPECT_EQ(tools(events::ToolChoice{.mode = Mode::named, .name = "f"}),
            with(list + R"(,"tool_choice":{"type":"function","name":"f"})"));
}

TEST(ResponsesChat, ResultsNameTheirCalls) {
  EXPECT_EQ(made([](auto& r) {
              auto answer = message(Role::assistant, "let me see");
              answer.tool_calls = {{.id = "c1", .name = "f", .arguments = R"({"a":1})"},
                                   {.id = "c2", .name = "g", .arguments = ""}};
              auto first = message(Role::tool, "5");
              first.tool_call_id = "c1";
              auto second = message(Role::tool, "a picture");
              second.tool_call_id = "c2";
              second.content.push_back({.type = "image", .url = "https://h/a.png"});
              r.messages.insert(r.messages.end(), {answer, first, second});
            }).body,
            input(R"({"role":"user","content":"hi"},)"
                  R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"let me see"}]},)"
                  R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},)"
                  R"({"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},)"
                  R"({"type":"function_call_output","call_id":"c1","output":"5"},)"
                  R"({"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"a picture"},)"
                  R"({"type":"input_image","detail":"auto","image_url":"https://h/a.png"}]})"));
}

std::string item(std::string_view id) {
  return fmt::format(R"({{"type":"reasoning","id":"{}","encrypted_content":"e"}})", id);
}
std::string placed(std::string_view id, bool after_text, int after_calls) {
  return fmt::format(R"({{"afterText":{},"afterCalls":{},"item":{}}})", after_text, after_calls, item(id));
}
/// The items of one assistant message, each by its id, call id or text.
std::string order(std::string text, std::vector<std::string> calls, std::vector<std::string> blocks,
                  std::vector<std::string>* warnings = nullptr) {
  const auto one = made([&](auto& r) {
    auto answer = message(Role::assistant, std::move(text));
    if (answer.content[0].text.empty()) answer.content.clear();
    for (auto& id : calls) answer.tool_calls.push_back({.id = id, .name = "f", .arguments = ""});
    for (auto& data : blocks) answer.provider_blocks.push_back({.provider = "openai", .data = data});
    r.messages.push_back(std::move(answer));
  });
  if (warnings != nullptr) *warnings = one.warnings;
  const events::JsonDocument document(one.body);
  EXPECT_EQ(document.error(), simdjson::SUCCESS) << one.body;
  const auto items = events::ObjectReader(document.root()).find("input");
  std::string out;
  for (const auto element : simdjson::dom::array(items->get_array().value_unsafe())) {
    const events::ObjectReader item(element);
    const auto name = item.text_if("id").value_or(item.text_if("call_id").value_or("text"));
    if (item.text("role") != "user") out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

TEST(ResponsesChat, ReasoningGoesBackToItsPlace) {
  EXPECT_EQ(order("x", {}, {item("r1")}), "r1 text");
  EXPECT_EQ(order("x", {"c1"}, {item("r1")}), "r1 text c1");
  EXPECT_EQ(order("", {"c1", "c2"}, {item("r1")}), "r1 c1 c2");
  EXPECT_EQ(order("", {"c1", "c2"}, {item("r1"), placed("r2", false, 1)}), "r1 c1 r2 c2");
  EXPECT_EQ(order("x", {"c1"}, {item("r1"), placed("r2", true, 0)}), "r1 text r2 c1");
  EXPECT_EQ(order("x", {"c1"}, {item("r1"), placed("r2", false, 1)}), "r1 c1 r2 text") << "the text came last";
  EXPECT_EQ(order("x", {"c1", "c2"}, {placed("r1", true, 0), placed("r2", true, 1)}), "text r1 c1 r2 c2");
  EXPECT_EQ(order("x", {}, {}), "text");
}

TEST(ResponsesChat, ReasoningThatNothingFollowsIsLeftOut) {
  std::vector<std::string> warnings;
  EXPECT_EQ(order("x", {"c1"}, {placed("r1", true, 1)}, &warnings), "text c1");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("messages[1]: reasoning that nothing follows")));
}

TEST(ResponsesChat, BlocksOfOthersAreDropped) {
  const auto one = made([](auto& r) {
    auto answer = message(Role::assistant, "x");
    answer.reasoning = "thoughts";
    answer.provider_blocks = {{.provider = "anthropic", .data = R"({"type":"thinking","signature":"s"})"},
                              {.provider = "azure", .data = item("r1")},
                              {.provider = "openai", .data = R"({"type":"redacted"})"},
                              {.provider = "openai", .data = "broken"}};
    r.messages.push_back(std::move(answer));
  });
  EXPECT_EQ(one.body, input(R"({"role":"user","content":"hi"},)"
                            R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]})"));
  EXPECT_THAT(one.warnings, IsEmpty());
}

TEST(ResponsesChat, FormatsAreWrittenUnderText) {
  using Kind = events::ResponseFormat::Kind;
  const auto format = [](Kind kind, std::string schema = "") {
    return made([&](auto& r) { r.response_format = events::ResponseFormat{.kind = kind, .schema = schema}; });
  };
  EXPECT_EQ(format(Kind::text).body, std::string(begin) + "}");
  EXPECT_EQ(format(Kind::json).body, with(R"("text":{"format":{"type":"json_object"}})"));
  const std::string strict =
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
  const auto enforced = format(Kind::json_schema, strict);
  EXPECT_EQ(enforced.body, with(R"("text":{"format":{"type":"json_schema","name":"response","schema":)" + strict +
                                R"(,"strict":true}})"));
  EXPECT_THAT(enforced.warnings, IsEmpty());
}

TEST(ResponsesChat, SendsNonStrictSchemaWithWarning) {
  struct Case {
    const char* schema;
    const char* why;
  };
  for (
      const auto& row : {
          Case{R"({"type":"object","properties":{"a":{}},"additionalProperties":false})", "\"a\" is not required"},
          Case{R"({"type":"object","properties":{"a":{}},"required":["a"]})", "additional properties"},
          Case{R"({"type":"object","properties":{},"additionalProperties":{"type":"string"}})",
               "additional properties"},
          Case{R"({"type":"array","items":{}})", "one object"},
          Case{R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{}}}},)"
               R"("required":["a"],"additionalProperties":false})",
               "additional properties"},
          Case{
              R"({"type":"object","properties":{"a":{"$ref":"#/$defs/d"}},"required":["a"],"additionalProperties":false,)"
              R"("$defs":{"d":{"oneOf":[]}}})",
              "it uses oneOf"},
          Case{
              R"({"type":"object","properties":{"a":{"anyOf":[{"not":{}}]}},"required":["a"],"additionalProperties":false})",
              "it uses not"},
      }) {
    const auto one = made([&](auto& r) {
      r.response_format =
          events::ResponseFormat{.kind = events::ResponseFormat::Kind::json_schema, .schema = row.schema};
    });
    EXPECT_THAT(one.body, HasSubstr(R"("strict":false)")) << row.schema;
    EXPECT_THAT(one.warnings, ElementsAre(HasSubstr(row.why))) << row.schema;
  }
}

TEST(ResponsesChat, ReasoningHasAnEffortAndASummary) {
  const auto reasoning = [](events::Reasoning value, std::string model = "gpt-5.1") {
    return made([&](auto& r) { r.reasoning = value; }, std::move(model));
  };
  EXPECT_EQ(reasoning({.enabled = true}).body, with(R"("reasoning":{"summary":"auto"})"));
  EXPECT_EQ(reasoning({.effort = "high"}).body, with(R"("reasoning":{"effort":"high","summary":"auto"})"));
  EXPECT_EQ(reasoning({.enabled = false}).body, with(R"("reasoning":{"effort":"none"})"));
  EXPECT_EQ(reasoning({.effort = "none"}).body, with(R"("reasoning":{"effort":"none"})"));
  EXPECT_THAT(reasoning({.effort = "huge"}).warnings, ElementsAre(HasSubstr("\"huge\"")));
  EXPECT_THAT(reasoning({.enabled = true, .tokens_max = 100}).warnings, ElementsAre(HasSubstr("reasoning.maxTokens")));
  for (const auto& [model, least] : {std::pair("o4-mini", "low"), std::pair("gpt-5-mini", "minimal"),
                                     std::pair("openai/gpt-oss-20b", "low"), std::pair("gpt-5-pro", "high")}) {
    const auto one = reasoning({.enabled = false}, model);
    EXPECT_THAT(one.body, HasSubstr(fmt::format(R"("reasoning":{{"effort":"{}"}})", least))) << model;
    EXPECT_THAT(one.warnings, ElementsAre(HasSubstr("cannot be switched off"))) << model;
  }
}

TEST(ResponsesChat, DoesNotAskForReasoningWithoutSupport) {
  for (const auto* model :
       {"gpt-4o", "gpt-4.1-mini", "ft:gpt-4o:acme", "openai/gpt-4o", "gpt-5-chat-latest", "chatgpt-4o-latest"}) {
    const auto one = made([](auto& r) { r.reasoning = events::Reasoning{.effort = "low"}; }, model);
    EXPECT_THAT(one.body, Not(HasSubstr("reasoning"))) << model;
    EXPECT_THAT(one.warnings, ElementsAre(HasSubstr("does not reason"))) << model;
    EXPECT_THAT(made([](auto& r) { r.reasoning = events::Reasoning{.enabled = false}; }, model).warnings, IsEmpty());
  }
}

TEST(ResponsesChat, SendsSamplingThatTheModelTakes) {
  const auto sampling = [](auto& r) {
    r.temperature = 0.5;
    r.top_p = 0.25;
    r.tokens_max = 100;
    r.top_k = 5;
    r.seed = 7;
  };
  const auto one = made(sampling);
  EXPECT_EQ(one.body, with(R"("max_output_tokens":100,"temperature":0.5,"top_p":0.25)"));
  EXPECT_THAT(one.warnings, ElementsAre(HasSubstr("topK"), HasSubstr("seed")));
  const auto fixed = made(sampling, "o3");
  EXPECT_THAT(fixed.body, Not(HasSubstr("temperature")));
  EXPECT_THAT(fixed.warnings,
              ElementsAre(HasSubstr("temperature"), HasSubstr("topP"), HasSubstr("topK"), HasSubstr("seed")));
}

TEST(ResponsesChat, ProviderConfigIsLaidOverTheBody) {
  const auto config = [](std::string json) {
    return made([&](auto& r) {
      r.reasoning = events::Reasoning{.effort = "low"};
      r.temperature = 0.5;
      r.provider_config["openai"] = json;
      r.provider_config["anthropic"] = R"({"x":1})";
    });
  };
  EXPECT_EQ(
      config(R"({"reasoning":{"summary":"detailed"},"text":{"verbosity":"low"},"temperature":1,"service_tier":"flex"})")
          .body,
      with(
          R"("text":{"verbosity":"low"},"reasoning":{"effort":"low","summary":"detailed"},"service_tier":"flex","temperature":1)"));
  const auto stored = config(R"({"store":true,"include":[]})");
  EXPECT_THAT(stored.body, HasSubstr(R"("include":[],"store":true)"));
  EXPECT_THAT(stored.body, Not(HasSubstr(R"("store":false)")));
  const auto fixed =
      config(R"({"model":"x","input":[],"instructions":"x","stream":false,"tools":[],"background":true})");
  EXPECT_EQ(fixed.warnings.size(), 7U) << "and the temperature, which a model that reasons does not take";
  EXPECT_EQ(fixed.body, with(R"("reasoning":{"effort":"low","summary":"auto"})"));
  EXPECT_THAT(config("[1]").body, HasSubstr("error: providerConfig.openai: must be a JSON object"));
  EXPECT_THAT(config(R"({"text":1})").body, HasSubstr("error: providerConfig.openai.text"));
}

TEST(ResponsesChat, IsKnownByItsName) {
  ASSERT_NE(find_provider("openai-responses"), nullptr);
  EXPECT_EQ(find_provider("openai-responses")->adapter(), "openai-responses");
}

TEST(ResponsesChat, ListsAndEmbeddingsAreThoseOfChatCompletions) {
  const auto* const chat = find_provider("openai");
  EXPECT_EQ(provider().lister(), chat == nullptr ? nullptr : chat->lister());
  EXPECT_EQ(provider().embedder(), chat == nullptr ? nullptr : chat->embedder());
}

/// An object that requires its many properties in the order that a search for each would find last.
std::string wide_schema(int properties) {
  std::string names;
  std::string required;
  for (int i = 0; i < properties; ++i) {
    names += fmt::format(R"({}"p{}":{{}})", i == 0 ? "" : ",", i);
    required += fmt::format(R"({}"p{}")", i == 0 ? "" : ",", properties - 1 - i);
  }
  return fmt::format(R"({{"type":"object","additionalProperties":false,"properties":{{{}}},"required":[{}]}})", names,
                     required);
}

TEST(ResponsesChat, ASchemaOfManyPropertiesIsJudged) {
  auto schema = wide_schema(200'000);
  EXPECT_EQ(not_strict(schema), "");
  schema.replace(schema.rfind("\"p0\""), 4, "\"q0\"");
  EXPECT_EQ(not_strict(schema), "\"p0\" is not required");
}

}  // namespace
}  // namespace tokenrail::providers::openai_responses
