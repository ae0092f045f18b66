#include "common/providers/gemini/decoder.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/token_counts.hpp"
#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::gemini {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AnswerRecorder decoded(std::string_view body, bool stream = true, const DecoderLimits& limits = {}) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, limits, {.provider = "gemini", .prompt_bytes = 40});
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

std::string event(std::string_view json) {
  return fmt::format("data: {}\r\n\r\n", json);
}

/// A response with these parts; `more` are further fields of the candidate.
std::string response(std::string_view parts, std::string_view more = "", std::string_view usage = "") {
  return fmt::format(
      R"({{"candidates":[{{"content":{{"role":"model","parts":[{}]}},"index":0{}{}}}]{}{},"responseId":"r-1"}})", parts,
      more.empty() ? "" : ",", more, usage.empty() ? "" : R"(,"usageMetadata":)", usage);
}
constexpr std::string_view stop = R"("finishReason":"STOP")";
constexpr std::string_view usage =
    R"({"promptTokenCount":9,"candidatesTokenCount":2,"thoughtsTokenCount":5,"totalTokenCount":16})";

TEST(GeminiDecoder, TextArrivesPieceByPiece) {
  const auto answer = decoded(event(response(R"({"text":"Hel"})")) + event(response(R"({"text":"lo"})", stop, usage)));
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.request_id(), "r-1");
  EXPECT_EQ(answer.order(), "text usage text finish");
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(GeminiDecoder, ThoughtsAreReasoning) {
  const auto answer =
      decoded(event(response(R"({"text":"hm","thought":true})")) + event(response(R"({"text":"4"})", stop, usage)));
  EXPECT_EQ(answer.reasoning(), "hm");
  EXPECT_EQ(answer.text(), "4");
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 9);
  EXPECT_EQ(answer.usage()->output_tokens, 7) << "thoughts are output";
  EXPECT_EQ(answer.usage()->reasoning_tokens, 5);
}

TEST(GeminiDecoder, UsageCountsCacheAndToolPrompts) {
  const auto answer = decoded(response(R"({"text":"x"})", stop,
                                       R"({"promptTokenCount":10,"cachedContentTokenCount":4,)"
                                       R"("toolUsePromptTokenCount":3,"candidatesTokenCount":1})"),
                              false);
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 13);
  EXPECT_EQ(answer.usage()->output_tokens, 1);
  EXPECT_EQ(answer.usage()->cached_input_tokens, 4);
  EXPECT_FALSE(answer.usage()->reasoning_tokens);
  EXPECT_FALSE(answer.usage()->estimated);
}

TEST(GeminiDecoder, MissingUsageIsEstimated) {
  for (const auto* none : {"", "{}", "null", "7", R"({"promptTokenCount":-1})", R"({"trafficType":"ON_DEMAND"})"}) {
    const auto answer = decoded(response(R"({"text":"12345678"})", stop, none), false);
    ASSERT_TRUE(answer.usage()) << none;
    EXPECT_TRUE(answer.usage()->estimated);
    EXPECT_EQ(answer.usage()->input_tokens, 10);
    EXPECT_EQ(answer.usage()->output_tokens, 2);
  }
}

TEST(GeminiDecoder, TheLatestUsageCounts) {
  const auto answer = decoded(event(response("", "", R"({"promptTokenCount":29,"candidatesTokenCount":21})")) +
                              event(response(R"({"text":"x"})", "", R"({"promptTokenCount":29})")) +
                              event(response("", stop, R"({"promptTokenCount":222,"candidatesTokenCount":6})")));
  EXPECT_EQ(answer.usage()->input_tokens, 222);
  EXPECT_EQ(answer.usage()->output_tokens, 6);
}

TEST(GeminiDecoder, CallsAreDeliveredWithTheirIds) {
  const auto answer = decoded(event(response(R"({"functionCall":{"id":"c1","name":"f","args":{"a": [1, "x"]}}})")) +
                              event(response(R"({"text":""})", stop, usage)));
  ASSERT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.tool_calls()[0].id, "c1");
  EXPECT_EQ(answer.tool_calls()[0].name, "f");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":[1,"x"]})");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << "although the provider says STOP";
}

