#include "common/providers/connection_test.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view key = "sk-canary-1234567890";

Target target_of(std::string provider, std::string base_url = "https://api.example.com/v1") {
  return {.provider = std::move(provider),
          .base_url = std::move(base_url),
          .upstream_name = "m",
          .credential = {.type = AuthType::bearer, .secret = Secret(key)}};
}

http::Fetched answered(int status, std::string body) {
  return {.end = {.ending = http::Ending::complete,
                  .detail = {},
                  .times = {.name = milliseconds(1), .connection = milliseconds(2), .tls = milliseconds(3)}},
          .head = {.status = status},
          .body = std::move(body)};
}

http::Fetched ended(http::End end) {
  return {.end = std::move(end)};
}

/// "dns ok, tcp failed unreachable, …"
std::string words_of(const std::vector<StageResult>& stages) {
  std::string text;
  for (const auto& stage : stages) {
    if (!text.empty()) text += ", ";
    text += std::string(name_of(stage.stage)) + " " + std::string(name_of(stage.status));
    if (stage.cause) text += " " + std::string(name_of(*stage.cause));
  }
  return text;
}

const Provider& openai() {
  return *find_provider("openai");
}

Probe listed(const Target& target, const http::Fetched& fetched) {
  return judge_list(openai(), target, fetched, milliseconds(5));
}

const std::string models = R"({"object":"list","data":[{"id":"m"},{"id":"n"}]})";
const std::string completion =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"H\"},\"finish_reason\":\"length\"}]}\n\ndata: "
    "[DONE]\n\n";

// ---- recorded refusals of providers

std::filesystem::path recordings() {
  const char* named = std::getenv("TOKENRAIL_TEST_CATALOGS");
  const auto catalogs = named != nullptr ? std::filesystem::path(named)
                                         : std::filesystem::path(TOKENRAIL_SOURCE_DIR) / ".." / "shared" / "catalogs";
  return catalogs / "provider-model-lists" / "errors";
}

