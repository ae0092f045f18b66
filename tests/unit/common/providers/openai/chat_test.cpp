#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/openai/chat_body.hpp"
#include "common/providers/openai/messages.hpp"
#include "common/providers/openai/openai.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::openai {
namespace {

using events::ChatRequest;
using events::ContentPart;
using events::Message;
using events::Role;
using events::ToolChoice;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Target target_of(std::string provider) {
  return {.provider = std::move(provider), .base_url = "http://host", .upstream_name = "m"};
}

Message message(Role role, std::string text) {
  Message out;
  out.role = role;
  if (!text.empty()) out.content.push_back({.type = "text", .text = std::move(text)});
  return out;
}

struct Made {
  std::string body{};
  std::vector<std::string> warnings{};
  std::string error{};
};

/// What a provider gets of a request that says "hi" and whatever `change` makes of it.
template <class Change>
Made made(std::string provider_name, Change change) {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "o1";
  request.messages = {message(Role::user, "hi")};
  change(request);
  auto call = provider().chat(request, target_of(std::move(provider_name)), {});
  if (!call) return {.error = call.error().detail};
  return {.body = call->request.body, .warnings = call->warnings};
}

/// Without what every streamed request to OpenAI begins with.
const std::string hi = R"({"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true)";
const std::string usage = R"(,"stream_options":{"include_usage":true})";

events::Tool tool(std::string name) {
  return {.name = std::move(name), .description = "d", .parameters = R"({"type":"object"})"};
}
const std::string tool_f =
    R"({"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}})";
const std::string tool_g =
    R"({"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object"}}})";

TEST(OpenAiChat, SendsOnlyFieldsOfTheRequest) {
  ChatRequest request;
  request.messages = {message(Role::user, "hi")};
  auto target = target_of("openai");
  target.credential = {.type = AuthType::bearer, .secret = Secret("key")};
  const auto call = provider().chat(request, target, {});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.method, "POST");
  EXPECT_EQ(call->request.url, "http://host/v1/chat/completions");
  EXPECT_EQ(call->request.body, hi + usage + "}");
  EXPECT_THAT(call->warnings, IsEmpty());
  ASSERT_EQ(call->request.headers.size(), 3U);
  EXPECT_EQ(call->request.headers[1].value, "text/event-stream");
  EXPECT_EQ(call->request.headers[2].value, "Bearer key");
  EXPECT_TRUE(call->request.headers[2].secret);
  request.stream = false;
  EXPECT_EQ(provider().chat(request, target, {})->request.body,
            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"stream":false})");
}

TEST(OpenAiChat, KeepsBaseUrlWithPath) {
  ChatRequest request;
  auto target = target_of("groq");
  target.base_url = "https://api.groq.com/openai/v1";
  EXPECT_EQ(provider().chat(request, target, {})->request.url, "https://api.groq.com/openai/v1/chat/completions");
}

TEST(OpenAiChat, ParametersHaveEachProvidersNames) {
  const auto all = [](ChatRequest& request) {
    request.temperature = 0.5;
    request.top_p = 0.9;
    request.top_k = 20;
    request.tokens_max = 100;
    request.seed = 7;
    request.stop = {"a", "b"};
  };
  const std::string sampling = R"("temperature":0.5,"top_p":0.9)";
  const std::string stop = R"(,"stop":["a","b"]})";
  const auto openai = made("openai", all);
  EXPECT_EQ(openai.body, hi + usage + R"(,"max_completion_tokens":100,)" + sampling + R"(,"seed":7)" + stop);
  EXPECT_THAT(openai.warnings, ElementsAre(HasSubstr("topK")));
  EXPECT_EQ(made("vllm", all).body, hi + usage + R"(,"max_tokens":100,)" + sampling + R"(,"top_k":20,"seed":7)" + stop);
  EXPECT_THAT(made("vllm", all).warnings, IsEmpty());
  const auto mistral = made("mistral", all);
  EXPECT_EQ(mistral.body, hi + R"(,"max_tokens":100,)" + sampling + R"(,"random_seed":7)" + stop);
  EXPECT_THAT(made("deepseek", all).warnings, ElementsAre(HasSubstr("topK"), HasSubstr("seed")));
  // A provider that is not known gets what most servers take.
  EXPECT_EQ(made("somebody", all).body, hi + usage + R"(,"max_tokens":100,)" + sampling + R"(,"seed":7)" + stop);
}