TEST(GeminiDecoder, CallsWithoutIdsGetNewIds) {
  const auto body = response(R"({"functionCall":{"name":"f","args":null}},{"functionCall":{"name":"f"}})", stop, usage);
  const auto answer = decoded(body, false);
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].id, "gemini-1-r-1");
  EXPECT_EQ(answer.tool_calls()[1].id, "gemini-2-r-1");
  EXPECT_EQ(answer.tool_calls()[0].arguments, "{}");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
}

TEST(GeminiDecoder, ArgumentsThatAreNoObjectFailTheAnswer) {
  for (const auto* args : {"[1]", "7", R"("no")", "true"}) {
    const auto answer =
        decoded(response(fmt::format(R"({{"functionCall":{{"name":"f","args":{}}}}})", args), stop, usage), false);
    ASSERT_TRUE(answer.failure()) << args;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_TRUE(answer.call_failure()->retry);
  }
  EXPECT_EQ(decoded(response(R"({"functionCall":{"name":"f","args":"{\"a\": 1}"}})", stop), false)
                .tool_calls()
                .at(0)
                .arguments,
            R"({"a":1})");
}

TEST(GeminiDecoder, SignaturesNameThePartTheyBelongTo) {
  const auto answer =
      decoded(event(response(R"({"text":"hm","thought":true,"thoughtSignature":"dA=="},{"text":"ab"})")) +
              event(response(R"({"text":"cd","thoughtSignature":"eA=="})")) +
              event(response(R"({"functionCall":{"id":"c1","name":"f"},"thoughtSignature":"YQ=="},)"
                             R"({"functionCall":{"name":"g"},"thoughtSignature":"Yg=="})")) +
              event(response(R"({"text":"","thoughtSignature":"Yw=="},{"thoughtSignature":"ZA=="})", stop, usage)));
  std::vector<std::string> blocks;
  for (const auto& block : answer.blocks()) {
    EXPECT_EQ(block.provider, "gemini");
    blocks.push_back(block.data);
  }
  EXPECT_THAT(blocks, ElementsAre(R"({"part":"thought","thoughtSignature":"dA=="})",
                                  R"({"part":"text","from":2,"bytes":2,"calls":0,"thoughtSignature":"eA=="})",
                                  R"({"part":"call","id":"c1","thoughtSignature":"YQ=="})",
                                  R"({"part":"call","id":"gemini-2-r-1","thoughtSignature":"Yg=="})",
                                  R"({"part":"text","from":4,"bytes":0,"calls":2,"thoughtSignature":"Yw=="})",
                                  R"({"part":"text","from":4,"bytes":0,"calls":2,"thoughtSignature":"ZA=="})"));
}

TEST(GeminiDecoder, PiecesOfArgumentsBecomeOneCall) {
  const auto piece = [](std::string_view call) {
    return event(response(fmt::format(R"({{"functionCall":{}}})", call)));
  };
  const auto answer = decoded(
      event(response(R"({"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"YQ=="})")) +
      piece(R"({"partialArgs":[{"jsonPath":"$.city","stringValue":"Bos","willContinue":true}],"willContinue":true})") +
      piece(
          R"({"partialArgs":[{"jsonPath":"$.city","stringValue":"ton"},{"jsonPath":"$.n","numberValue":1.5}],"willContinue":true})") +
      piece(
          R"({"partialArgs":[{"jsonPath":"$.list[0].ok","boolValue":true},{"jsonPath":"$.list[1]['a b']","nullValue":"NULL_VALUE"}],"willContinue":true})") +
      piece("{}") + piece(R"({"name":"f","willContinue":true})") +
      event(response(R"({"functionCall":{}})", stop, usage)));
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"city":"Boston","n":1.5,"list":[{"ok":true},{"a b":null}]})");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_THAT(answer.blocks().at(0).data, HasSubstr(R"("id":"gemini-1-r-1")"));
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
}