struct Recorded {
  std::string_view file;
  int status;
  std::string_view adapter;
  TestCause cause;
};
constexpr auto not_found_model = TestCause::not_found_model;
constexpr auto auth = TestCause::auth;
constexpr auto bad_request = TestCause::bad_request;
constexpr Recorded recorded[] = {
    {"alibaba-intl.bad_key_chat", 401, "openai", auth},
    {"alibaba-intl.bad_model_chat", 404, "openai", not_found_model},
    {"alibaba-us.bad_key_chat", 401, "openai", auth},
    {"alibaba-us.bad_model_chat", 404, "openai", not_found_model},
    {"anthropic.bad_key_chat", 401, "anthropic", auth},
    {"anthropic.bad_key_list", 401, "anthropic", auth},
    {"anthropic.bad_model_chat", 404, "anthropic", not_found_model},
    {"baseten.bad_key_chat", 403, "openai", auth},
    {"baseten.bad_model_chat", 403, "openai", auth},  // it looks at the key first
    {"bfl.bad_key_chat", 403, "openai", auth},
    {"bfl.bad_model_chat", 404, "openai", bad_request},  // "Not Found": the path or the model
    {"cerebras.bad_key_chat", 401, "openai", auth},
    {"cerebras.bad_key_list", 401, "openai", auth},
    {"cerebras.bad_model_chat", 404, "openai", not_found_model},
    {"cloudflare.bad_key_chat", 401, "openai", auth},
    {"cloudflare.bad_key_list", 400, "openai", auth},
    {"cloudflare.bad_model_chat", 400, "openai", bad_request},  // "No route for that URI"
    {"cohere.bad_key_chat", 401, "cohere", auth},
    {"cohere.bad_key_list", 401, "cohere", auth},
    {"cohere.bad_model_chat", 404, "cohere", not_found_model},
    {"deepseek.bad_key_chat", 401, "openai", auth},
    {"deepseek.bad_key_list", 401, "openai", auth},
    {"deepseek.bad_model_chat", 400, "openai", not_found_model},
    {"gemini.bad_key_chat", 400, "gemini", auth},
    {"gemini.bad_key_list", 400, "gemini", auth},
    {"gemini.bad_model_chat", 400, "gemini", not_found_model},
    {"groq.bad_key_chat", 401, "openai", auth},
    {"groq.bad_key_list", 401, "openai", auth},
    {"groq.bad_model_chat", 404, "openai", not_found_model},
    {"huggingface.bad_key_chat", 401, "openai", auth},
    {"huggingface.bad_key_list", 401, "openai", auth},
    {"huggingface.bad_model_chat", 400, "openai", not_found_model},
    {"mistral.bad_key_chat", 401, "openai", auth},
    {"mistral.bad_key_list", 401, "openai", auth},
    {"mistral.bad_model_chat", 400, "openai", not_found_model},
    {"ollama.bad_model_chat", 404, "ollama", not_found_model},
    {"openaichat.bad_key_chat", 401, "openai", auth},
    {"openaichat.bad_key_list", 401, "openai", auth},
    {"openaichat.bad_model_chat", 400, "openai", not_found_model},
    {"openairesponses.bad_key_chat", 401, "openai-responses", auth},
    {"openairesponses.bad_key_list", 401, "openai-responses", auth},
    {"openairesponses.bad_model_chat", 400, "openai-responses", not_found_model},
    {"openrouter.bad_key_chat", 401, "openai", auth},
    {"openrouter.bad_model_chat", 400, "openai", not_found_model},
    {"perplexity.bad_key_chat", 401, "openai", auth},  // a web page
    {"perplexity.bad_model_chat", 400, "openai", not_found_model},
    {"togetherai.bad_key_chat", 401, "openai", auth},
    {"togetherai.bad_key_list", 401, "openai", auth},
    {"togetherai.bad_model_chat", 404, "openai", not_found_model},
    {"xiaomi.bad_key_chat", 401, "openai", auth},
    {"xiaomi.bad_key_list", 401, "openai", auth},
    {"xiaomi.bad_model_chat", 400, "openai", not_found_model},
};

TEST(ConnectionTest, RecordedRefusalsHaveTheirCause) {
  if (!std::filesystem::is_directory(recordings()))
    GTEST_SKIP() << "no recordings; TOKENRAIL_TEST_CATALOGS names their folder";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(recordings()))
    files += entry.path().extension() == ".body";
  EXPECT_EQ(files, std::size(recorded)) << "a recording has no row here";
  for (const auto& row : recorded) {
    SCOPED_TRACE(row.file);
    std::ifstream file(recordings() / (std::string(row.file) + ".body"), std::ios::binary);
    std::ostringstream body;
    body << file.rdbuf();
    const auto& provider = *find_provider(row.adapter);
    const auto target = target_of(std::string(row.file.substr(0, row.file.find('.'))));
    const auto fetched = answered(row.status, body.str());
    const bool of_list = row.file.ends_with("_list") && provider.lister() != nullptr;
    Probe probe;
    if (of_list) {
      probe = judge_list(provider, target, fetched, milliseconds(5));
    } else {
      const auto call = make_test_call(provider, target, "generation");
      ASSERT_TRUE(call);
      probe = judge_call(provider, target, *call, fetched, milliseconds(5));
    }
    ASSERT_TRUE(probe.cause);
    EXPECT_EQ(name_of(*probe.cause), name_of(row.cause)) << probe.message;
    EXPECT_THAT(probe.message, HasSubstr("answered " + std::to_string(row.status)));
    EXPECT_THAT(probe.message, Not(HasSubstr("<html")));
  }
}

// ---- causes

