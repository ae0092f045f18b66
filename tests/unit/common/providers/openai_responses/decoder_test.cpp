#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/openai_responses/stream.hpp"

namespace tokenrail::providers::openai_responses {
namespace {

using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

TEST(ResponsesDecoder, TextComesInPieces) {
  const auto answer = decoded(event("response.created", R"("response":{"id":"resp_1"})") +
                              item_added(R"({"id":"m0","type":"message","content":[]})") + text_delta("Hel") +
                              text_delta("lo") + completed(message("Hello")));
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.order(), "text usage finish");
  EXPECT_EQ(answer.request_id(), "resp_1");
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 9);
  EXPECT_EQ(answer.usage()->output_tokens, 4);
  EXPECT_EQ(answer.usage()->cached_input_tokens, 5);
  EXPECT_EQ(answer.usage()->reasoning_tokens, 2);
  EXPECT_FALSE(answer.usage()->estimated);
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(ResponsesDecoder, TheHeaderNamesTheRequestBeforeTheBody) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, target);
  decoder->head({.status = 200, .headers = {{"content-type", "text/event-stream"}, {"x-request-id", "req_7"}}},
                recorder);
  decoder->feed(event("response.created", R"("response":{"id":"resp_1"})") + completed(), recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.request_id(), "req_7");
}

TEST(ResponsesDecoder, UnfinishedCallsCountAsHeld) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, target);
  decoder->feed(item_added(call("c", "")), recorder);
  const auto before = decoder->held_bytes();
  for (int i = 0; i < 10; ++i) decoder->feed(arguments_delta(std::string(1000, 'x')), recorder);
  EXPECT_GE(decoder->held_bytes(), before + 10'000);
  decoder->feed(item_done(call("c", "{}")), recorder);
  EXPECT_LT(decoder->held_bytes(), before + 10'000) << "a call that was delivered is no longer held";
}

/// The text in each of the forms in which it may come, one or several of them.
TEST(ResponsesDecoder, DeliversTextOnceInEveryForm) {
  const std::string forms[] = {
      text_delta("Hel") + text_delta("lo"),
      event("response.output_text.done", R"("output_index":0,"content_index":0,"text":"Hello")"),
      item_done(message("Hello")),
  };
  for (unsigned chosen = 0; chosen < 16; ++chosen) {
    std::string body = item_added(R"({"id":"m0","type":"message","content":[]})");
    for (unsigned form = 0; form < 3; ++form) {
      if ((chosen >> form & 1U) != 0) body += forms[form];
    }
    const bool repeated = (chosen >> 3U & 1U) != 0;
    const auto answer = decoded(body + completed(repeated ? message("Hello") : ""));
    EXPECT_EQ(answer.text(), chosen == 0 ? "" : "Hello") << chosen;
    EXPECT_EQ(answer.finish(), FinishReason::stop) << chosen;
  }
}

TEST(ResponsesDecoder, AddsPartOfTheWholeForm) {
  const auto both = R"({"id":"m0","type":"message","content":[{"type":"output_text","text":"one "},)"
                    R"({"type":"output_text","text":"two"}]})";
  EXPECT_EQ(decoded(text_delta("one ") + item_done(both) + completed(both)).text(), "one two");
  // Where pieces do not name their part, nothing says which part they were.
  const auto unnamed = event("response.output_text.delta", R"("output_index":0,"delta":"one two")");
  EXPECT_EQ(decoded(unnamed + item_done(both) + completed(both)).text(), "one two");
}

TEST(ResponsesDecoder, FindsItemsByPlaceIdOrKind) {
  // Another id with each event, as a proxy sends it.
  const auto rotated =
      event("response.output_text.delta", R"("output_index":0,"content_index":0,"item_id":"a","delta":"x")") +
      event("response.output_text.done", R"("output_index":0,"content_index":0,"item_id":"b","text":"x")") +
      item_done(R"({"id":"c","type":"message","content":[{"type":"output_text","text":"x"}]})");
  EXPECT_EQ(decoded(rotated + completed()).text(), "x");
  // No places at all.
  const auto ids = event("response.output_text.delta", R"("item_id":"a","content_index":0,"delta":"x")") +
                   event("response.output_text.delta", R"("item_id":"b","content_index":0,"delta":"y")") +
                   event("response.output_text.done", R"("item_id":"a","content_index":0,"text":"x")") +
                   event("response.output_text.done", R"("item_id":"b","content_index":0,"text":"y")");
  EXPECT_EQ(decoded(ids + completed()).text(), "xy");
  // Every item numbered 0.
  const auto zeros = item_added(R"({"id":"m1","type":"message"})") + text_delta("x") +
                     item_added(R"({"id":"m2","type":"message"})") +
                     event("response.output_text.done", R"("output_index":0,"content_index":0,"text":"y")");
  EXPECT_EQ(decoded(zeros + completed()).text(), "xy");
}

TEST(ResponsesDecoder, CallsAreAssembledFromTheirPieces) {
  const auto answer =
      decoded(item_added(call("c1", "")) + item_added(call("c2", "", "g"), 1) + arguments_delta(R"({\"a\")") +
              arguments_delta(R"({\"b\":2})", 1) + arguments_delta(":1}") + completed());
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].id, "c1");
  EXPECT_EQ(answer.tool_calls()[0].name, "f");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})");
  EXPECT_EQ(answer.tool_calls()[1].id, "c2");
  EXPECT_EQ(answer.tool_calls()[1].name, "g");
  EXPECT_EQ(answer.tool_calls()[1].arguments, R"({"b":2})");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
}