TEST(GeminiDecoder, EachPieceOfArgumentsIsProgress) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {});
  std::uint64_t before = 0;
  for (const auto* const call :
       {R"({"functionCall":{"name":"f","willContinue":true}})",
        R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x"}],"willContinue":true}})",
        R"({"functionCall":{"partialArgs":[{"jsonPath":"$.n","numberValue":1.5}],"willContinue":true}})"}) {
    decoder->feed(event(response(call)), recorder);
    EXPECT_GT(decoder->piece_bytes(), std::exchange(before, decoder->piece_bytes())) << call;
  }
}

TEST(GeminiDecoder, ANewNameBeginsANewCall) {
  const auto answer = decoded(
      event(response(R"({"functionCall":{"name":"f","willContinue":true}})")) +
      event(response(
          R"({"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a","numberValue":1}],"willContinue":true}})")) +
      event(response(R"({"functionCall":{"name":"g","args":{"b":2}}})", stop, usage)));
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})");
  EXPECT_EQ(answer.tool_calls()[1].name, "g");
  EXPECT_EQ(answer.tool_calls()[1].arguments, R"({"b":2})");
}

TEST(GeminiDecoder, PiecesWithoutAUsablePlaceFailTheAnswer) {
  for (const auto* path :
       {"a", "$", "", "$.a.", "$[", "$['a'", "$[x]", "$.a[2]", "$.s.t", "$.s[0]", "$[99999999999999999999]"}) {
    const auto answer = decoded(event(response(
        fmt::format(
            R"({{"functionCall":{{"name":"f","partialArgs":[{{"jsonPath":"$.s","stringValue":"x"}},{{"jsonPath":"{}","numberValue":1}}]}}}})",
            path),
        stop)));
    ASSERT_TRUE(answer.failure()) << path;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  }
  EXPECT_TRUE(
      decoded(event(response(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.s","stringValue":"x"}]}})", stop)))
          .failure());
}

TEST(GeminiDecoder, AudioAndImagesAreCountedApart) {
  const auto answer = decoded(event(response(
      R"({"text":"x"})", stop,
      R"({"promptTokenCount":1000,"candidatesTokenCount":90,)"
      R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":30},{"modality":"AUDIO","tokenCount":900},)"
      R"({"modality":"IMAGE","tokenCount":70}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":80},)"
      R"({"modality":"IMAGE","tokenCount":6},7,{}]})")));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->audio_input_tokens, 900);
  EXPECT_EQ(answer.usage()->image_input_tokens, 70);
  EXPECT_EQ(answer.usage()->audio_output_tokens, 80);
  EXPECT_EQ(answer.usage()->image_output_tokens, 6);
}

TEST(GeminiDecoder, LeavesOutCallCutByAContentFilter) {
  const auto answer = decoded(event(response(R"({"functionCall":{"name":"f","willContinue":true}})")) +
                              event(response("", R"("finishReason":"SAFETY")", usage)));
  EXPECT_FALSE(answer.failure()) << "a refusal is not sent to another deployment";
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  EXPECT_EQ(answer.finish(), FinishReason::content_filter);
  EXPECT_THAT(answer.warnings(), ElementsAre(HasSubstr("content filter cut a tool call off"), HasSubstr("SAFETY")));
}

TEST(GeminiDecoder, LeavesOutCallCutByTheLimit) {
  const auto open = event(response(R"({"functionCall":{"name":"f","willContinue":true}})"));
  const auto cut = decoded(open + event(response("", R"("finishReason":"MAX_TOKENS")", usage)));
  EXPECT_EQ(cut.finish(), FinishReason::length);
  EXPECT_THAT(cut.tool_calls(), IsEmpty());
  EXPECT_THAT(cut.warnings(), testing::Contains(HasSubstr("cut a tool call off")));
  EXPECT_TRUE(decoded(open + event(response("", stop, usage))).failure());
}