TEST(ConnectionTest, StatusesHaveTheirCause) {
  const std::map<int, TestCause> causes{{301, TestCause::bad_request},  {401, TestCause::auth},
                                        {402, TestCause::quota},        {403, TestCause::forbidden},
                                        {404, TestCause::bad_request},  {429, TestCause::rate_limited},
                                        {500, TestCause::upstream_5xx}, {503, TestCause::upstream_5xx},
                                        {529, TestCause::upstream_5xx}, {408, TestCause::timeout}};
  for (const auto& [status, cause] : causes) {
    const auto probe = listed(target_of("groq"), answered(status, R"({"error":{"message":"x"}})"));
    ASSERT_TRUE(probe.cause) << status;
    EXPECT_EQ(name_of(*probe.cause), name_of(cause)) << status;
  }
  EXPECT_EQ(listed(target_of("groq"), answered(429, R"({"error":{"message":"x","code":"insufficient_quota"}})")).cause,
            TestCause::quota);
  EXPECT_EQ(listed(target_of("openai"),
                   answered(403, R"({"error":{"message":"You have insufficient permissions. Check your API key."}})"))
                .cause,
            TestCause::forbidden);
}

TEST(ConnectionTest, AnswerThatIsNoListIsNotJson) {
  for (const auto* body : {"<html>Welcome</html>", "", "{\"data\":3}"}) {
    const auto probe = listed(target_of("groq"), answered(200, body));
    EXPECT_EQ(probe.cause, TestCause::not_json) << body;
    EXPECT_THAT(probe.message, HasSubstr("cannot be read"));
  }
}

TEST(ConnectionTest, MessagesHoldNoKey) {
  const auto target = target_of("groq");
  const auto quoted = "Incorrect API key provided: " + std::string(key);
  for (const auto& body : {R"({"error":{"message":")" + quoted + R"("}})", quoted, std::string(290, 'x') + quoted}) {
    const auto probe = listed(target, answered(401, body));
    EXPECT_THAT(probe.message, Not(HasSubstr(std::string(key.substr(0, 9)))));
  }
  const auto call = make_test_call(openai(), target, "generation");
  ASSERT_TRUE(call);
  const auto in_stream =
      judge_call(openai(), target, *call, answered(200, "data: {\"error\":{\"message\":\"" + quoted + "\"}}\n\n"),
                 milliseconds(5));
  EXPECT_TRUE(in_stream.cause);
  EXPECT_THAT(in_stream.message, Not(HasSubstr(std::string(key))));
}

// ---- stages

TEST(ConnectionTest, EveryStageOfAGoodConnectionIsOk) {
  const auto target = target_of("groq");
  TestEvidence evidence{.key_sent = true, .list = listed(target, answered(200, models))};
  const auto call = make_test_call(openai(), target, "generation");
  ASSERT_TRUE(call);
  EXPECT_THAT(call->request.body, HasSubstr("\"m\""));
  evidence.call = judge_call(openai(), target, *call, answered(200, completion), milliseconds(7));
  const auto stages = stages_of(target, evidence);
  EXPECT_EQ(words_of(stages), "dns ok, tcp ok, tls ok, auth ok, list ok, call ok");
  EXPECT_EQ(outcome_of(stages), "ok");
  EXPECT_EQ(stages[2].latency, milliseconds(3));
  EXPECT_EQ(stages[5].latency, milliseconds(7));
  EXPECT_EQ(stages[4].message, "2 models.");
}

