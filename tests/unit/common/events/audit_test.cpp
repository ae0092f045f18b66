#include "common/events/audit.hpp"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::events {
namespace {

AttemptIds ids() {
  return {.epoch = 9,
          .instance = "inst",
          .source_partition = 3,
          .source_offset = 41_request,
          .org_id = "acme",
          .request_id = "r-1",
          .user_id = "u-7",
          .attempt = 9001};
}

AuditFacts read(const std::string& json) {
  const auto facts = parse_audit(json);
  EXPECT_TRUE(facts.has_value()) << json.substr(0, 300) << (facts ? "" : facts.error().detail);
  return facts.value_or(AuditFacts{});
}

void expect_ids(const AuditFacts& facts) {
  EXPECT_EQ(facts.epoch, 9);
  EXPECT_EQ(facts.instance, "inst");
  EXPECT_EQ(facts.ids.epoch, 9);
  EXPECT_EQ(facts.ids.instance, "inst");
  EXPECT_EQ(facts.ids.source_partition, 3);
  EXPECT_EQ(facts.ids.source_offset, 41_request);
  EXPECT_EQ(facts.ids.org_id, "acme");
  EXPECT_EQ(facts.ids.request_id, "r-1");
  EXPECT_EQ(facts.ids.user_id, "u-7");
  EXPECT_EQ(facts.ids.attempt, 9001);
}

TEST(AuditedContent, KeepsWhatThePolicyAllows) {
  const std::string text(5000, 'x');
  const auto none = audited(text, ContentPolicy::none, 100'000);
  EXPECT_FALSE(none.text.has_value());
  EXPECT_EQ(none.bytes, 5000);
  EXPECT_EQ(none.sha256.size(), 64U);

  const auto excerpt = audited(text, ContentPolicy::truncated, 100'000);
  EXPECT_EQ(excerpt.text->size(), audit_excerpt_bytes_max);
  EXPECT_TRUE(excerpt.truncated);
  EXPECT_EQ(excerpt.sha256, none.sha256);

  const auto full = audited(text, ContentPolicy::full, 100'000);
  EXPECT_EQ(full.text, text);
  EXPECT_FALSE(full.truncated);

  EXPECT_EQ(audited(text, ContentPolicy::full, 100).text->size(), 100U);
  EXPECT_EQ(audited(text, ContentPolicy::truncated, 100).text->size(), 100U);
}

TEST(AuditedContent, TheHashIsThatOfTheWholeText) {
  const auto content = audited("abc", ContentPolicy::full, 10);
  EXPECT_EQ(content.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(audited("", ContentPolicy::none, 10).sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(AuditedContent, ACutNeverSplitsACharacter) {
  const std::string text = "aé€😀aé€😀";
  for (std::size_t bytes_max = 0; bytes_max <= text.size(); ++bytes_max) {
    const auto content = audited(text, ContentPolicy::full, bytes_max);
    EXPECT_LE(content.text->size(), bytes_max);
    EXPECT_TRUE(simdjson::validate_utf8(*content.text)) << bytes_max;
    EXPECT_EQ(content.truncated, bytes_max < text.size()) << bytes_max;
  }
}

TEST(AuditedContent, RemovesSecretThatTheCutWouldSplit) {
  const std::string secret = "sk-abcdefghijklmnopqrstuvwxyz0123456789";
  for (std::size_t before = 0; before < 60; ++before) {
    const auto content = audited(std::string(before, ' ') + secret, ContentPolicy::full, 60);
    EXPECT_EQ(content.text->find("abcde"), std::string::npos) << before;
    EXPECT_TRUE(content.redacted) << before;
  }
}

TEST(AuditedContent, RemovesOperatorsPatternsUnderEveryPolicy) {
  const auto patterns = RedactionPatterns::compile({"(?i)falcon"}).value();
  EXPECT_EQ(audited("the Falcon flies", ContentPolicy::full, 100, patterns).text, "the [redacted] flies");
  const auto excerpt = audited("the Falcon flies", ContentPolicy::truncated, 100, patterns);
  EXPECT_EQ(excerpt.text, "the [redacted] flies");
  EXPECT_TRUE(excerpt.redacted);
  EXPECT_FALSE(audited("the hawk flies", ContentPolicy::truncated, 100, patterns).redacted);

  LlmRequest event;
  fill_metadata(event, {{"project", "falcon 7"}}, patterns);
  EXPECT_EQ(event.metadata.at("project"), "[redacted] 7");
}

TEST(LlmRequest, IsReadBack) {
  LlmRequest event{.ids = ids()};
  event.route = {{.deployment_id = "d", .provider = "ollama", .model_name = "m"}};
  const auto facts = read(to_json(event, 100'000));
  EXPECT_EQ(facts.kind, AuditFacts::Kind::request);
  expect_ids(facts);
}

TEST(LlmRequest, StaysWithinItsBoundWhateverItHolds) {
  LlmRequest event{.ids = ids()};
  for (int index = 0; index < 300; ++index) {
    event.messages.push_back({.role = "user",
                              .content = audited("message " + std::to_string(index) + std::string(500, '\n'),
                                                 ContentPolicy::full, 100'000)});
    event.tool_names.push_back("tool-" + std::to_string(index) + std::string(100, 't'));
  }
  event.message_count = 300;
  for (const std::size_t bytes_max : {1'000'000U, 300'000U, 100'000U, 50'000U, 20'000U, 2000U}) {
    const auto json = to_json(event, bytes_max);
    EXPECT_LE(json.size(), bytes_max);
    expect_ids(read(json));
    const bool whole = json.find("message 0") != std::string::npos && json.find("tool-299") != std::string::npos;
    EXPECT_EQ(json.find("\"truncated\":false,\"messagesOmitted\":0") != std::string::npos, whole) << bytes_max;
    EXPECT_NE(json.find("\"messageCount\":300"), std::string::npos);
    EXPECT_NE(json.find("\"toolCount\":300"), std::string::npos);
    // The oldest go first: where anything of a message is left, the newest is among it.
    if (json.find("message ") != std::string::npos) {
      EXPECT_NE(json.find("message 299"), std::string::npos);
    }
  }
  EXPECT_NE(to_json(event, 1'000'000).find("message 0"), std::string::npos);
  EXPECT_EQ(to_json(event, 100'000).find("message 0"), std::string::npos);
}

TEST(LlmRequest, ReadsBackTheFirstModelOfItsRoute) {
  LlmRequest event{.ids = ids()};
  EXPECT_FALSE(read(to_json(event, 100'000)).routed_to.has_value());
  event.route = {{.deployment_id = "d", .provider = "ollama", .model_name = "m"},
                 {.deployment_id = "e", .provider = "openai", .model_name = "n"}};
  const auto first = read(to_json(event, 100'000)).routed_to;
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->provider, "ollama");
  EXPECT_EQ(first->name, "m");
}

TEST(LlmRequest, ReadsNoModelFromADamagedRoute) {
  for (const std::string route :
       {"3", "[]", "[3]", "[{}]", R"([{"provider":"p"}])", R"([{"provider":"","modelName":"m"}])"}) {
    const auto facts = read(R"({"type":"llm.request","epoch":1,"sourcePartition":0,"sourceOffset":1,"attempt":1001,)"
                            R"("orgId":"o","requestId":"r","route":)" +
                            route + "}");
    EXPECT_FALSE(facts.routed_to.has_value()) << route;
  }
}

TEST(LlmResponse, IsReadBack) {
  LlmResponse event{.ids = ids(), .outcome = Outcome::interrupted, .cause = "lost", .called = true, .recovered = true};
  const auto facts = read(to_json(event, 100'000));
  EXPECT_EQ(facts.kind, AuditFacts::Kind::response);
  expect_ids(facts);
  EXPECT_EQ(facts.outcome, "interrupted");
  EXPECT_EQ(facts.cause, "lost");
  EXPECT_TRUE(facts.recovered);
  EXPECT_TRUE(facts.called);
}

TEST(LlmResponse, ReadsBackItsFieldsAboutChunks) {
  LlmResponse event{.ids = ids(), .finish_reason = FinishReason::length, .chunks = 7};
  event.content = audited("hello", ContentPolicy::none, 100);
  event.duplicate_of_offset = 41;
  const auto facts = read(to_json(event, 100'000));
  EXPECT_EQ(facts.finish_reason, "length");
  EXPECT_EQ(facts.chunks, 7);
  EXPECT_EQ(facts.text_bytes, 5);
  EXPECT_EQ(facts.duplicate_of, 41);

  const auto bare = read(to_json(LlmResponse{.ids = ids()}, 100'000));
  EXPECT_EQ(bare.finish_reason, "");
  EXPECT_EQ(bare.text_bytes, std::nullopt);
  EXPECT_EQ(bare.duplicate_of, std::nullopt);
}

TEST(LlmResponse, UnknownCallsAreNullAndNoCallsEmpty) {
  LlmResponse event{.ids = ids()};
  EXPECT_NE(to_json(event, 10'000).find("\"calls\":null"), std::string::npos);
  event.calls.emplace();
  EXPECT_NE(to_json(event, 10'000).find("\"calls\":[]"), std::string::npos);
  event.calls->push_back({.provider = "ollama", .deployment_id = "d", .status = 503, .ms = 7, .error_class = "server"});
  EXPECT_NE(
      to_json(event, 10'000)
          .find(R"("calls":[{"provider":"ollama","deploymentId":"d","status":503,"ms":7,"errorClass":"server"}])"),
      std::string::npos);
}

TEST(LlmResponse, CallNamesItsKeyIfThereAreSeveral) {
  LlmResponse event{.ids = ids()};
  event.calls.emplace();
  event.calls->push_back(
      {.provider = "openai", .deployment_id = "d", .status = 200, .ms = 7, .key = "OPENAI_API_KEY_2"});
  EXPECT_NE(to_json(event, 10'000).find(R"("status":200,"ms":7,"key":"OPENAI_API_KEY_2"}])"), std::string::npos);
}

TEST(LlmResponse, LeavesOutTextOfTooLargeRecord) {
  LlmResponse event{.ids = ids(), .content = audited(std::string(10'000, 'x'), ContentPolicy::full, 100'000)};
  EXPECT_NE(to_json(event, 100'000).find("xxx"), std::string::npos);
  const auto cut = to_json(event, 5000);
  EXPECT_LE(cut.size(), 5000U);
  EXPECT_EQ(cut.find("xxx"), std::string::npos);
  EXPECT_NE(cut.find("\"truncated\":true"), std::string::npos);
  EXPECT_NE(cut.find("\"bytes\":10000"), std::string::npos);
}

TEST(LlmResponse, ErrorHoldsNoSecretAndIsCut) {
  LlmResponse event{.ids = ids(), .outcome = Outcome::failed};
  event.failure = Failure::of(ErrorCode::provider_auth, "bad key sk-abcdefghijklmnopqrstuv " + std::string(9000, 'z'));
  const auto json = to_json(event, 100'000);
  EXPECT_EQ(json.find("abcdef"), std::string::npos);
  EXPECT_LT(json.size(), 5000U);
}

TEST(OwnershipEvents, AreReadBack) {
  const auto claimed = read(to_json(RouterClaimed{.epoch = 5, .instance = "i", .partition = 2}));
  EXPECT_EQ(claimed.kind, AuditFacts::Kind::claimed);
  EXPECT_EQ(claimed.epoch, 5);
  EXPECT_EQ(claimed.instance, "i");
  EXPECT_EQ(claimed.partition, 2);

  const std::vector<ContinuedAttempt> attempts{{.offset = 7_request, .attempt = 5001},
                                               {.offset = 9_request, .attempt = 5002}};
  const auto released = read(
      to_json(RouterReleased{.epoch = 5, .instance = "i", .partition = 2, .continuing = attempts, .lease_ms = 30'000}));
  EXPECT_EQ(released.kind, AuditFacts::Kind::released);
  ASSERT_EQ(released.continuing.size(), 2U);
  EXPECT_EQ(released.continuing[1].offset, 9_request);
  EXPECT_EQ(released.continuing[1].attempt, 5002);
  EXPECT_EQ(released.lease_ms, 30'000);

  const auto continuing = read(to_json(RouterContinuing{.epoch = 5, .instance = "i", .partition = 2}));
  EXPECT_EQ(continuing.kind, AuditFacts::Kind::continuing);
  EXPECT_TRUE(continuing.continuing.empty());
}

TEST(RequestsLost, IsReadBack) {
  const auto lost =
      read(to_json(RequestsLost{.epoch = 5, .instance = "i", .partition = 2, .from = 7_request, .to = 9_request}));
  EXPECT_EQ(lost.kind, AuditFacts::Kind::lost);
  EXPECT_EQ(lost.epoch, 5);
  EXPECT_EQ(lost.instance, "i");
  EXPECT_EQ(lost.partition, 2);
  EXPECT_EQ(lost.lost_from, 7_request);
  EXPECT_EQ(lost.lost_to, 9_request);
}

TEST(LlmRequestMetadata, IsKeptWithinItsBoundsAndWithoutSecrets) {
  LlmRequest event;
  std::map<std::string, std::string> metadata{
      {"conversationId", "k"}, {"a", std::string(300, 'x')}, {"key", "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"}};
  for (int i = 0; i < 30; ++i) metadata["m" + std::to_string(100 + i)] = std::string(250, 'y');
  fill_metadata(event, metadata);
  EXPECT_FALSE(event.metadata.contains("conversationId")) << "it has a field of its own";
  EXPECT_EQ(event.metadata.at("a"), std::string(metadata_value_bytes_max, 'x'));
  EXPECT_EQ(event.metadata.at("key").find("sk-abc"), std::string::npos);
  EXPECT_GT(event.metadata_omitted, 10);
  EXPECT_EQ(static_cast<std::size_t>(event.metadata_omitted) + event.metadata.size(), metadata.size() - 1);
  const auto json = to_json(event, 100'000);
  EXPECT_LT(json.size(), metadata_bytes_max + 1'000);
  EXPECT_NE(json.find("\"metadataOmitted\":" + std::to_string(event.metadata_omitted)), std::string::npos);
  const auto cut = to_json(event, 500);
  EXPECT_EQ(cut.find("\"metadata\":"), std::string::npos);
  EXPECT_NE(cut.find("\"metadataOmitted\":" + std::to_string(metadata.size() - 1)), std::string::npos);
}

TEST(ParseAudit, EventOfLaterVersionIsUnknown) {
  EXPECT_EQ(read(R"({"type":"requests.moved","from":1})").kind, AuditFacts::Kind::unknown);
}

TEST(ParseAudit, RefusesAKnownEventThatCannotBeFolded) {
  struct Row {
    std::string_view json;
    std::string_view detail;
  };
  const Row rows[] = {
      {"", "not JSON"},
      {"7", "not a JSON object"},
      {"{}", "type"},
      {R"({"type":5})", "type"},
      {R"({"type":"router.claimed","partition":1})", "epoch"},
      {R"({"type":"router.claimed","epoch":"5","partition":1})", "epoch"},
      {R"({"type":"router.claimed","epoch":5})", "partition"},
      {R"({"type":"router.claimed","epoch":5,"partition":3000000000})", "partition"},
      {R"({"type":"router.released","epoch":5,"partition":1})", "continuing"},
      {R"({"type":"router.released","epoch":5,"partition":1,"continuing":[{"offset":1}]})", "continuing"},
      {R"({"type":"requests.lost","epoch":5,"partition":1,"to":9})", "from"},
      {R"({"type":"requests.lost","epoch":5,"partition":1,"from":7})", "to"},
      {R"({"type":"requests.lost","epoch":5,"from":7,"to":9})", "partition"},
      {R"({"type":"llm.request","epoch":5,"sourceOffset":1,"attempt":1,"orgId":"o","requestId":"r"})",
       "sourcePartition"},
      {R"({"type":"llm.request","epoch":5,"sourcePartition":0,"attempt":1,"orgId":"o","requestId":"r"})",
       "sourceOffset"},
      {R"({"type":"llm.request","epoch":5,"sourcePartition":0,"sourceOffset":1,"orgId":"o","requestId":"r"})",
       "attempt"},
      {R"({"type":"llm.request","epoch":5,"sourcePartition":0,"sourceOffset":1,"attempt":1,"requestId":"r"})", "orgId"},
      {R"({"type":"llm.request","epoch":5,"sourcePartition":0,"sourceOffset":1,"attempt":1,"orgId":"o"})", "requestId"},
      {R"({"type":"llm.response","epoch":5,"sourcePartition":0,"sourceOffset":1,"attempt":1,"orgId":"o","requestId":"r"})",
       "outcome"},
  };
  for (const auto& row : rows) {
    const auto facts = parse_audit(row.json);
    ASSERT_FALSE(facts.has_value()) << row.json;
    EXPECT_EQ(facts.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(facts.error().detail.find(row.detail), std::string::npos) << facts.error().detail;
  }
}

TEST(ParseAudit, AnyBytesAreReadWithoutHarm) {
  const auto whole = to_json(LlmResponse{.ids = ids(), .cause = "lost"}, 10'000);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_audit(whole.substr(0, length)).has_value()) << length;
  }
  std::size_t taken = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    auto text = whole;
    text[random() % text.size()] = static_cast<char>(random() % 256);
    taken += parse_audit(text).has_value() ? 1U : 0U;
  }
  EXPECT_GT(taken, 100U);
}

}  // namespace
}  // namespace tokenrail::events