struct FinishCase {
  const char* reason;
  std::optional<FinishReason> finish;
  ErrorCode code = ErrorCode::provider_protocol;
  bool retry = true;
};
TEST(GeminiDecoder, FinishReasonsAreMapped) {
  for (const auto& row : {
           FinishCase{R"("STOP")", FinishReason::stop},
           FinishCase{"1", FinishReason::stop},
           FinishCase{R"("MAX_TOKENS")", FinishReason::length},
           FinishCase{"2", FinishReason::length},
           FinishCase{R"("SAFETY")", FinishReason::content_filter},
           FinishCase{"3", FinishReason::content_filter},
           FinishCase{R"("RECITATION")", FinishReason::content_filter},
           FinishCase{R"("BLOCKLIST")", FinishReason::content_filter},
           FinishCase{R"("PROHIBITED_CONTENT")", FinishReason::content_filter},
           FinishCase{R"("SPII")", FinishReason::content_filter},
           FinishCase{R"("IMAGE_SAFETY")", FinishReason::content_filter},
           FinishCase{R"("MALFORMED_FUNCTION_CALL")", std::nullopt},
           FinishCase{R"("UNEXPECTED_TOOL_CALL")", std::nullopt},
           FinishCase{R"("TOO_MANY_TOOL_CALLS")", std::nullopt},
           FinishCase{R"("OTHER")", std::nullopt},
           FinishCase{R"("LANGUAGE")", std::nullopt, ErrorCode::capability_unsupported, false},
           FinishCase{R"("MISSING_THOUGHT_SIGNATURE")", std::nullopt, ErrorCode::invalid_request, false},
           FinishCase{R"("A_NEW_REASON")", FinishReason::stop},
           FinishCase{"77", FinishReason::stop},
       }) {
    const auto answer = decoded(
        response(R"({"text":"x"})", fmt::format(R"("finishMessage":"why","finishReason":{})", row.reason), usage),
        false);
    EXPECT_EQ(answer.finish(), row.finish) << row.reason;
    if (!row.finish) {
      ASSERT_TRUE(answer.call_failure()) << row.reason;
      EXPECT_EQ(answer.failure()->code, row.code) << row.reason;
      EXPECT_EQ(answer.call_failure()->retry, row.retry) << row.reason;
      EXPECT_TRUE(answer.call_failure()->try_next);
      EXPECT_THAT(answer.failure()->message, HasSubstr("why"));
      EXPECT_TRUE(answer.usage()) << "a failed answer costs too";
    }
  }
}

TEST(GeminiDecoder, AReasonThatSaysNothingEndsNothing) {
  for (const auto* reason : {"null", "0", R"("")", R"("FINISH_REASON_UNSPECIFIED")", "true", "{}", "-3"}) {
    const auto more = fmt::format(R"("finishReason":{})", reason);
    const auto answer = decoded(event(response(R"({"text":"x"})", more)));
    EXPECT_TRUE(answer.failure()) << reason;
    EXPECT_EQ(decoded(event(response(R"({"text":"x"})", more)) + event(response("", stop))).finish(),
              FinishReason::stop);
  }
}

TEST(GeminiDecoder, AnUnexpectedCallIsNotDelivered) {
  const auto answer = decoded(
      response(R"({"functionCall":{"name":"unknown"}})", R"("finishReason":"UNEXPECTED_TOOL_CALL")", usage), false);
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  EXPECT_TRUE(answer.failure());
}

TEST(GeminiDecoder, CountsThatOverflowAreNotBelieved) {
  const auto answer = decoded(response(R"({"text":"x"})", stop,
                                       R"({"promptTokenCount":9223372036854775807,"candidatesTokenCount":2,)"
                                       R"("toolUsePromptTokenCount":9223372036854775807})"),
                              false);
  ASSERT_TRUE(answer.usage());
  EXPECT_FALSE(believable(*answer.usage()));
  EXPECT_EQ(answer.text(), "x");
}

TEST(GeminiDecoder, AnEmptyAnswerAtTheLimitIsExplained) {
  const auto answer = decoded(
      R"({"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":1,"thoughtsTokenCount":2}})",
      false);
  EXPECT_EQ(answer.finish(), FinishReason::length);
  EXPECT_EQ(answer.usage()->output_tokens, 2);
  EXPECT_THAT(answer.warnings(), ElementsAre(HasSubstr("Set a higher maxTokens")));
}