TEST(ResponsesDecoder, DeliversCallOnceInEveryForm) {
  const auto whole = call("c1", R"({\"a\":1})");
  const std::string forms[] = {
      item_added(call("c1", "")),
      arguments_delta(R"({\"a\")") + arguments_delta(":1}"),
      event("response.function_call_arguments.done", R"j("output_index":0,"arguments":"{\"a\":1}")j"),
      item_done(whole),
  };
  for (unsigned chosen = 0; chosen < 32; ++chosen) {
    std::string body;
    for (unsigned form = 0; form < 4; ++form) {
      if ((chosen >> form & 1U) != 0) body += forms[form];
    }
    const bool repeated = (chosen >> 4U & 1U) != 0;
    // The name comes with the beginning and with the whole, and the arguments must come too.
    const bool named = (chosen & 1U) != 0 || (chosen >> 3U) != 0;
    if (!named || (chosen >> 1U) == 0) continue;
    const auto answer = decoded(body + completed(repeated ? whole : ""));
    ASSERT_EQ(answer.tool_calls().size(), 1U) << chosen;
    EXPECT_EQ(answer.tool_calls()[0].id, "c1") << chosen;
    EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})") << chosen;
    EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << chosen;
  }
}

TEST(ResponsesDecoder, DeliversCallAsSoonAsItIsWhole) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, target);
  decoder->feed(item_added(call("c1", "")) + item_done(call("c1", "{}")), recorder);
  EXPECT_EQ(recorder.tool_calls().size(), 1U);
  EXPECT_EQ(recorder.endings(), 0);
}

TEST(ResponsesDecoder, CallsWithoutIdsGetItemIdOrNumber) {
  const auto named =
      decoded(item_done(R"({"id":"fc_9","type":"function_call","name":"f","arguments":""})") + completed());
  ASSERT_EQ(named.tool_calls().size(), 1U);
  EXPECT_EQ(named.tool_calls()[0].id, "fc_9");
  EXPECT_EQ(named.tool_calls()[0].arguments, "{}");
  const std::string nameless = R"({"type":"function_call","name":"f","arguments":{"a":1}})";
  const auto numbered = decoded(item_done(nameless) + completed(nameless));
  ASSERT_EQ(numbered.tool_calls().size(), 1U) << "the end repeats it";
  EXPECT_EQ(numbered.tool_calls()[0].id, "call_1");
  EXPECT_EQ(numbered.tool_calls()[0].arguments, R"({"a":1})");
}