TEST(ConnectionTest, FailedConnectionNamesItsStage) {
  struct Row {
    http::End end;
    std::string words;
  };
  using http::Ending;
  using http::Step;
  const http::StepTimes named{.name = milliseconds(1)};
  const http::StepTimes connected{.name = milliseconds(1), .connection = milliseconds(1)};
  const std::string rest = ", auth skipped, list skipped, call skipped";
  for (const auto& [end, words] : std::vector<Row>{
           {{.ending = Ending::connect_failed, .detail = "x", .step = Step::name},
            "dns failed unreachable, tcp skipped, tls skipped"},
           {{.ending = Ending::connect_timeout, .detail = "x", .step = Step::name},
            "dns failed timeout, tcp skipped, tls skipped"},
           {{.ending = Ending::connect_failed, .detail = "x", .step = Step::connection, .times = named},
            "dns ok, tcp failed unreachable, tls skipped"},
           {{.ending = Ending::connect_timeout, .detail = "x", .step = Step::connection, .times = named},
            "dns ok, tcp failed timeout, tls skipped"},
           {{.ending = Ending::connect_failed,
             .detail = "x is 10.1.2.3",
             .step = Step::connection,
             .address_refused = true,
             .times = named},
            "dns ok, tcp failed refused_address, tls skipped"},
           {{.ending = Ending::connect_failed, .detail = "x", .step = Step::tls, .times = connected},
            "dns ok, tcp ok, tls failed tls"},
           {{.ending = Ending::invalid_request, .detail = "x"}, "dns failed bad_request, tcp skipped, tls skipped"}}) {
    const auto target = target_of("groq");
    const auto probe = listed(target, ended(end));
    EXPECT_FALSE(call_is_worthwhile(probe));
    const auto stages = stages_of(target, {.key_sent = true, .list = probe});
    EXPECT_EQ(words_of(stages), words + rest);
    EXPECT_THAT(stages_json(stages), Not(HasSubstr("10.1.2.3"))) << "it reveals what a name inside resolves to";
    for (const auto& stage : stages) EXPECT_EQ(stage.fix.empty(), stage.status != StageStatus::failed);
  }
}

TEST(ConnectionTest, AddressWithoutTlsSkipsNameAndTls) {
  const auto target = target_of("ollama", "http://10.0.0.7:11434");
  auto fetched = answered(200, R"({"models":[]})");
  fetched.end.times = {.connection = milliseconds(1)};
  const auto probe = judge_list(*find_provider("ollama"), target, fetched, milliseconds(5));
  const auto stages = stages_of(target, {.list = probe, .call_skipped = "No model is named."});
  EXPECT_EQ(words_of(stages), "dns skipped, tcp ok, tls skipped, auth skipped, list ok, call skipped");
  EXPECT_EQ(stages[5].message, "No model is named.");
}

TEST(ConnectionTest, RefusedKeyFailsAuthOnly) {
  const auto target = target_of("groq");
  const auto list = listed(target, answered(401, R"({"error":{"message":"Invalid API Key"}})"));
  EXPECT_FALSE(call_is_worthwhile(list));
  const auto stages = stages_of(target, {.key_sent = true, .list = list});
  EXPECT_EQ(words_of(stages), "dns ok, tcp ok, tls ok, auth failed auth, list skipped, call skipped");
  EXPECT_EQ(stages[3].http_status, 401);
  EXPECT_EQ(stages[5].message, "Not tried, because the key was refused.");
  EXPECT_EQ(outcome_of(stages), "auth");
  const auto none = stages_of(target, {.key_sent = false, .list = list});
  EXPECT_THAT(none[3].fix, HasSubstr("no key was sent"));
}

// Some providers list their models to everyone.
TEST(ConnectionTest, CallDecidesAboutTheKey) {
  const auto target = target_of("openrouter");
  const auto call = make_test_call(openai(), target, "generation");
  ASSERT_TRUE(call);
  TestEvidence evidence{.key_sent = true, .list = listed(target, answered(200, models))};
  evidence.call = judge_call(openai(), target, *call, answered(401, "{}"), milliseconds(5));
  EXPECT_EQ(words_of(stages_of(target, evidence)), "dns ok, tcp ok, tls ok, auth failed auth, list ok, call skipped");
  // And a key that may only call is a good one.
  evidence.list = listed(target, answered(403, "{}"));
  EXPECT_TRUE(call_is_worthwhile(*evidence.list));
  evidence.call = judge_call(openai(), target, *make_test_call(openai(), target, "generation"),
                             answered(200, completion), milliseconds(5));
  EXPECT_EQ(words_of(stages_of(target, evidence)), "dns ok, tcp ok, tls ok, auth ok, list failed forbidden, call ok");
}