TEST(GeminiDecoder, ABlockedPromptIsARefusal) {
  for (const bool stream : {true, false}) {
    const std::string body = R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","blockReasonMessage":"no"},)"
                             R"("usageMetadata":{"promptTokenCount":7}})";
    const auto answer = decoded(stream ? event(body) : body, stream);
    ASSERT_TRUE(answer.call_failure());
    EXPECT_EQ(answer.failure()->code, ErrorCode::content_filtered);
    EXPECT_FALSE(answer.call_failure()->retry);
    EXPECT_FALSE(answer.call_failure()->try_next) << "a refusal is not shopped around";
    EXPECT_THAT(answer.failure()->message, HasSubstr("PROHIBITED_CONTENT: no"));
    EXPECT_EQ(answer.usage()->input_tokens, 7);
  }
}

TEST(GeminiDecoder, ClassifiesErrorInStreamByItsCode) {
  const std::string error = R"({"error":{"code":503,"message":"The model is busy","status":"UNAVAILABLE"}})";
  const auto begin = event(response(R"({"text":"Hel"})"));
  for (const auto& body : {begin + event(error), begin + error, begin + "{\n" + error.substr(1) + "\r\n"}) {
    const auto answer = decoded(body);
    EXPECT_EQ(answer.text(), "Hel");
    ASSERT_TRUE(answer.call_failure()) << body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_unavailable);
    EXPECT_EQ(answer.failure()->status, 503);
    EXPECT_TRUE(answer.call_failure()->retry);
    EXPECT_THAT(answer.failure()->message, HasSubstr("The model is busy"));
  }
}

TEST(GeminiDecoder, AListOfResponsesIsAStreamToo) {
  const auto body =
      "[" + response(R"({"text":"a]}\"{"})") + "\n,\r\n" + response(R"({"text":"b"})", stop, usage) + "\n]";
  for (const bool stream : {true, false}) {
    const auto answer = decoded(body, stream);
    EXPECT_EQ(answer.text(), "a]}\"{b");
    EXPECT_EQ(answer.finish(), FinishReason::stop);
  }
  const auto cut = decoded(body.substr(0, body.size() - 20));
  ASSERT_TRUE(cut.failure());
  EXPECT_EQ(cut.text(), "a]}\"{");
  EXPECT_THAT(cut.failure()->message, HasSubstr("before it was whole"));
}

TEST(GeminiDecoder, BodyDecidesInsteadOfItsType) {
  const auto whole = response(R"({"text":"x"})", stop, usage);
  for (const auto* type : {"application/json", "text/event-stream", "text/html"}) {
    for (const bool stream : {true, false}) {
      for (const auto& body : {whole, event(whole), "\r\n" + whole}) {
        AnswerRecorder answer;
        const auto decoder = make_decoder(stream, {});
        decoder->head({.status = 200, .headers = {{.name = "content-type", .value = type}}}, answer);
        decoder->feed(body, answer);
        decoder->end(answer);
        EXPECT_EQ(answer.finish(), FinishReason::stop) << type << stream << body;
      }
    }
  }
}

TEST(GeminiDecoder, OtherBodiesFailWithTheirName) {
  EXPECT_THAT(decoded("<html></html>").failure()->message, HasSubstr("a web page"));
  EXPECT_THAT(decoded("<html></html>", false).failure()->message, HasSubstr("a web page"));
  const auto openai = decoded(event(R"({"id":"c","object":"chat.completion.chunk","choices":[]})"));
  EXPECT_THAT(openai.failure()->message, HasSubstr("OpenAI-compatible"));
  EXPECT_FALSE(openai.call_failure()->retry);
  EXPECT_THAT(decoded("").failure()->message, HasSubstr("is empty"));
  EXPECT_THAT(decoded(" \r\n", false).failure()->message, HasSubstr("is empty"));
  EXPECT_TRUE(decoded("{}", false).failure());
  EXPECT_TRUE(decoded(R"({"candidates":[]})", false).failure());
}