TEST(ResponsesDecoder, LeavesOutCallCutByTheLimit) {
  const auto answer =
      decoded(item_added(call("c1", "")) + item_done(call("c1", "{}")) + item_added(call("c2", ""), 1) +
              arguments_delta(R"({\"a)", 1) + item_done(call("c2", R"({\"a)"), 1) + incomplete("max_output_tokens"));
  ASSERT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  EXPECT_THAT(answer.warnings(), ElementsAre(HasSubstr("cut a tool call off")));
  const auto alone = decoded(item_added(call("c2", "")) + arguments_delta(R"({\"a)") + incomplete("max_output_tokens"));
  EXPECT_EQ(alone.finish(), FinishReason::length);
}

TEST(ResponsesDecoder, ContentFilterEndsAnAnswerWithCalls) {
  const auto whole = decoded(item_done(call("c1", "{}")) + incomplete("content_filter"));
  EXPECT_EQ(whole.finish(), FinishReason::content_filter) << "a refused answer is not to be acted on";
  EXPECT_THAT(whole.warnings(), IsEmpty());
  const auto cut = decoded(item_added(call("c1", "")) + arguments_delta(R"({\"a)") + incomplete("content_filter"));
  EXPECT_EQ(cut.finish(), FinishReason::content_filter);
  EXPECT_THAT(cut.tool_calls(), IsEmpty());
  EXPECT_THAT(cut.warnings(), ElementsAre(HasSubstr("content filter cut a tool call off")));
}

TEST(ResponsesDecoder, WrongArgumentsFailAWholeAnswer) {
  for (const auto* arguments : {R"([1])", "no", R"({\"a)"}) {
    const auto answer = decoded(item_done(call("c1", arguments)) + completed(call("c1", arguments)));
    ASSERT_TRUE(answer.failure()) << arguments;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr("\"f\""));
    EXPECT_THAT(answer.tool_calls(), IsEmpty());
  }
}

TEST(ResponsesDecoder, SummariesAreReasoningWithABreakBetweenParts) {
  const auto summary = [](int part, std::string_view text) {
    return event("response.reasoning_summary_text.delta",
                 fmt::format(R"("output_index":0,"item_id":"r0","summary_index":{},"delta":"{}")", part, text));
  };
  const auto answer = decoded(summary(0, "**A**") + summary(0, " a") + summary(1, "**B**") +
                              item_done(reasoning("r0", "repeated")) + completed(reasoning("r0", "repeated")));
  EXPECT_EQ(answer.reasoning(), "**A** a\n\n**B**");
  EXPECT_EQ(answer.text(), "");
  EXPECT_EQ(decoded(item_done(reasoning("r0", "whole")) + completed(reasoning("r0", "whole"))).reasoning(), "whole");
  EXPECT_EQ(decoded(completed(reasoning("r0", "whole"))).reasoning(), "whole");
}

TEST(ResponsesDecoder, FirstOfSummaryAndTextCounts) {
  const auto piece = [](std::string_view form, std::string_view index, std::string_view text) {
    return event(fmt::format("response.reasoning{}.delta", form),
                 fmt::format(R"("output_index":0,"{}":0,"delta":"{}")", index, text));
  };
  EXPECT_EQ(decoded(piece("_text", "content_index", "long") + piece("_summary_text", "summary_index", "short") +
                    piece("_text", "content_index", " text") + completed())
                .reasoning(),
            "long text");
}

TEST(ResponsesDecoder, EncryptedReasoningIsABlockOfTheProvider) {
  const auto answer = decoded(item_done(reasoning("r0")) + item_done(call("c1", "{}"), 1) +
                              completed(reasoning("r0") + "," + call("c1", "{}")));
  ASSERT_EQ(answer.blocks().size(), 1U);
  EXPECT_EQ(answer.blocks()[0].provider, "openai");
  EXPECT_EQ(answer.blocks()[0].data, reasoning("r0"));
  EXPECT_EQ(answer.order(), "block tool_call usage finish");
}