TEST(OpenAiChat, ContinuesAnswerOnServersThatSupportIt) {
  const auto prefilled = [](ChatRequest& r) { r.messages.push_back(message(Role::assistant, "Once")); };
  for (const auto* taker : {"vllm", "llamacpp", "groq", "mistral"})
    EXPECT_TRUE(provider().takes_prefill(target_of(taker))) << taker;
  for (const auto* other : {"openai", "openrouter", "xai", "openai-compatible", "a-server-of-ones-own"})
    EXPECT_FALSE(provider().takes_prefill(target_of(other))) << other;
  EXPECT_THAT(made("vllm", prefilled).body,
              HasSubstr(R"("content":"Once"}],"add_generation_prompt":false,"continue_final_message":true,)"));
  EXPECT_THAT(made("vllm", [](ChatRequest&) {}).body, Not(HasSubstr("continue_final_message")));
  EXPECT_THAT(made("vllm", [](ChatRequest& r) { r.messages.clear(); }).body, Not(HasSubstr("continue_final_message")));
  EXPECT_THAT(made("llamacpp", prefilled).body, Not(HasSubstr("continue_final_message")));
}

TEST(OpenAiChat, MistralMarksWhatTheAnswerGoesOnFrom) {
  const auto prefilled = [](ChatRequest& r) { r.messages.push_back(message(Role::assistant, "Once")); };
  EXPECT_THAT(made("mistral", prefilled).body, HasSubstr(R"({"role":"assistant","content":"Once","prefix":true}])"));
  EXPECT_THAT(made("mistral",
                   [&](ChatRequest& r) {
                     prefilled(r);
                     r.messages.push_back(message(Role::user, "Go on"));
                   })
                  .body,
              Not(HasSubstr("prefix")));
  EXPECT_THAT(made("mistral",
                   [&](ChatRequest& r) {
                     prefilled(r);
                     r.messages.back().tool_calls.push_back({.id = "abcdefgh1", .name = "f", .arguments = "{}"});
                   })
                  .body,
              Not(HasSubstr("prefix")));
  EXPECT_THAT(made("llamacpp", prefilled).body, Not(HasSubstr("prefix")));
}

TEST(OpenAiChat, TextThatMistralRepeatsIsLeftOut) {
  ChatRequest request;
  request.stream = true;
  request.messages = {message(Role::user, "Tell me a story"), message(Role::assistant, "Once upon")};
  const auto call = provider().chat(request, target_of("mistral"), {});
  ASSERT_TRUE(call.has_value());
  test::AnswerRecorder recorder;
  call->decoder->feed(
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Once upon\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" a time\"},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n",
      recorder);
  call->decoder->end(recorder);
  EXPECT_EQ(recorder.text(), " a time");
}

TEST(OpenAiChat, AServerThatIsDeclaredToContinueGetsTheSwitch) {
  auto target = target_of("openai-compatible");
  target.continues = true;
  EXPECT_TRUE(provider().takes_prefill(target));
  const auto declared = [](ChatRequest& r) {
    r.provider_config["openai-compatible"] = R"({"continue_final_message":true})";
  };
  EXPECT_THAT(made("openai-compatible", declared).body, Not(HasSubstr("continue_final_message")))
      << "the last message is the user's";
  const auto prefilled = [&](ChatRequest& r) {
    declared(r);
    r.messages.push_back(message(Role::assistant, "Once"));
  };
  EXPECT_THAT(made("openai-compatible", prefilled).body,
              HasSubstr(R"("content":"Once"}],"add_generation_prompt":false,"continue_final_message":true,)"));
}

TEST(OpenAiChat, MoreStopSequencesThanAllowedAreRefused) {
  const auto five = [](ChatRequest& request) { request.stop = {"a", "b", "c", "d", "e"}; };
  EXPECT_THAT(made("openai", five).error, HasSubstr("at most 4"));
  EXPECT_EQ(made("vllm", five).error, "");
}