TEST(GeminiDecoder, AStreamWithoutAnEndIsNoAnswer) {
  const auto answer = decoded(event(response(R"({"text":"Hello"})", "", usage)));
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  EXPECT_TRUE(answer.call_failure()->retry);
}

TEST(GeminiDecoder, IgnoresEventsAfterTheEnd) {
  const auto answer =
      decoded(event(response(R"({"text":"a"})", stop, usage)) + event(response(R"({"text":"b"})", stop)));
  EXPECT_EQ(answer.text(), "a");
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
}

TEST(GeminiDecoder, OneUnreadableEventIsPassedOver) {
  const auto good = event(response(R"({"text":"a"})"));
  const auto once = decoded(good + event("{\"candidates\":") + event(response("", stop)));
  EXPECT_EQ(once.finish(), FinishReason::stop);
  EXPECT_EQ(once.text(), "a");
  EXPECT_THAT(once.warnings(), ElementsAre(HasSubstr("could not be read")));
  EXPECT_TRUE(decoded(good + event("{") + event("{") + event(response("", stop))).failure());
}

TEST(GeminiDecoder, FieldsOfAnotherTypeCostOnlyThemselves) {
  for (const auto* part :
       {"7", "null", "[]", R"({"text":7})", R"({"functionCall":[]})", R"({"functionCall":{"name":7}})",
        R"({"thoughtSignature":7})", R"({"text":null,"thought":"yes"})", R"({"new":{}})"}) {
    const auto answer = decoded(event(response(part)) + event(response(R"({"text":"a"})", stop, usage)));
    EXPECT_EQ(answer.finish(), FinishReason::stop) << part;
    EXPECT_EQ(answer.text(), "a") << part;
  }
  for (const auto* more : {R"("content":7)", R"("content":{"parts":{}})", R"("index":"x","content":null)"}) {
    const auto body =
        fmt::format(R"({{"candidates":[7,{{{},"finishReason":"STOP"}}],"responseId":7,"usageMetadata":[]}})", more);
    EXPECT_EQ(decoded(body, false).finish(), FinishReason::stop) << body;
  }
}

TEST(GeminiDecoder, OnlyTheFirstCandidateCounts) {
  const auto answer = decoded(R"({"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"},)"
                              R"({"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]})",
                              false);
  EXPECT_EQ(answer.text(), "a");
}

TEST(GeminiDecoder, PartsThatCannotBeDeliveredAreNamedOnce) {
  const auto answer = decoded(
      response(R"({"inlineData":{"mimeType":"image/png","data":"AA=="}},{"executableCode":{}},{"text":"a"})", stop),
      false);
  EXPECT_EQ(answer.text(), "a");
  EXPECT_THAT(answer.warnings(), ElementsAre(HasSubstr("inlineData")));
}

TEST(GeminiDecoder, LimitsHoldForEveryForm) {
  const DecoderLimits limits{.item_bytes_max = 300, .answer_bytes_max = 100};
  const auto large = response(fmt::format(R"({{"text":"{}"}})", std::string(400, 'x')), stop);
  for (const auto& body : {event(large), large, "[" + large}) {
    ASSERT_TRUE(decoded(body, true, limits).failure());
    EXPECT_EQ(decoded(body, true, limits).failure()->code, ErrorCode::response_too_large);
  }
  std::string many;
  for (int i = 0; i < 20; ++i) many += event(response(R"({"text":"0123456789"})"));
  EXPECT_EQ(decoded(many, true, limits).failure()->code, ErrorCode::response_too_large);
  std::string pieces = event(response(R"({"functionCall":{"name":"f","willContinue":true}})"));
  for (int i = 0; i < 20; ++i) {
    pieces += event(response(
        R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"0123456789"}],"willContinue":true}})"));
  }
  EXPECT_EQ(decoded(pieces, true, limits).failure()->code, ErrorCode::response_too_large);
}

