#include "cli/chat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/terminal.hpp"

namespace tokenrail::cli {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using Step = AnswerReader::Step;

Call call_with(std::map<std::string, std::string, std::less<>> flags) {
  Call call;
  call.flags = std::move(flags);
  return call;
}

TEST(ChatCall, AQuestionAlone) {
  const auto chat = chat_call({}, "Hello", "id-1");
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->key, "id-1");
  EXPECT_EQ(chat->timeout, 5min);
  const auto& request = chat->request;
  EXPECT_EQ(request.request_id, "id-1");
  EXPECT_EQ(request.org_id, "demo");
  EXPECT_FALSE(request.model);
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.metadata.empty());
  ASSERT_EQ(request.messages.size(), 1U);
  EXPECT_EQ(request.messages[0].role, events::Role::user);
  EXPECT_EQ(request.messages[0].content.at(0).text, "Hello");
}

TEST(ChatCall, EveryFlagHasItsPlace) {
  const auto chat = chat_call(call_with({{"model", "ollama/llama3.2:1b"},
                                         {"system", "Be short"},
                                         {"org", "acme"},
                                         {"user", "u7"},
                                         {"conversation", "c9"},
                                         {"max-tokens", "64"},
                                         {"temperature", "0.5"},
                                         {"timeout", "30s"},
                                         {"no-stream", ""}}),
                              "Hello", "id-1");
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->key, "c9");
  const auto& request = chat->request;
  ASSERT_TRUE(request.model);
  EXPECT_EQ(request.model->provider, "ollama");
  EXPECT_EQ(request.model->name, "llama3.2:1b");
  EXPECT_EQ(request.org_id, "acme");
  EXPECT_EQ(request.user_id, "u7");
  EXPECT_EQ(request.metadata.at("conversationId"), "c9");
  EXPECT_EQ(request.tokens_max, 64);
  EXPECT_EQ(request.temperature, 0.5);
  EXPECT_EQ(request.timeout, 30s);
  EXPECT_FALSE(request.stream);
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.messages[0].role, events::Role::system);
}

