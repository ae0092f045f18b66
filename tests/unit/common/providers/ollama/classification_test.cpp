#include "common/providers/ollama/classification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {
namespace {

using events::ErrorCode;
using http::Ending;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

http::ResponseHead head(int status, std::vector<http::Header> headers = {}) {
  return {.status = status, .headers = std::move(headers)};
}

struct StatusCase {
  int status;
  const char* body;
  ErrorCode code;
  bool retry;
  bool try_next;
  const char* error_class;
};
TEST(OllamaClassification, ClassifiesRefusals) {
  for (const auto& row : {
           StatusCase{404, R"({"error":"model 'x' not found"})", ErrorCode::model_not_found, false, true,
                      "not_found_model"},
           StatusCase{404, "404 page not found", ErrorCode::invalid_model_config, false, true, "not_ollama"},
           StatusCase{400, R"({"error":"\"m\" does not support thinking"})", ErrorCode::capability_unsupported, false,
                      true, "capability"},
           StatusCase{400, R"({"error":"registry.ollama.ai/library/m does not support tools"})",
                      ErrorCode::capability_unsupported, false, true, "capability"},
           StatusCase{400, R"({"error":"invalid options"})", ErrorCode::invalid_request, false, false,
                      "invalid_request"},
           StatusCase{400, R"({"error":"the input exceeds the context length"})", ErrorCode::context_too_long, false,
                      true, "context_too_long"},
           StatusCase{401, R"({"error":"unauthorized","signin_url":"https://x"})", ErrorCode::provider_auth, false,
                      true, "auth"},
           StatusCase{402, "", ErrorCode::provider_auth, false, true, "payment"},
           StatusCase{403, R"({"error":"cloud disabled"})", ErrorCode::provider_auth, false, true, "auth"},
           StatusCase{429, R"({"error":"slow down"})", ErrorCode::provider_rate_limited, true, true, "rate_limited"},
           StatusCase{499, R"({"error":"cancelled"})", ErrorCode::provider_unavailable, true, true, "cancelled_there"},
           StatusCase{500, R"({"error":"llama runner process has terminated"})", ErrorCode::provider_unavailable, true,
                      true, "server_error"},
           StatusCase{500,
                      R"({"error":"Failed to create new sequence: failed to process inputs: image: unknown format"})",
                      ErrorCode::invalid_request, false, false, "invalid_request"},
           StatusCase{500, R"j({"error":"model requires more system memory (5.6 GiB) than is available (3.2 GiB)"})j",
                      ErrorCode::provider_unavailable, false, true, "out_of_memory"},
           StatusCase{502, "Bad Gateway", ErrorCode::provider_unavailable, true, true, "unavailable"},
           StatusCase{503, R"({"error":"server busy, please try again.  maximum pending requests exceeded"})",
                      ErrorCode::provider_unavailable, true, true, "busy"},
           StatusCase{504, "", ErrorCode::provider_timeout, true, true, "timeout"},
           StatusCase{408, "", ErrorCode::provider_timeout, true, true, "timeout"},
           StatusCase{413, "", ErrorCode::invalid_request, false, false, "too_large"},
           StatusCase{302, "", ErrorCode::invalid_model_config, false, true, "redirect"},
           StatusCase{599, "", ErrorCode::provider_unavailable, true, true, "server_error"},
           StatusCase{777, "", ErrorCode::provider_protocol, false, true, "unexpected_status"},
       }) {
    const auto made = classify_response(head(row.status), row.body);
    EXPECT_EQ(made.failure.code, row.code) << row.status << row.body;
    EXPECT_EQ(made.retry, row.retry) << row.status << row.body;
    EXPECT_EQ(made.try_next, row.try_next) << row.status << row.body;
    EXPECT_EQ(made.error_class, row.error_class);
    EXPECT_EQ(made.failure.status, row.status);
    EXPECT_FALSE(made.failure.message.empty());
    EXPECT_EQ(made.failure.retryable, events::entry_of(row.code).retryable);
  }
}

TEST(OllamaClassification, KnowsCapabilityRefusalsByManyWordings) {
  struct Case {
    int status;
    const char* body;
  };
  for (const auto& row : {
           Case{400, R"({"error":"registry.ollama.ai/library/m:1b does not support tools"})"},
           Case{400, R"({"error":"\"m:1b\" does not support thinking"})"},
           Case{400, R"({"error":"\"m:1b\" does not support chat"})"},
           Case{400, R"({"error":"\"m:1b\" does not support generate"})"},
           Case{400, R"({"error":"think value \"low\" is not supported for this model"})"},
           Case{500, R"({"error":"this model is missing data required for image input"})"},
           Case{500, R"({"error":"vision model only supports a single image per message"})"},
           Case{500, R"({"error":{"code":500,"message":"image input is not supported","type":"server_error"}})"},
           Case{501, R"({"error":{"code":501,"message":"Start it otherwise.","type":"not_supported_error"}})"},
           Case{500, R"({"error":{"message":"tools param requires --jinja flag"}})"},
           Case{400, R"({"message":"invalid request: image content is not supported for this model"})"},
           Case{400, R"({"code":400,"message":"model features structured outputs not support"})"},
           Case{400, R"({"error":{"message":"'stop' cannot be used here","code":"unsupported_parameter"}})"},
           Case{400, R"({"error":{"message":"Unsupported value: 'temperature'","code":"unsupported_value"}})"},
           Case{400, R"({"object":"error","message":"The model does not support Chat Completions API"})"},
           Case{400, R"({"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser"})"},
           Case{400, R"({"message":"At most 0 image(s) may be provided in one request."})"},
           Case{400, R"({"detail":"m is not a multimodal model"})"},
           Case{404, R"({"error":{"message":"This is not a chat model and thus not supported in this endpoint."}})"},
           Case{422, R"({"error":{"message":"response_format is not supported"}})"},
       }) {
    const auto made = classify_response(head(row.status), row.body);
    EXPECT_EQ(made.failure.code, ErrorCode::capability_unsupported) << row.body;
    EXPECT_TRUE(made.try_next) << row.body;
    EXPECT_FALSE(made.retry) << row.body;
    EXPECT_EQ(made.error_class, "capability");
  }
}