TEST(ResponsesDecoder, LaterBlockCarriesItsPosition) {
  const auto answer = decoded(text_delta("x") + item_done(message("x")) + item_done(reasoning("r1"), 1) +
                              item_done(call("c1", "{}"), 2) + item_done(reasoning("r3"), 3) +
                              item_done(call("c2", "{}"), 4) + completed());
  ASSERT_EQ(answer.blocks().size(), 2U);
  EXPECT_EQ(answer.blocks()[0].data, R"({"afterText":true,"afterCalls":0,"item":)" + reasoning("r1") + "}");
  EXPECT_EQ(answer.blocks()[1].data, R"({"afterText":true,"afterCalls":1,"item":)" + reasoning("r3") + "}");
}

TEST(ResponsesDecoder, UnreturnableReasoningIsNoBlock) {
  EXPECT_THAT(decoded(item_done(R"({"id":"r0","type":"reasoning","summary":[]})") + completed()).blocks(), IsEmpty());
  const auto plain = R"({"id":"r0","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]})";
  const auto answer = decoded(item_done(plain) + completed());
  EXPECT_EQ(answer.reasoning(), "hm");
  ASSERT_EQ(answer.blocks().size(), 1U) << "open models take their reasoning back as text";
  EXPECT_EQ(answer.blocks()[0].data, plain);
}

TEST(ResponsesDecoder, RefusalIsTextWithContentFilterEnd) {
  const auto pieces = event("response.refusal.delta", R"("output_index":0,"content_index":0,"delta":"I can")") +
                      event("response.refusal.delta", R"("output_index":0,"content_index":0,"delta":"not.")") +
                      event("response.refusal.done", R"("output_index":0,"content_index":0,"refusal":"I cannot.")");
  const auto whole = message("I cannot.", "refusal", "refusal");
  for (const auto& body :
       {pieces + completed(whole), item_done(whole) + completed(), completed(whole),
        event("response.refusal.done", R"("content_index":0,"refusal":"I cannot.")") + completed()}) {
    const auto answer = decoded(body);
    EXPECT_EQ(answer.text(), "I cannot.") << body;
    EXPECT_EQ(answer.finish(), FinishReason::content_filter) << body;
  }
}

TEST(ResponsesDecoder, AnIncompleteAnswerSaysWhy) {
  EXPECT_EQ(decoded(text_delta("x") + incomplete("max_output_tokens")).finish(), FinishReason::length);
  EXPECT_EQ(decoded(text_delta("x") + incomplete("content_filter")).finish(), FinishReason::content_filter);
  const auto other = decoded(text_delta("x") + incomplete("max_tool_calls"));
  EXPECT_EQ(other.finish(), FinishReason::length);
  EXPECT_THAT(other.warnings(), ElementsAre(HasSubstr("max_tool_calls")));
}

TEST(ResponsesDecoder, UsageIsEstimatedWhereThereIsNone) {
  const auto answer = decoded(text_delta("12345678") + event("response.completed"));
  ASSERT_TRUE(answer.usage());
  EXPECT_TRUE(answer.usage()->estimated);
  EXPECT_EQ(answer.usage()->input_tokens, 10) << "of 40 bytes";
  EXPECT_EQ(answer.usage()->output_tokens, 2);
  EXPECT_EQ(answer.finish(), FinishReason::stop);
}

TEST(ResponsesDecoder, AStreamWithoutItsEndIsAFailure) {
  const auto cut = decoded(text_delta("x") + item_done(message("x")));
  ASSERT_TRUE(cut.failure());
  EXPECT_EQ(cut.failure()->code, ErrorCode::provider_protocol);
  EXPECT_TRUE(cut.call_failure()->retry);
  EXPECT_EQ(cut.text(), "x");
  EXPECT_TRUE(decoded(text_delta("x") + "data: [DONE]\n\n").failure());
  EXPECT_TRUE(decoded("").failure());
}

TEST(ResponsesDecoder, IgnoresEventsAfterTheEnd) {
  const auto answer = decoded(completed() + text_delta("x") + completed() + event("error", R"("message":"no")"));
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_EQ(answer.text(), "");
}