TEST(GeminiDecoder, TheAnswerIsTheSameForEveryCut) {
  const auto error = std::string("{\"error\":{\"code\":500,\"message\":\"x\"}}");
  const auto begin = event(response(R"({"text":"ü"})"));
  for (const auto& body :
       {begin + event(response(R"({"functionCall":{"name":"f"},"thoughtSignature":"YQ=="})", stop, usage)),
        begin + error, "[" + response(R"({"text":"{\"\\"})") + ",\r\n" + response("", stop) + "]"}) {
    const auto whole = decoded(body).summary();
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      AnswerRecorder answer;
      const auto decoder = make_decoder(true, {}, {.provider = "gemini", .prompt_bytes = 40});
      decoder->feed(std::string_view(body).substr(0, cut), answer);
      decoder->feed(std::string_view(body).substr(cut), answer);
      decoder->end(answer);
      ASSERT_EQ(answer.summary(), whole) << cut;
    }
  }
}

class CountingSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    if (const auto* text = std::get_if<TextDelta>(&event)) bytes += text->text.size();
  }
  std::size_t bytes = 0;
};

TEST(GeminiDecoder, APieceOfTextAllocatesNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  std::string body;
  for (int i = 0; i < 100; ++i) body += event(response(R"({"text":"well"},{"text":"hm","thought":true})", "", usage));
  CountingSink sink;
  const auto decoder = make_decoder(true, {});
  decoder->feed(body, sink);  // the thread's parser grows to its size
  const tests::AllocationCount count;
  decoder->feed(body, sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_EQ(sink.bytes, 200U * 4);
}

TEST(GeminiDecoder, TooManyCallsFailTheAnswer) {
  std::string parts;
  for (int i = 0; i < 4096; ++i) parts += (i == 0 ? "" : ",") + std::string(R"({"functionCall":{"name":"f"}})");
  EXPECT_EQ(decoded(event(response(parts, stop))).tool_calls().size(), 4096U);
  const auto answer = decoded(event(response(parts + R"(,{"functionCall":{"name":"f"}})", stop)));
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
}

/// Pieces of that many arguments, the first at this number.
std::string argument_pieces(int begin, int count) {
  std::string list;
  for (int i = begin; i < begin + count; ++i) {
    list += fmt::format(R"({}{{"jsonPath":"$.a{}","boolValue":true}})", i == begin ? "" : ",", i);
  }
  return event(response(fmt::format(R"({{"functionCall":{{"partialArgs":[{}],"willContinue":true}}}})", list)));
}

TEST(GeminiDecoder, ACallOfManyArgumentsEnds) {
  std::string body = event(response(R"({"functionCall":{"name":"f","willContinue":true}})"));
  for (int i = 0; i < 4; ++i) body += argument_pieces(i * 50'000, 50'000);
  body += event(response(R"({"functionCall":{}})", stop));
  const auto answer = decoded(body);
  ASSERT_EQ(answer.tool_calls().size(), 1U) << answer.summary().substr(0, 1000);
  EXPECT_TRUE(answer.tool_calls()[0].arguments.starts_with(R"({"a0":true,"a1":true,)"));
  EXPECT_TRUE(answer.tool_calls()[0].arguments.ends_with(R"("a199999":true})"));
}

TEST(GeminiDecoder, ArgumentsWithoutTextCountTowardsTheAnswersLimit) {
  std::string list;
  std::string path = "$";
  for (int i = 0; i < 60; ++i) path += "[0]";
  for (int i = 0; i < 20; ++i) {
    list += fmt::format(R"({}{{"jsonPath":"$.{}{}","boolValue":true}})", i == 0 ? "" : ",", static_cast<char>('a' + i),
                        path.substr(1));
  }
  const auto answer =
      decoded(event(response(R"({"functionCall":{"name":"f","willContinue":true}})")) +
                  event(response(R"({"functionCall":{"partialArgs":[)" + list + R"(],"willContinue":true}})")),
              true, {.answer_bytes_max = 20'000});
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large) << "1,200 lists within each other";
}

}  // namespace
}  // namespace tokenrail::providers::gemini