TEST(ConnectionTest, UnknownModelFailsTheCallOnly) {
  const auto target = target_of("groq");
  const auto call = make_test_call(openai(), target, "generation");
  ASSERT_TRUE(call);
  TestEvidence evidence{.key_sent = true, .list = listed(target, answered(200, models))};
  evidence.call = judge_call(openai(), target, *call,
                             answered(404, R"({"error":{"message":"no","code":"model_not_found"}})"), milliseconds(5));
  EXPECT_EQ(words_of(stages_of(target, evidence)),
            "dns ok, tcp ok, tls ok, auth ok, list ok, call failed not_found_model");
}

TEST(ConnectionTest, ServerFaultSkipsTheAuthStage) {
  const auto target = target_of("groq");
  const auto stages = stages_of(target, {.key_sent = true, .list = listed(target, answered(500, ""))});
  EXPECT_EQ(words_of(stages), "dns ok, tcp ok, tls ok, auth skipped, list failed upstream_5xx, call skipped");
}

// ---- calls by kind

TEST(ConnectionTest, CallIsByTheKindOfTheModel) {
  const auto target = target_of("openai");
  const auto embedding = make_test_call(openai(), target, "embedding");
  ASSERT_TRUE(embedding);
  EXPECT_THAT(embedding->request.url, HasSubstr("/embeddings"));
  EXPECT_FALSE(judge_call(openai(), target, *embedding,
                          answered(200, R"({"data":[{"index":0,"embedding":[0.5,0.25]}]})"), milliseconds(1))
                   .cause);
  EXPECT_EQ(judge_call(openai(), target, *embedding, answered(200, "{}"), milliseconds(1)).cause, TestCause::not_json);

  for (const auto* const name : {"cohere", "openai"}) {
    const auto& provider = *find_provider(name);
    const auto rerank = make_test_call(provider, target_of(name), "rerank");
    ASSERT_TRUE(rerank) << name;
    EXPECT_THAT(rerank->request.url, HasSubstr("/rerank"));
    EXPECT_FALSE(judge_call(provider, target_of(name), *rerank,
                            answered(200, R"({"results":[{"index":0,"relevance_score":0.5}]})"), milliseconds(1))
                     .cause)
        << name;
    EXPECT_EQ(judge_call(provider, target_of(name), *rerank, answered(200, "{}"), milliseconds(1)).cause,
              TestCause::not_json)
        << name;
  }

  const auto none = make_test_call(openai(), target, "image");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("image"));
  EXPECT_FALSE(make_test_call(*find_provider("ollama"), target_of("ollama"), "rerank"));
}

TEST(ConnectionTest, EveryAdapterCompletesAsRoutingDoes) {
  for (const auto& name : adapter_names()) {
    const auto target = target_of(name, "https://api.example.com");
    const auto call = make_test_call(*find_provider(name), target, "generation");
    ASSERT_TRUE(call) << name;
    EXPECT_TRUE(call->decoder) << name;
    EXPECT_EQ(call->request.method, "POST") << name;
    const bool authorised = std::ranges::any_of(call->request.headers, &http::Header::secret);
    EXPECT_TRUE(authorised) << name;
  }
}

// ---- what routing makes of a refused address

TEST(ConnectionTest, RefusedAddressIsNotTriedAgain) {
  for (const auto& name : adapter_names()) {
    const auto failure = find_provider(name)->classify(
        target_of(name), {.ending = http::Ending::connect_failed, .detail = "x is 10.1.2.3", .address_refused = true});
    EXPECT_EQ(failure.failure.code, events::ErrorCode::provider_unavailable) << name;
    EXPECT_EQ(failure.error_class, "refused_address") << name;
    EXPECT_FALSE(failure.retry) << name;
    EXPECT_TRUE(failure.try_next) << name;
    EXPECT_THAT(failure.failure.message, HasSubstr("TOKENRAIL_EGRESS_ALLOW")) << name;
    EXPECT_THAT(failure.failure.message, Not(HasSubstr("10.1.2.3"))) << name;
  }
}

}  // namespace
}  // namespace tokenrail::providers