struct ErrorCase {
  std::string body;
  ErrorCode code;
  bool retry;
};
TEST(ResponsesDecoder, ErrorsInAStreamAreClassified) {
  for (const auto& row : {
           ErrorCase{event("error", R"("error":{"type":"tokens","code":"rate_limit_exceeded","message":"Slow down"})"),
                     ErrorCode::provider_rate_limited, true},
           ErrorCase{event("error", R"("code":"rate_limit_exceeded","message":"Slow down","param":null)"),
                     ErrorCode::provider_rate_limited, true},
           ErrorCase{event("error", R"("error":{"code":"server_error","message":"Oops"})"),
                     ErrorCode::provider_unavailable, true},
           ErrorCase{event("error", R"("error":{"type":"invalid_request_error","code":"context_length_exceeded",)"
                                    R"("message":"Your input exceeds the context window of this model."})"),
                     ErrorCode::context_too_long, false},
           ErrorCase{event("error", R"("status":401,"error":{"message":"Who are you?"})"), ErrorCode::provider_auth,
                     false},
           ErrorCase{event("response.failed",
                           R"("response":{"status":"failed","error":{"code":"server_error","message":"Oops"}})"),
                     ErrorCode::provider_unavailable, true},
           ErrorCase{event("response.failed", R"("response":{"error":{"code":"invalid_prompt","message":"flagged"}})"),
                     ErrorCode::content_filtered, false},
           ErrorCase{event("response.failed", R"("response":{"error":null})"), ErrorCode::provider_protocol, true},
           ErrorCase{event("response.failed"), ErrorCode::provider_protocol, true},
           ErrorCase{"data: {\"error\":{\"message\":\"Oops\"}}\n\n", ErrorCode::provider_unavailable, true},
       }) {
    const auto answer = decoded(text_delta("x") + row.body + completed());
    ASSERT_TRUE(answer.call_failure()) << row.body;
    EXPECT_EQ(answer.failure()->code, row.code) << row.body;
    EXPECT_EQ(answer.call_failure()->retry, row.retry) << row.body;
    EXPECT_EQ(answer.endings(), 1) << row.body;
  }
}

TEST(ResponsesDecoder, SecondUnreadableEventFailsTheAnswer) {
  const std::string bad = "data: {\"type\":\"response.output_text.delta\",\n\n";
  const auto one = decoded(text_delta("a") + bad + text_delta("b") + completed());
  EXPECT_EQ(one.text(), "ab");
  EXPECT_EQ(one.finish(), FinishReason::stop);
  EXPECT_EQ(one.warnings().size(), 1U);
  EXPECT_EQ(decoded(text_delta("a") + bad + bad + completed()).failure()->code, ErrorCode::provider_protocol);
}

TEST(ResponsesDecoder, AnotherApisStreamIsNamed) {
  for (const auto& [body, api] :
       {std::pair(R"({"id":"c","object":"chat.completion.chunk","choices":[]})", "chat completions"),
        std::pair(R"({"type":"message_start","message":{}})", "Anthropic")}) {
    const auto answer = decoded(fmt::format("data: {}\n\n", body));
    ASSERT_TRUE(answer.failure()) << body;
    EXPECT_THAT(answer.failure()->message, HasSubstr(api));
    EXPECT_FALSE(answer.call_failure()->retry);
  }
  EXPECT_EQ(decoded("data: {\"type\":\"keepalive\"}\n\n" + text_delta("x") + completed()).text(), "x");
}