TEST(OllamaClassification, OtherWordsOfSupportAreNoCapabilityRefusal) {
  EXPECT_EQ(classify_response(head(403), R"({"error":"your region is not supported"})").failure.code,
            ErrorCode::provider_auth);
  EXPECT_EQ(classify_response(head(404), R"({"error":"model 'x' not found or not supported"})").failure.code,
            ErrorCode::model_not_found);
  EXPECT_EQ(classify_response(head(400), R"({"error":"unsupported image format"})").failure.code,
            ErrorCode::invalid_request);
  EXPECT_EQ(classify_response(head(503), R"({"error":"not supported now"})").failure.code,
            ErrorCode::provider_unavailable);
}

TEST(OllamaClassification, AServerWithoutThePathIsNotOllama) {
  struct Case {
    int status;
    const char* body;
  };
  for (const auto& row : {
           Case{404, R"({"detail":"Not Found"})"},
           Case{404, R"({"error":{"code":404,"message":"File Not Found","type":"not_found_error"}})"},
           Case{404, R"j({"error":{"message":"Invalid URL (POST /api/chat)","type":"invalid_request_error"}})j"},
           Case{404, "<html><body>404</body></html>"},
           Case{405, R"({"detail":"Method Not Allowed"})"},
       }) {
    const auto made = classify_response(head(row.status), row.body);
    EXPECT_EQ(made.failure.code, ErrorCode::invalid_model_config) << row.body;
    EXPECT_EQ(made.error_class, "not_ollama") << row.body;
  }
}

TEST(OllamaClassification, ErrorTextsAreRepairedAndUnwrapped) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const auto* body : {R"({"error":"a\ud83db\u0000"})", R"({"error":{"message":"a\ud83db\u0000"}})",
                           R"({"message":"a\ud83db\u0000"})", R"({"detail":"a\ud83db\u0000"})"}) {
    EXPECT_THAT(classify_response(head(400), body).failure.message, HasSubstr("\"a" + mark + "b" + mark + "\""));
  }
  EXPECT_EQ(read_error_body(R"({"error":{"code":7,"message":["x"]}})").text, R"({"code":7,"message":["x"]})");
  EXPECT_EQ(read_error_body(R"({"error":{"code":"c","type":"t","message":"x"}})").code, "c t");
  EXPECT_EQ(read_error_body(R"({"error":{"code":400,"message":"x","status":"S","details":[7,{"reason":"R"}]}})").code,
            "S R");
  EXPECT_EQ(read_error_body("[1]").text, "[1]");
}

TEST(OllamaClassification, AServerErrorIsTriedOnceMore) {
  EXPECT_EQ(classify_response(head(500), "{}").retries_max, 1);
  EXPECT_EQ(classify_response(head(503), "{}").retries_max, std::nullopt);
}

TEST(OllamaClassification, NamesTheCommandThatPullsTheModel) {
  const auto made = classify_response(head(404), R"({"error":"model 'bad_model' not found"})");
  EXPECT_THAT(made.failure.message, HasSubstr("model 'bad_model' not found"));
  EXPECT_THAT(made.failure.message, HasSubstr("`ollama pull bad_model`"));
  const auto old = classify_response(head(404), R"({"error":"model \"m:1\" not found, try pulling it first"})");
  EXPECT_THAT(old.failure.message, HasSubstr("`ollama pull m:1`"));
}