TEST(OpenAiChat, ReasoningModelsOfOpenAiGetNoSampling) {
  ChatRequest request;
  request.messages = {message(Role::user, "hi")};
  request.temperature = 0.5;
  auto target = target_of("openai");
  target.upstream_name = "gpt-5-mini";
  const auto call = provider().chat(request, target, {});
  EXPECT_THAT(call->request.body, Not(HasSubstr("temperature")));
  EXPECT_THAT(call->warnings, ElementsAre(HasSubstr("temperature")));
  request.reasoning = events::Reasoning{.enabled = false};
  EXPECT_THAT(provider().chat(request, target, {})->request.body, Not(HasSubstr("temperature"))) << "it always reasons";
  target.upstream_name = "gpt-5.1";
  EXPECT_THAT(provider().chat(request, target, {})->request.body, HasSubstr("\"temperature\":0.5"));
  request.reasoning = events::Reasoning{.effort = "high"};
  EXPECT_THAT(provider().chat(request, target, {})->request.body, Not(HasSubstr("temperature")));
  request.reasoning.reset();
  EXPECT_THAT(provider().chat(request, target, {})->request.body, HasSubstr("\"temperature\":0.5"))
      << "by itself it does not reason";
  target.upstream_name = "gpt-4.1";
  EXPECT_THAT(provider().chat(request, target, {})->request.body, HasSubstr("\"temperature\":0.5"));
}

TEST(OpenAiChat, ToolsAndTheirChoice) {
  const auto with = [](std::optional<ToolChoice> choice) {
    return [choice](ChatRequest& request) {
      request.tools = {tool("f"), tool("g")};
      request.tool_choice = choice;
    };
  };
  const std::string tools = R"(,"tools":[)" + tool_f + "," + tool_g + "]";
  EXPECT_EQ(made("openai", with(std::nullopt)).body, hi + usage + tools + "}");
  struct Case {
    ToolChoice::Mode mode;
    std::string json;
  };
  for (const auto& [mode, json] :
       {Case{ToolChoice::Mode::automatic, R"("auto")"}, Case{ToolChoice::Mode::none, R"("none")"},
        Case{ToolChoice::Mode::required, R"("required")"},
        Case{ToolChoice::Mode::named, R"({"type":"function","function":{"name":"g"}})"}}) {
    EXPECT_EQ(made("openai", with(ToolChoice{.mode = mode, .name = "g"})).body,
              hi + usage + tools + R"(,"tool_choice":)" + json + "}");
  }
  EXPECT_EQ(made("mistral", with(ToolChoice{.mode = ToolChoice::Mode::required})).body,
            hi + tools + R"(,"tool_choice":"any"})");
  EXPECT_EQ(made("lmstudio", with(ToolChoice{.mode = ToolChoice::Mode::named, .name = "g"})).body,
            hi + usage + R"(,"tools":[)" + tool_g + R"(],"tool_choice":"required"})");
  for (const auto mode : {ToolChoice::Mode::required, ToolChoice::Mode::named}) {
    EXPECT_THAT(made("ollama-openai", with(ToolChoice{.mode = mode, .name = "g"})).error,
                HasSubstr("toolChoice: Ollama (OpenAI API) cannot be made to call a tool"));
  }
  EXPECT_EQ(made("ollama-openai", with(ToolChoice{.mode = ToolChoice::Mode::none})).body, hi + usage + "}");
  EXPECT_EQ(made("openai", [](ChatRequest& request) { request.tool_choice = ToolChoice{}; }).body, hi + usage + "}")
      << "a choice between no tools is refused there";
}

TEST(OpenAiChat, ToolWithoutParametersTakesAnEmptyObject) {
  EXPECT_THAT(made("openai", [](ChatRequest& request) { request.tools = {{.name = "f"}}; }).body,
              HasSubstr(R"({"name":"f","parameters":{"type":"object","properties":{}}})"));
}