TEST(ResponsesDecoder, AWholeAnswerSaysTheSame) {
  const auto whole = [](std::string_view fields) {
    return decoded(fmt::format(R"({{"id":"resp_1","object":"response",{}}})", fields), false);
  };
  const auto answer = whole(R"("status":"completed","output":[)" + reasoning("r0", "hm") + "," + message("Hello") +
                            "," + call("c1", "{}") + R"(],"usage":{"input_tokens":1,"output_tokens":2})");
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.reasoning(), "hm");
  EXPECT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.blocks().size(), 1U);
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  EXPECT_EQ(answer.request_id(), "resp_1");
  EXPECT_EQ(whole(R"("output":[])").finish(), FinishReason::stop) << "without a status";
  EXPECT_EQ(whole(R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[])").finish(),
            FinishReason::length);
  EXPECT_EQ(whole(R"("status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow down"},"output":[])")
                .failure()
                ->code,
            ErrorCode::provider_rate_limited);
  EXPECT_EQ(whole(R"("status":"failed","error":null)").failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(whole(R"("status":"queued","output":[])").failure()->message, HasSubstr("queued"));
  EXPECT_EQ(whole(R"("x":1)").failure()->code, ErrorCode::provider_protocol);
  EXPECT_EQ(decoded(R"({"error":{"type":"server_error","message":"Oops"}})", false).failure()->code,
            ErrorCode::provider_unavailable);
  EXPECT_THAT(decoded(R"({"object":"chat.completion","choices":[]})", false).failure()->message,
              HasSubstr("chat completions"));
  EXPECT_TRUE(decoded("{\"id\":", false).failure());
}

TEST(ResponsesDecoder, IgnoresFieldOfAnotherForm) {
  for (const auto* value : {"null", "7", "-7", "\"x\"", "true", "[1,{}]", "{\"a\":[]}", "1.5"}) {
    for (const auto* name : {"output_index", "content_index", "item_id", "sequence_number", "logprobs"}) {
      const auto body = event("response.output_text.delta", fmt::format(R"("{}":{},"delta":"ok")", name, value));
      EXPECT_EQ(decoded(body + completed()).text(), "ok") << body;
    }
    for (const auto* name : {"usage", "output", "id", "incomplete_details", "error", "status"}) {
      const auto body =
          text_delta("ok") + event("response.completed", fmt::format(R"("response":{{"{}":{}}})", name, value));
      EXPECT_EQ(decoded(body).text(), "ok") << body;
      EXPECT_EQ(decoded(body).finish(), FinishReason::stop) << body;
    }
    for (const auto* type : {"response.output_item.added", "response.output_item.done", "response.created"}) {
      const auto body =
          event(type, fmt::format(R"("item":{0},"response":{0})", value)) + text_delta("ok") + completed();
      EXPECT_EQ(decoded(body).text(), "ok") << body;
    }
    const auto delta = decoded(event("response.output_text.delta", fmt::format(R"("delta":{})", value)) + completed());
    EXPECT_EQ(delta.finish(), FinishReason::stop) << value;
  }
}

TEST(ResponsesDecoder, AnAnswerThatIsTooLongFails) {
  const DecoderLimits limits{.item_bytes_max = 1024, .answer_bytes_max = 600};
  const std::string piece(300, 'x');
  EXPECT_EQ(
      decoded(text_delta(piece) + text_delta(piece) + text_delta("x") + completed(), true, limits).failure()->code,
      ErrorCode::response_too_large);
  EXPECT_EQ(
      decoded(item_added(call("c", "")) + arguments_delta(piece) + arguments_delta(piece) + completed(), true, limits)
          .failure()
          ->code,
      ErrorCode::response_too_large);
  EXPECT_EQ(decoded(text_delta(std::string(2000, 'x')), true, limits).failure()->code, ErrorCode::response_too_large);
  std::string items;
  for (int i = 0; i < 20; ++i) items += item_added(R"({"type":"message"})", i);
  EXPECT_EQ(decoded(items + completed(), true, limits).failure()->code, ErrorCode::response_too_large)
      << "items that are begun take memory too";
}

class Nothing final : public AnswerSink {
 public:
  void on_event(AnswerEvent /*event*/) override {}
};

TEST(ResponsesDecoder, PiecesOfTextAllocateNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "no allocator says how often it is asked";
  Nothing sink;
  const auto decoder = make_decoder(true, {}, target);
  const auto text = text_delta("a piece of text that is long enough");
  const auto thought =
      event("response.reasoning_summary_text.delta",
            R"("item_id":"rs_0123456789012345678901","output_index":1,"summary_index":0,"delta":"a piece of text")");
  for (int i = 0; i < 10; ++i) decoder->feed(text + thought, sink);
  const tests::AllocationCount count;
  for (int i = 0; i < 100; ++i) {
    decoder->feed(text, sink);
    decoder->feed(thought, sink);
  }
  EXPECT_EQ(count.since(), 0U);
}