TEST(OllamaClassification, CarriesTheProvidersTextOnCutAndClean) {
  const auto cut = classify_response(head(400), R"({"error":")" + std::string(2000, 'x') + R"("})");
  EXPECT_THAT(cut.failure.message, HasSubstr(std::string(500, 'x') + "…"));
  EXPECT_THAT(cut.failure.message, Not(HasSubstr(std::string(501, 'x'))));
  EXPECT_THAT(classify_response(head(500), "plain\ntext\x01\xFF").failure.message,
              HasSubstr("\"plain text \xEF\xBF\xBD\""));
  EXPECT_THAT(classify_response(head(502), "<html><body>x</body></html>").failure.message,
              HasSubstr("with a web page"));
  EXPECT_THAT(classify_response(head(503), "").failure.message, HasSubstr("without a word"));
  EXPECT_THAT(classify_response(head(400), R"({"error":"cut off in the mid)").failure.message, HasSubstr("cut off"));
}

struct WaitCase {
  std::vector<http::Header> headers;
  std::optional<milliseconds> wait;
};
TEST(OllamaClassification, ReadsHowLongToWait) {
  for (const auto& row : {
           WaitCase{{}, std::nullopt},
           WaitCase{{{"retry-after", "2"}}, milliseconds(2000)},
           WaitCase{{{"retry-after", " 1.5 "}}, milliseconds(1500)},
           WaitCase{{{"retry-after", "0"}}, std::nullopt},
           WaitCase{{{"retry-after", "-3"}}, std::nullopt},
           WaitCase{{{"retry-after", "soon"}}, std::nullopt},
           WaitCase{{{"retry-after", "1e30"}}, milliseconds(86'400'000)},
           WaitCase{{{"retry-after", "nan"}}, std::nullopt},
           WaitCase{{{"retry-after", "1"}, {"retry-after-ms", "250.5"}}, milliseconds(251)},
           WaitCase{{{"retry-after", "1"}, {"retry-after-ms", "0"}}, milliseconds(1000)},
           WaitCase{{{"date", "Wed, 21 Oct 2026 07:28:00 GMT"}, {"retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"}},
                    milliseconds(30'000)},
           WaitCase{{{"date", "Thu, 31 Dec 2026 23:59:59 GMT"}, {"retry-after", "Fri, 01 Jan 2027 00:00:01 GMT"}},
                    milliseconds(2000)},
           WaitCase{{{"date", "Wed, 21 Oct 2026 07:28:30 GMT"}, {"retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"}},
                    std::nullopt},
           WaitCase{{{"retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"}}, std::nullopt},
           WaitCase{{{"date", "Wed, 21 Oct 2026 07:28:00 GMT"}, {"retry-after", "Wed, 99 Oct 2026 07:28:30 GMT"}},
                    std::nullopt},
       }) {
    EXPECT_EQ(classify_response(head(429, row.headers), "{}").retry_after, row.wait)
        << (row.headers.empty() ? "" : row.headers.back().value);
  }
}

struct EndCase {
  Ending ending;
  ErrorCode code;
  bool retry;
  bool try_next;
};
TEST(OllamaClassification, ClassifiesBrokenTransfers) {
  const Target target{.base_url = "http://h:11434", .upstream_name = "m"};
  for (const auto& row : {
           EndCase{Ending::connect_failed, ErrorCode::provider_unavailable, true, true},
           EndCase{Ending::connect_timeout, ErrorCode::provider_timeout, true, true},
           EndCase{Ending::total_timeout, ErrorCode::provider_timeout, false, true},
           EndCase{Ending::broken, ErrorCode::provider_unavailable, true, true},
           EndCase{Ending::complete, ErrorCode::provider_unavailable, true, true},
           EndCase{Ending::too_large, ErrorCode::response_too_large, false, false},
           EndCase{Ending::cancelled, ErrorCode::cancelled, false, false},
           EndCase{Ending::invalid_request, ErrorCode::invalid_model_config, false, true},
       }) {
    const auto made = classify_end(http::End{.ending = row.ending, .detail = "why"}, target);
    EXPECT_EQ(made.failure.code, row.code);
    EXPECT_EQ(made.retry, row.retry);
    EXPECT_EQ(made.try_next, row.try_next);
    EXPECT_FALSE(made.failure.status);
    EXPECT_FALSE(made.error_class.empty());
  }
}

TEST(OllamaClassification, RefusedConnectionSaysHowToStartOllama) {
  const Target target{.base_url = "http://user:pa55word@h:11434",
                      .upstream_name = "m",
                      .credential = {.type = AuthType::bearer, .secret = Secret("s3cret")}};
  const auto made = classify_end(http::End{.ending = Ending::connect_failed, .detail = "refused"}, target);
  EXPECT_THAT(made.failure.message, HasSubstr("http://h:11434"));
  EXPECT_THAT(made.failure.message, HasSubstr("refused"));
  EXPECT_THAT(made.failure.message, HasSubstr("ollama serve"));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("pa55word")));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("s3cret")));
  const auto hosted = classify_end(http::End{.ending = Ending::connect_failed, .detail = ""},
                                   {.base_url = "https://ollama.com", .upstream_name = "m"});
  EXPECT_THAT(hosted.failure.message, Not(HasSubstr("ollama serve")));
}

TEST(Quotable, CutsBetweenCharacters) {
  EXPECT_EQ(quotable("äöü", 4), "äö…");
  EXPECT_EQ(quotable("äöü", 3), "ä…");
  EXPECT_EQ(quotable("äöü", 6), "äöü");
  EXPECT_EQ(quotable("\xF0\x9F\x8C", 10), "\xEF\xBF\xBD");
  EXPECT_EQ(quotable(" \n\t"), "");
}

}  // namespace
}  // namespace tokenrail::providers::ollama