const auto conversation = [](ChatRequest& request) {
  auto answer = message(Role::assistant, "");
  answer.tool_calls = {{.id = "call_1", .name = "f", .arguments = R"({"a": 1})"},
                       {.id = "call_2", .name = "g", .arguments = ""}};
  answer.reasoning = "hm";
  answer.provider_blocks = {{.provider = "openrouter", .data = R"([{"type":"reasoning.text","signature":"s"}])"},
                            {.provider = "anthropic", .data = R"({"x":1})"}};
  auto result = message(Role::tool, "42");
  result.tool_call_id = "call_1";
  result.name = "f";
  request.messages = {message(Role::system, "be brief"), message(Role::user, "hi"), answer, result};
};
const std::string begin =
    R"({"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"},)";

TEST(OpenAiChat, ConversationsWithToolsKeepTheirIds) {
  EXPECT_EQ(made("openai", conversation).body,
            begin +
                R"({"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f",)"
                R"("arguments":"{\"a\": 1}"}},{"id":"call_2","type":"function","function":{"name":"g",)"
                R"("arguments":"{}"}}]},{"role":"tool","content":"42","tool_call_id":"call_1"}],"stream":true)" +
                usage + "}");
}

TEST(OpenAiChat, MistralGetsShortIdsToolNamesAndThinking) {
  const auto id = short_call_id("call_1");
  EXPECT_EQ(id.size(), 9U);
  EXPECT_EQ(short_call_id(id), id);
  EXPECT_EQ(short_call_id("CVdEoQLza"), "CVdEoQLza");
  EXPECT_NE(short_call_id("call_2"), id);
  const auto own = [](ChatRequest& request) {
    conversation(request);
    request.messages[2].provider_blocks.clear();
  };
  EXPECT_EQ(made("mistral", own).body,
            begin +
                R"({"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}],)"
                R"("tool_calls":[{"id":")" +
                id + R"(","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":")" +
                short_call_id("call_2") +
                R"(","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","content":"42",)"
                R"("tool_call_id":")" +
                id + R"(","name":"f"}],"stream":true})");
}

TEST(OpenAiChat, MistralGetsNoReasoningOfAnotherProvider) {
  EXPECT_THAT(made("mistral", conversation).body, Not(HasSubstr("hm"))) << "the blocks say who reasoned";
  const auto mixed = [](ChatRequest& request) {
    conversation(request);
    request.messages[2].provider_blocks.push_back({.provider = "mistral", .data = "{}"});
  };
  EXPECT_THAT(made("mistral", mixed).body, HasSubstr(R"({"type":"text","text":"hm"})"));
}

TEST(OpenAiChat, ReasoningOfAnotherProviderIsNotReplayed) {
  const auto others = [](ChatRequest& request) {
    conversation(request);
    request.messages[2].provider_blocks = {{.provider = "anthropic", .data = R"({"x":1})"}};
  };
  for (const auto* const provider : {"openrouter", "deepseek", "vllm", "llamacpp", "ollama-openai", "mistral"}) {
    EXPECT_THAT(made(provider, others).body, Not(HasSubstr("hm"))) << provider;
  }
  EXPECT_THAT(made("deepseek", others).body, HasSubstr(R"("reasoning_content":"")")) << "it must not be missing";
}

TEST(OpenAiChat, ReasoningIsReplayedAsEachProviderTakesIt) {
  EXPECT_THAT(made("openrouter", conversation).body,
              HasSubstr(R"("reasoning":"hm","reasoning_details":[{"type":"reasoning.text","signature":"s"}],)"));
  EXPECT_THAT(made("openrouter", conversation).body, Not(HasSubstr("\"x\":1"))) << "a block of another provider";
  const auto without_blocks = [](ChatRequest& request) {
    conversation(request);
    request.messages[2].provider_blocks.clear();
  };
  EXPECT_THAT(made("deepseek", without_blocks).body, HasSubstr(R"({"role":"assistant","reasoning_content":"hm",)"));
  EXPECT_THAT(made("vllm", without_blocks).body, HasSubstr(R"({"role":"assistant","reasoning":"hm",)"));
  EXPECT_THAT(made("llamacpp", without_blocks).body, HasSubstr(R"({"role":"assistant","reasoning_content":"hm",)"));
  for (const auto* const none : {"openai", "groq", "xai", "tgi", "somebody"}) {
    EXPECT_THAT(made(none, without_blocks).body, Not(HasSubstr("hm"))) << none;
  }
  // DeepSeek refuses turns with tools that lack it, and needs it in no other.
  const auto without = [](ChatRequest& request) {
    conversation(request);
    request.messages[2].reasoning.clear();
  };
  EXPECT_THAT(made("deepseek", without).body, HasSubstr(R"("reasoning_content":"")"));
  const auto plain = [](ChatRequest& request) {
    request.messages.push_back(message(Role::assistant, "ok"));
    request.messages.back().reasoning = "hm";
  };
  EXPECT_THAT(made("deepseek", plain).body, Not(HasSubstr("reasoning_content")));
}