TEST(ResponsesDecoder, TooManyCallsFailTheAnswer) {
  std::string list;
  std::string events;
  for (int i = 0; i < 4097; ++i) {
    if (i == 4096) {
      EXPECT_THAT(decoded(events + completed()).tool_calls(), testing::SizeIs(4096));
      EXPECT_THAT(decoded(completed(list)).tool_calls(), testing::SizeIs(4096));
    }
    const auto item = call(fmt::format("c{}", i), "{}");
    list += (i == 0 ? "" : ",") + item;
    events += item_added(item, i);
  }
  for (const auto& body : {events + completed(), completed(list)}) {
    const auto answer = decoded(body);
    ASSERT_TRUE(answer.failure());
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
  }
}

/// So many that a search through those before it, for each, would not end.
TEST(ResponsesDecoder, ManyPartsOfOneItemEnd) {
  std::string parts;
  for (int i = 0; i < 200'000; ++i) parts += (i == 0 ? "" : ",") + std::string(R"({"text":"a"})");
  EXPECT_EQ(decoded(item_done(R"({"type":"message","content":[)" + parts + "]}") + completed()).text().size(),
            200'000U);
  EXPECT_EQ(decoded(item_done(R"({"type":"reasoning","summary":[)" + parts + "]}") + completed()).reasoning().size(),
            200'000U + 2U * 199'999U);
}

TEST(ResponsesDecoder, ManyItemsEnd) {
  const auto decoder = make_decoder(true, {}, target);
  AnswerRecorder recorder;
  for (int i = 0; i < 120'000; ++i) decoder->feed(item_added(R"({"type":"message"})", i), recorder);
  for (int i = 0; i < 10'000; ++i) decoder->feed(text_delta("a", 0), recorder);
  decoder->feed(completed(), recorder);
  EXPECT_EQ(recorder.text().size(), 10'000U) << recorder.summary().substr(0, 1000);
  EXPECT_EQ(recorder.finish(), FinishReason::stop);
}

TEST(ResponsesDecoder, PartsWithoutTextCountTowardsTheAnswersLimit) {
  std::string pieces;
  for (int i = 0; i < 1000; ++i) {
    pieces += event("response.output_text.delta", fmt::format(R"("output_index":0,"content_index":{},"delta":"")", i));
  }
  const auto answer = decoded(pieces, true, {.answer_bytes_max = 10'000});
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large);
}

TEST(ResponsesDecoder, PiecesFindItemByPlaceIdAndKind) {
  const auto piece = [](std::string_view head, std::string_view delta) {
    return event("response.function_call_arguments.delta", fmt::format(R"({}"delta":"{}")", head, delta));
  };
  const auto begun = [](std::string_view id, std::string_view head = "") {
    return event(
        "response.output_item.added",
        fmt::format(R"({}"item":{{"type":"function_call","id":"{}","call_id":"{}","name":"f"}})", head, id, id));
  };
  // Every item has place 0; the latest is meant, unless the id alone says which.
  const auto answer = decoded(begun("a", R"("output_index":0,)") + begun("b", R"("output_index":0,)") +
                              piece(R"("output_index":0,)", "{") + piece(R"("item_id":"a",)", "{") + begun("c") +
                              piece("", "{") + piece(R"("item_id":"b",)", R"(\"x\":2)") + piece("", R"(\"x\":3)") +
                              piece(R"("item_id":"a",)", R"(\"x\":1)") + piece(R"("output_index":0,)", "}") +
                              piece(R"("item_id":"a",)", "}") + piece(R"("item_id":"c",)", "}") + completed());
  ASSERT_THAT(answer.tool_calls(), testing::SizeIs(3)) << answer.summary();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answer.tool_calls()[i].arguments, fmt::format(R"({{"x":{}}})", i + 1));
  }
}

}  // namespace
}  // namespace tokenrail::providers::openai_responses