TEST(ChatCall, WrongValuesNameTheFlag) {
  for (const auto& [flag, value] : std::map<std::string, std::string>{{"model", "ollama/"},
                                                                      {"org", ""},
                                                                      {"conversation", ""},
                                                                      {"max-tokens", "0"},
                                                                      {"temperature", "3"},
                                                                      {"temperature", "nan"},
                                                                      {"timeout", "soon"}}) {
    const auto chat = chat_call(call_with({{flag, value}}), "Hello", "id-1");
    ASSERT_FALSE(chat) << flag;
    EXPECT_EQ(chat.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(chat.error().detail, HasSubstr("--" + flag));
  }
  EXPECT_FALSE(chat_call(call_with({{"temperature", "nan"}}), "Hello", "id-1"));
  EXPECT_EQ(chat_call(call_with({{"timeout", "5"}}), "Hello", "id-1").error().detail,
            "--timeout 5: write a unit, for example 5s or 5ms");
  EXPECT_FALSE(chat_call(call_with({{"stream", ""}, {"no-stream", ""}}), "Hello", "id-1"));
  EXPECT_FALSE(chat_call({}, " \n", "id-1"));
}

TEST(ChatCall, TakesBoundsAndRefusesMore) {
  const auto taken = [](const std::string& flag, const std::string& value) {
    return chat_call(call_with({{flag, value}}), "Hello", "id-1").has_value();
  };
  const events::RequestLimits limits;
  for (const auto* flag : {"org", "user"}) {
    EXPECT_TRUE(taken(flag, std::string(limits.id_bytes_max, 'x'))) << flag;
    EXPECT_FALSE(taken(flag, std::string(limits.id_bytes_max + 1, 'x'))) << flag;
  }
  EXPECT_TRUE(taken("conversation", std::string(limits.key_bytes_max, 'x')));
  EXPECT_FALSE(taken("conversation", std::string(limits.key_bytes_max + 1, 'x')));
  EXPECT_TRUE(taken("temperature", "0"));
  EXPECT_TRUE(taken("temperature", "2"));
  EXPECT_FALSE(taken("temperature", "2.001"));
  EXPECT_FALSE(taken("temperature", "-0.001"));
  EXPECT_TRUE(taken("max-tokens", "1"));
  EXPECT_TRUE(taken("timeout", "1ms"));
}

events::Chunk delta(std::string text) {
  events::Chunk chunk;
  chunk.delta = std::move(text);
  return chunk;
}
events::Chunk terminal(std::string reason = "stop") {
  events::Chunk chunk;
  chunk.done = true;
  chunk.finish_reason = std::move(reason);
  return chunk;
}

TEST(AnswerView, StreamsTextAndEndsTheLineOnce) {
  AnswerView view({});
  EXPECT_EQ(view.show(Step::accepted, delta("Hel"), "").out, "Hel");
  EXPECT_EQ(view.show(Step::accepted, delta("lo"), "").out, "lo");
  EXPECT_EQ(view.show(Step::accepted, terminal(), "").out, "\n");

  AnswerView with_line({});
  EXPECT_EQ(with_line.show(Step::accepted, delta("Hello\n"), "").out, "Hello\n");
  EXPECT_EQ(with_line.show(Step::accepted, terminal(), "").out, "");
}

TEST(AnswerView, HeldAnswerIsTheWinningAttempt) {
  AnswerView view({.hold = true});
  EXPECT_EQ(view.show(Step::accepted, delta("void"), "").out, "");
  const auto restarted = view.show(Step::restarted, delta("Hel"), "");
  EXPECT_EQ(restarted.out, "");
  EXPECT_EQ(restarted.note, "");
  EXPECT_EQ(view.show(Step::accepted, delta("lo"), "").out, "");
  EXPECT_EQ(view.show(Step::accepted, terminal(), "").out, "Hello\n");
}

TEST(AnswerView, DropsHeldPieceOfBrokenAnswer) {
  AnswerView view({.hold = true});
  EXPECT_EQ(view.show(Step::accepted, delta("half"), "").out, "");
  EXPECT_EQ(view.show(Step::accepted, terminal("error"), "").out, "");
}

TEST(AnswerView, NotesRestartOfStreamedAnswer) {
  AnswerView view({});
  EXPECT_EQ(view.show(Step::accepted, delta("void"), "").out, "void");
  const auto restarted = view.show(Step::restarted, delta("Hello"), "");
  EXPECT_EQ(restarted.out, "\nHello");
  EXPECT_THAT(restarted.note, HasSubstr("begins again"));
}

TEST(AnswerView, JsonPassesRecordsOn) {
  AnswerView view({.json = true, .hold = true});
  EXPECT_EQ(view.show(Step::accepted, delta("x"), R"({"seq":0})").out, "{\"seq\":0}\n");
  EXPECT_EQ(view.show(Step::ignored, delta("x"), R"({"seq":0})").out, "");
}

TEST(AnswerView, ReasoningGoesToTheOtherStream) {
  AnswerView view({.reasoning = true});
  events::Chunk thinking;
  thinking.reasoning = "hm";
  const auto first = view.show(Step::accepted, thinking, "");
  EXPECT_EQ(first.reasoning, "hm");
  EXPECT_EQ(first.out, "");
  const auto second = view.show(Step::accepted, delta("Hi"), "");
  EXPECT_EQ(second.reasoning, "\n\n");
  EXPECT_EQ(second.out, "Hi");
}

TEST(AnswerView, ATerminalGetsNoControlCharacters) {
  AnswerView view({.sanitise = true});
  EXPECT_EQ(view.show(Step::accepted, delta("a\x1b]0;title\x07\tb\nc\r"), "").out, "a]0;title\tb\nc");
  EXPECT_EQ(without_controls("\xc2\x9b"
                             "2J\xc3\xa9\xe2\x82\xac\x7f"),
            "2J\xc3\xa9\xe2\x82\xac");
}

TEST(Summary, SaysModelTokensAndTiming) {
  auto chunk = terminal();
  chunk.model = events::AnsweringModel{.provider = "ollama", .name = "llama3.2:1b"};
  chunk.usage = events::Usage{.input_tokens = 26, .output_tokens = 58};
  chunk.timing = {.queued_ms = 3, .first_token_ms = 310, .total_ms = 2110};
  EXPECT_EQ(summary_line(chunk),
            "ollama/llama3.2:1b · 26 tokens in, 58 out · first token 0.31 s · 2.11 s · 32 tokens/s");
  chunk.finish_reason = "length";
  chunk.usage->estimated = true;
  EXPECT_THAT(summary_line(chunk), HasSubstr("about 26 tokens in"));
  EXPECT_THAT(summary_line(chunk), HasSubstr("ended by: length"));
  EXPECT_EQ(summary_line(terminal()), "0.00 s");
}

TEST(Summary, AFailureSaysWhetherAskingAgainHelps) {
  auto chunk = terminal("error");
  chunk.error_code = "PROVIDER_UNAVAILABLE";
  chunk.error_message = "ollama does not answer";
  chunk.error_retryable = true;
  EXPECT_EQ(failure_line(chunk), "PROVIDER_UNAVAILABLE: ollama does not answer (asking again may help)");
}

}  // namespace
}  // namespace tokenrail::cli