template <class Part>
auto with_part(Part part) {
  return [part](ChatRequest& request) { request.messages[0].content.push_back(part); };
}
const std::string parts = R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"},)";

TEST(OpenAiChat, ImagesGoAsDataUrlOrUrl) {
  const ContentPart data{.type = "image", .data = "QUJD", .media_type = "image/webp"};
  const ContentPart url{.type = "image", .url = "https://x/y.png"};
  EXPECT_EQ(made("openai", with_part(data)).body,
            parts + R"({"type":"image_url","image_url":{"url":"data:image/webp;base64,QUJD"}}]}],"stream":true)" +
                usage + "}");
  EXPECT_EQ(made("openai", with_part(url)).body,
            parts + R"({"type":"image_url","image_url":{"url":"https://x/y.png"}}]}],"stream":true)" + usage + "}");
  EXPECT_THAT(made("ollama-openai", with_part(url)).error, HasSubstr("messages[0]: Ollama (OpenAI API) takes images"));
  EXPECT_EQ(made("lmstudio", with_part(data)).error, "");
}

TEST(OpenAiChat, FilesGoInEachProvidersForm) {
  const ContentPart data{.type = "file", .data = "QUJD", .media_type = "application/pdf", .filename = "a.pdf"};
  const ContentPart url{.type = "file", .url = "https://x/y.pdf"};
  const std::string file =
      R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"}})";
  EXPECT_THAT(made("openai", with_part(data)).body, HasSubstr(file));
  EXPECT_THAT(made("openai", with_part(url)).error, HasSubstr("not by URL"));
  EXPECT_THAT(made("openrouter", with_part(url)).body, HasSubstr(R"("file_data":"https://x/y.pdf")"));
  EXPECT_THAT(made("mistral", with_part(url)).body,
              HasSubstr(R"({"type":"document_url","document_url":"https://x/y.pdf"})"));
  EXPECT_THAT(made("groq", with_part(data)).error, HasSubstr("takes no files"));
}

TEST(OpenAiChat, AudioIsDataWithAFormat) {
  const auto format = [](std::string media_type) {
    return made("openai", with_part(ContentPart{.type = "audio", .data = "QUJD", .media_type = std::move(media_type)}));
  };
  EXPECT_THAT(format("audio/mpeg").body,
              HasSubstr(R"({"type":"input_audio","input_audio":{"data":"QUJD","format":"mp3"}})"));
  EXPECT_THAT(format("audio/x-wav").body, HasSubstr(R"("format":"wav")"));
  EXPECT_THAT(format("video/mp4").error, HasSubstr("no media type of audio"));
  EXPECT_THAT(made("openai", with_part(ContentPart{.type = "audio", .url = "https://x"})).error,
              HasSubstr("not by URL"));
  EXPECT_THAT(made("groq", with_part(ContentPart{.type = "audio", .data = "QUJD"})).error, HasSubstr("no audio"));
}

TEST(OpenAiChat, RefusesPartsThatARoleCannotHave) {
  const auto in_system = [](ChatRequest& request) {
    request.messages[0].role = Role::system;
    request.messages[0].content.push_back({.type = "image", .data = "QUJD"});
  };
  EXPECT_THAT(made("openai", in_system).error, HasSubstr("messages[0]"));
  EXPECT_THAT(made("openai", with_part(ContentPart{.type = "hologram"})).error, HasSubstr("hologram"));
}

TEST(OpenAiChat, FormatsOfTheAnswer) {
  const std::string loose = R"({"type":"object","properties":{"a":{"type":"string"}}})";
  const std::string strict =
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})";
  const auto json = [](ChatRequest& request) {
    request.response_format = events::ResponseFormat{.kind = events::ResponseFormat::Kind::json};
  };
  const auto schema = [](std::string text) {
    return [text](ChatRequest& request) {
      request.response_format =
          events::ResponseFormat{.kind = events::ResponseFormat::Kind::json_schema, .schema = text};
    };
  };
  EXPECT_THAT(made("openai", json).body, HasSubstr(R"("response_format":{"type":"json_object"})"));
  EXPECT_THAT(made("openai", schema(loose)).body,
              HasSubstr(R"("response_format":{"type":"json_schema","json_schema":{"name":"response","schema":)" +
                        loose + "}}"));
  EXPECT_THAT(made("openai", schema(strict)).body, HasSubstr(strict + R"(,"strict":true}})"));
  EXPECT_THAT(made("tgi", json).body, HasSubstr(R"("response_format":{"type":"json","value":{"type":"object"}})"));
  EXPECT_THAT(made("tgi", schema(loose)).body, HasSubstr(R"("response_format":{"type":"json","value":)" + loose));
  EXPECT_THAT(made("deepseek", schema(loose)).error, HasSubstr("JSON schema"));
  EXPECT_EQ(made("deepseek", json).error, "");
}

TEST(OpenAiChat, StrictSchemasAreClosedAndComplete) {
  EXPECT_TRUE(is_strict_schema(R"({"type":"object","properties":{},"additionalProperties":false})"));
  EXPECT_TRUE(is_strict_schema(
      R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"a":{"anyOf":)"
      R"([{"type":"string"},{"type":"null"}]}},"required":["a"],"additionalProperties":false}}},"required":["l"],)"
      R"("additionalProperties":false})"));
  for (const auto* const loose :
       {R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
        R"({"type":"object","properties":{"a":{}},"required":["a"]})",
        R"({"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false})",
        R"({"type":"array","items":{}})", R"({"anyOf":[]})", "true", "{}", "nonsense",
        R"({"type":"object","properties":{"a":{"allOf":[]}},"required":["a"],"additionalProperties":false})"}) {
    EXPECT_FALSE(is_strict_schema(loose)) << loose;
  }
}

struct ReasoningCase {
  std::string provider;
  events::Reasoning reasoning;
  std::string json;  ///< what comes after the usage option; empty: nothing
  std::size_t warnings = 0;
};
TEST(OpenAiChat, ReasoningIsAskedForInEachProvidersWords) {
  const events::Reasoning on{.enabled = true};
  const events::Reasoning off{.enabled = false};
  const auto effort = [](std::string word) { return events::Reasoning{.effort = std::move(word)}; };
  const events::Reasoning budget{.enabled = true, .tokens_max = 500};
  for (const auto& row : {
           ReasoningCase{"openai", on, R"("reasoning_effort":"medium")"},
           ReasoningCase{"openai", off, R"("reasoning_effort":"none")"},
           ReasoningCase{"openai", effort("xhigh"), R"("reasoning_effort":"xhigh")"},
           ReasoningCase{"openai", effort("hardest"), "", 1},
           ReasoningCase{"openai", budget, R"("reasoning_effort":"medium")", 1},
           ReasoningCase{"groq", effort("minimal"), R"("reasoning_effort":"low")", 1},
           ReasoningCase{"groq", off, R"("reasoning_effort":"none")"},
           ReasoningCase{"groq", on, ""},
           ReasoningCase{"mistral", effort("low"), R"("reasoning_effort":"high")", 1},
           ReasoningCase{"mistral", effort("none"), R"("reasoning_effort":"none")"},
           ReasoningCase{"xai", effort("medium"), R"("reasoning_effort":"high")", 1},
           ReasoningCase{"xai", off, "", 1},
           ReasoningCase{"openrouter", effort("high"), R"("reasoning":{"effort":"high"})"},
           ReasoningCase{"openrouter", on, R"("reasoning":{"enabled":true})"},
           ReasoningCase{"openrouter", off, R"("reasoning":{"enabled":false})"},
           ReasoningCase{"openrouter", budget, R"("reasoning":{"max_tokens":500})"},
           ReasoningCase{"vllm", off, R"("chat_template_kwargs":{"enable_thinking":false})"},
           ReasoningCase{"vllm", budget,
                         R"("thinking_token_budget":500,"chat_template_kwargs":{"enable_thinking":true})"},
           ReasoningCase{"llamacpp", effort("none"), R"("chat_template_kwargs":{"enable_thinking":false})"},
           ReasoningCase{"llamacpp", effort("low"), R"("reasoning_effort":"low")"},
           ReasoningCase{"deepseek", on, R"("thinking":{"type":"enabled"})"},
           ReasoningCase{"deepseek", effort("high"), R"("thinking":{"type":"enabled"})", 1},
           ReasoningCase{"together", off, R"("reasoning":{"enabled":false})"},
           ReasoningCase{"ollama-openai", effort("max"), R"("reasoning_effort":"max")"},
           ReasoningCase{"tgi", effort("low"), "", 1},
       }) {
    const auto out = made(row.provider, [&](ChatRequest& request) { request.reasoning = row.reasoning; });
    const bool asks = chat_profile(row.provider).asks_for_usage;
    EXPECT_EQ(out.body, hi + (asks ? usage : "") + (row.json.empty() ? "" : "," + row.json) + "}") << row.provider;
    EXPECT_EQ(out.warnings.size(), row.warnings) << row.provider << " " << row.json;
  }
}

TEST(OpenAiChat, ProviderConfigIsLaidOverTheBody) {
  const auto config = [](ChatRequest& request) {
    request.temperature = 0.5;
    request.tokens_max = 10;
    request.provider_config["groq"] =
        R"({"temperature":0.1,"max_tokens":20,"service_tier":"flex","model":"other","stream":false})";
    request.provider_config["openai"] = R"({"store":true})";
  };
  const auto out = made("groq", config);
  EXPECT_EQ(out.body, hi + R"(,"max_tokens":20,"service_tier":"flex","temperature":0.1})");
  EXPECT_THAT(out.warnings,
              ElementsAre(HasSubstr("providerConfig.groq.model"), HasSubstr("providerConfig.groq.stream")));
  EXPECT_THAT(made("openai", [](ChatRequest& request) { request.provider_config["openai"] = "[1]"; }).error,
              HasSubstr("providerConfig.openai: must be a JSON object"));
}

TEST(OpenAiChat, ProviderConfigNamesNoFurtherModelsOrAnswers) {
  const auto out = made("openrouter", [](ChatRequest& request) {
    request.provider_config["openrouter"] =
        R"({"models":["openai/o3-pro"],"preset":"mine","route":"fallback","n":8,"best_of":8})";
  });
  EXPECT_EQ(out.body, hi + usage + R"(,"route":"fallback"})");
  const auto one = made("vllm", [](ChatRequest& request) { request.provider_config["vllm"] = R"({"n":1})"; });
  EXPECT_EQ(one.body, hi + usage + R"(,"n":1})");
  EXPECT_THAT(one.warnings, IsEmpty());
  EXPECT_THAT(out.warnings, ElementsAre(HasSubstr("providerConfig.openrouter.models"), HasSubstr(".preset"),
                                        HasSubstr(".n was"), HasSubstr(".best_of")));
}

TEST(OpenAiChat, EveryProfileMakesARequest) {
  for (const auto& profile : chat_profiles()) {
    const auto out = made(std::string(profile.provider), [](ChatRequest&) {});
    EXPECT_EQ(out.body, hi + (profile.asks_for_usage ? usage : "") + "}") << profile.provider;
    EXPECT_EQ(&chat_profile(profile.provider), &profile);
  }
  EXPECT_EQ(find_provider("openai"), &provider());
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

TEST(OpenAiChat, ASchemaOfManyPropertiesIsJudged) {
  auto schema = wide_schema(200'000);
  EXPECT_TRUE(is_strict_schema(schema));
  schema.replace(schema.rfind("\"p0\""), 4, "\"q0\"");
  EXPECT_FALSE(is_strict_schema(schema));
}

}  // namespace
}  // namespace tokenrail::providers::openai
