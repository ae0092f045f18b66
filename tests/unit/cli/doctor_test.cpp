#include "cli/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Verdict = Finding::Verdict;

TEST(Doctor, SaysWhatTheRoutersSayOfThemselves) {
  const auto waiting = parse_ready(
      telemetry::ready_answer({{.name = "registry", .problem = ""},
                               {.name = "outputs", .problem = "chat.chunks takes no records for 3 s: no right"},
                               {.name = "dead_letters", .problem = "2 wait for chat.requests.dlq: too large"},
                               {.name = "group", .problem = "no broker answers"},
                               {.name = "credentials", .problem = "", .note = "not read"}})
          .body);
  ASSERT_TRUE(waiting.has_value()) << waiting.error().detail;
  const auto findings = judge_router_health(
      {{.address = "http://a:1", .conditions = waiting},
       {.address = "http://b:2", .conditions = std::vector<telemetry::Condition>{{.name = "group", .problem = ""}}},
       {.address = "http://c:3", .conditions = fail(ErrorKind::unavailable, "it does not answer")}});
  ASSERT_EQ(findings.size(), 5U);
  EXPECT_EQ(findings[0].part, "router http://a:1");
  EXPECT_EQ(findings[0].verdict, Verdict::bad);
  EXPECT_EQ(findings[0].text, "outputs: chat.chunks takes no records for 3 s: no right");
  EXPECT_THAT(findings[0].remedy, HasSubstr("max.message.bytes"));
  EXPECT_EQ(findings[1].text, "dead_letters: 2 wait for chat.requests.dlq: too large");
  EXPECT_EQ(findings[1].remedy, findings[0].remedy);
  EXPECT_EQ(findings[2].text, "group: no broker answers");
  EXPECT_EQ(findings[2].remedy, "look at the router's log");
  EXPECT_EQ(findings[3].part, "router http://b:2");
  EXPECT_EQ(findings[3].verdict, Verdict::good);
  EXPECT_EQ(findings[4].verdict, Verdict::bad);
  EXPECT_THAT(findings[4].remedy, HasSubstr("TOKENRAIL_DOCTOR_ROUTERS"));

  const auto none = judge_router_health({});
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].verdict, Verdict::unknown);
  EXPECT_THAT(none[0].text, HasSubstr("doctor.routers names no router"));
}

TEST(Doctor, SaysWhatRegistryApisSayOfThemselves) {
  const auto waiting = parse_ready(
      telemetry::ready_answer({{.name = "database", .problem = "PostgreSQL does not answer"},
                               {.name = "authentication", .problem = ""},
                               {.name = "logins", .problem = "", .note = "the identity provider does not answer"}})
          .body);
  ASSERT_TRUE(waiting.has_value()) << waiting.error().detail;
  const auto findings =
      judge_api_health({{.address = "http://a:1", .conditions = waiting},
                        {.address = "http://u:p@b:2",
                         .conditions = std::vector<telemetry::Condition>{{.name = "database", .problem = ""}}},
                        {.address = "http://c:3", .conditions = fail(ErrorKind::unavailable, "it does not answer")}});
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].part, "registry API http://a:1");
  EXPECT_EQ(findings[0].verdict, Verdict::bad);
  EXPECT_EQ(findings[0].text, "database: PostgreSQL does not answer");
  EXPECT_EQ(findings[1].verdict, Verdict::warning);
  EXPECT_EQ(findings[1].text, "logins: the identity provider does not answer");
  EXPECT_THAT(findings[1].remedy, HasSubstr("log"));
  EXPECT_THAT(findings[2].part, Not(HasSubstr("u:p")));
  EXPECT_EQ(findings[2].verdict, Verdict::good);
  EXPECT_EQ(findings[3].verdict, Verdict::bad);
  EXPECT_THAT(findings[3].remedy, HasSubstr("TOKENRAIL_DOCTOR_APIS"));

  const auto none = judge_api_health({});
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].verdict, Verdict::unknown);
  EXPECT_THAT(none[0].text, HasSubstr("doctor.apis"));
}

TEST(Doctor, AnotherServersAnswerIsNoRoutersHealth) {
  for (const auto* body : {"", "ok", "[]", R"({"ready":true})", R"({"conditions":1})"})
    EXPECT_FALSE(parse_ready(body)) << body;
  EXPECT_TRUE(parse_ready(R"({"ready":true,"conditions":[]})"));
}

TEST(Doctor, NamesWhatWaitsForADecisionAndItsCommand) {
  const std::vector<registry::HeldChange> held{{.id = "h1",
                                                .model_name = "a:1b",
                                                .connection_name = "env-ollama",
                                                .reason = "the context window would shrink from 8 to 4",
                                                .since_ms = 0},
                                               {.id = "h2"}};
  const auto finding = judge_held(held);
  EXPECT_EQ(finding.verdict, Verdict::warning);
  EXPECT_EQ(finding.text,
            "connection env-ollama, since 1970-01-01T00:00:00.000Z: a:1b: the context window would shrink from 8 to 4 "
            "(and 1 more)");
  EXPECT_EQ(finding.remedy, "tokenrail registry decide h1 accept|reject");
  EXPECT_EQ(judge_held(std::vector<registry::HeldChange>{}).verdict, Verdict::good);
  EXPECT_EQ(judge_held(std::nullopt).verdict, Verdict::unknown);
  EXPECT_EQ(judge_held(fail(ErrorKind::timed_out, "took too long")).verdict, Verdict::unknown);
}

TEST(Doctor, KeyRingHasToOpenWhatIsStored) {
  using crypto::KeyState;
  using Keys = std::optional<std::vector<crypto::KeyRing::KeyInfo>>;
  const auto judged = [](Result<Keys> keys, std::optional<SealedCounts> counts) {
    return judge_key_ring({.keys = std::move(keys), .counts = std::move(counts)});
  };
  const Keys ring = std::vector<crypto::KeyRing::KeyInfo>{{.id = "new", .state = KeyState::primary},
                                                          {.id = "old", .state = KeyState::disabled}};
  EXPECT_EQ(judged(ring, SealedCounts{{"new", 3}}).verdict, Verdict::good);
  EXPECT_EQ(judged(ring, SealedCounts{{"new", 3}}).text, "2 keys; 3 stored credentials can be opened");
  EXPECT_EQ(judged(ring, std::nullopt).verdict, Verdict::good);

  const auto disabled = judged(ring, SealedCounts{{"new", 3}, {"old", 2}});
  EXPECT_EQ(disabled.verdict, Verdict::bad);
  EXPECT_EQ(disabled.text, "2 stored credentials need key 'old', which is disabled");
  EXPECT_EQ(disabled.remedy, "set the state of key old to decrypt in the key ring, then run tokenrail keys rewrap");
  const auto missing = judged(ring, SealedCounts{{"lost", 1}});
  EXPECT_EQ(missing.verdict, Verdict::bad);
  EXPECT_THAT(missing.text, HasSubstr("'lost', which is missing"));

  const auto unset = judged(Keys(), SealedCounts{{"new", 3}});
  EXPECT_EQ(unset.verdict, Verdict::warning);
  EXPECT_THAT(unset.remedy, HasSubstr("TOKENRAIL_KEYRING_FILE"));
  EXPECT_EQ(judged(Keys(), SealedCounts{}).verdict, Verdict::good);
  EXPECT_EQ(judged(Keys(), std::nullopt).verdict, Verdict::unknown);

  const auto broken = judged(fail(ErrorKind::invalid_input, "the key ring is no JSON"), SealedCounts{});
  EXPECT_EQ(broken.verdict, Verdict::bad);
  EXPECT_EQ(broken.text, "the key ring is no JSON");
}

TEST(Doctor, KafkaThatIsDownHidesOnlyItsTopics) {
  const auto findings =
      judge_kafka({.bootstrap_servers = "h:1", .plan = fail(ErrorKind::unavailable, "no broker at h:1")});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::bad);
  EXPECT_THAT(findings[0].remedy, HasSubstr("./dev kafka start"));
  EXPECT_EQ(findings[1].verdict, Verdict::unknown);
}

TEST(Doctor, TopicsThatMissOrDifferAreNamed) {
  TopicPlan plan;
  plan.actions.push_back({.kind = TopicAction::Kind::create, .topic = "chat.chunks", .partitions = 3});
  plan.actions.push_back(
      {.kind = TopicAction::Kind::grow, .topic = "llm.audit", .partitions = 3, .partitions_before = 2});
  const auto findings = judge_kafka({.bootstrap_servers = "h:1", .plan = plan, .topics = 8});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::good);
  EXPECT_EQ(findings[1].verdict, Verdict::bad);
  EXPECT_EQ(findings[1].text, "missing: chat.chunks; to do: grow llm.audit from 2 to 3 partitions");
  EXPECT_EQ(findings[1].remedy, "tokenrail topics apply");

  EXPECT_EQ(judge_kafka({.bootstrap_servers = "h:1", .plan = TopicPlan{}, .topics = 8})[1].verdict, Verdict::good);
}

TEST(Doctor, RefusedLimitNamesTopicAndLimit) {
  const topics::Finding refused{.severity = topics::Finding::Severity::problem,
                                .topics = {"chat.chunks"},
                                .text = "max.message.bytes of chat.chunks is 2000",
                                .remedy = "raise it"};
  const auto findings =
      judge_kafka({.bootstrap_servers = "h:1", .plan = TopicPlan{}, .topics = 8, .findings = {refused}});
  ASSERT_EQ(findings.size(), 2U) << "and no word that all is as it should be";
  EXPECT_EQ(findings[1].verdict, Verdict::bad);
  EXPECT_EQ(findings[1].text, refused.text);
  EXPECT_EQ(findings[1].remedy, refused.remedy);
}

TEST(Doctor, ReportsRiskAsWarning) {
  const topics::Finding risk{.severity = topics::Finding::Severity::warning,
                             .topics = {"llm.audit"},
                             .text = "llm.audit: 1 replica",
                             .remedy = "add replicas"};
  const auto findings = judge_kafka({.bootstrap_servers = "h:1", .plan = TopicPlan{}, .topics = 8, .findings = {risk}});
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[1].verdict, Verdict::warning);
  EXPECT_EQ(findings[2].verdict, Verdict::good);
  EXPECT_THAT(finding_json(findings[1]), HasSubstr(R"("verdict":"warning")"));
}

TEST(Doctor, UncheckedSettingsAreNotCalledGood) {
  const auto some = judge_kafka({.bootstrap_servers = "h:1",
                                 .plan = TopicPlan{},
                                 .topics = 8,
                                 .unread = {"llm.audit"},
                                 .unread_because = "no right"});
  EXPECT_EQ(some[1].verdict, Verdict::unknown);
  EXPECT_EQ(some[1].text, "all 8 exist; the settings of llm.audit were not checked: no right");
  const auto none = judge_kafka({.bootstrap_servers = "h:1",
                                 .plan = TopicPlan{},
                                 .topics = 2,
                                 .unread = {"chat.chunks", "llm.audit"},
                                 .unread_because = "no right"});
  EXPECT_EQ(none[1].verdict, Verdict::unknown);
  EXPECT_EQ(none[1].text, "all 2 exist; their settings were not checked: no right");
}

TEST(Doctor, ForbiddenTopicIsNotCalledMissing) {
  const auto findings =
      judge_kafka({.bootstrap_servers = "h:1",
                   .plan = fail(ErrorKind::forbidden,
                                "this client's principal may not see the topic llm.audit; grant it DESCRIBE")});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::good) << "Kafka answers";
  EXPECT_EQ(findings[1].verdict, Verdict::bad);
  EXPECT_THAT(findings[1].text, HasSubstr("DESCRIBE"));
  EXPECT_THAT(findings[1].remedy, Not(HasSubstr("topics apply")));
}

// Starting a broker would not help.
TEST(Doctor, RefusedKafkaSettingIsToBeCorrected) {
  const auto findings = judge_kafka(
      {.bootstrap_servers = "h:1",
       .plan = fail(ErrorKind::invalid_input, "Kafka property acks (TOKENRAIL_KAFKA_ACKS): Invalid value")});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::bad);
  EXPECT_THAT(findings[0].text, HasSubstr("TOKENRAIL_KAFKA_ACKS"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("correct that setting"));
  EXPECT_THAT(findings[0].remedy, Not(HasSubstr("kafka start")));
  EXPECT_EQ(findings[1].verdict, Verdict::unknown);
}

TEST(Doctor, RefusedKafkaConnectionDoesNotAdviseStart) {
  const auto findings = judge_kafka(
      {.bootstrap_servers = "h:1",
       .plan = fail(ErrorKind::rejected, "no TLS connection to Kafka (check TOKENRAIL_KAFKA_SECURITY_PROTOCOL)")});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].verdict, Verdict::bad);
  EXPECT_THAT(findings[0].text, HasSubstr("TOKENRAIL_KAFKA_SECURITY_PROTOCOL"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("correct the setting"));
  EXPECT_THAT(findings[0].remedy, Not(HasSubstr("kafka start")));
  EXPECT_THAT(findings[1].text, HasSubstr("refuses"));
}

RouterFacts routers(const std::vector<std::vector<std::string>>& topics_held, bool rebalancing = false) {
  kafka::GroupMembers group{.rebalancing = rebalancing};
  for (const auto& held : topics_held) {
    kafka::GroupMembers::Member member{.client_id = "tokenrail", .host = "/127.0.0.1"};
    for (const auto& topic : held) member.partitions.push_back({.topic = topic, .partition = 0});
    group.members.push_back(std::move(member));
  }
  return {.group = "g", .topic = "x.chat.requests", .members = group};
}

TEST(Doctor, ReportsGroupWithoutRouters) {
  const auto none = judge_routers(routers({}));
  EXPECT_EQ(none.verdict, Verdict::bad);
  EXPECT_EQ(none.text, "no router is a member of the group g: no request is answered");
  EXPECT_THAT(none.remedy, HasSubstr("start tokenrail-router"));

  EXPECT_EQ(judge_routers(routers({{"x.chat.requests"}})).text, "1 router in the group g");
  const auto several = judge_routers(routers({{"x.chat.requests", "x.chat.requests"}, {"x.chat.requests"}, {}}));
  EXPECT_EQ(several.verdict, Verdict::good);
  EXPECT_EQ(several.text, "2 routers in the group g; 1 more without a partition");

  const auto moving = judge_routers(routers({{}, {}}, true));
  EXPECT_EQ(moving.verdict, Verdict::good);
  EXPECT_THAT(moving.text, HasSubstr("2 members in the group g, which is rebalancing now"));
}

TEST(Doctor, IgnoresRoutersOfAnotherInstallation) {
  const auto others = judge_routers(routers({{"y.chat.requests"}}));
  EXPECT_EQ(others.verdict, Verdict::bad);
  EXPECT_THAT(others.text, HasSubstr("none that reads x.chat.requests"));
  EXPECT_EQ(judge_routers(routers({{"y.chat.requests"}, {"x.chat.requests"}})).text, "1 router in the group g");
}

TEST(Doctor, UnreadableRouterGroupIsUnknown) {
  auto facts = routers({});
  facts.members = fail(ErrorKind::rejected, "DescribeGroups is not supported");
  const auto untold = judge_routers(facts);
  EXPECT_EQ(untold.verdict, Verdict::unknown);
  EXPECT_EQ(untold.text, "this broker does not report it: DescribeGroups is not supported");
  facts.members = fail(ErrorKind::timed_out, "no answer in 3000 ms");
  EXPECT_EQ(judge_routers(facts).verdict, Verdict::unknown);
  facts.members.reset();
  EXPECT_EQ(judge_routers(facts).verdict, Verdict::unknown);
}

TEST(Doctor, ARegistrySyncHasToLead) {
  const auto led = judge_registry_sync(registry::Leader{.holder = "host-a/17",
                                                        .epoch = 3,
                                                        .since_ms = 1'700'000'000'000,
                                                        .renewed_ago = std::chrono::milliseconds(1'900)});
  EXPECT_EQ(led.verdict, Verdict::good);
  EXPECT_THAT(led.text, HasSubstr("host-a/17 leads since 2023-11-14T22:13:20"));
  EXPECT_THAT(led.text, HasSubstr("renewed 1 s ago"));
  const auto none = judge_registry_sync(std::optional<registry::Leader>{});
  EXPECT_EQ(none.verdict, Verdict::bad);
  EXPECT_THAT(none.remedy, HasSubstr("start tokenrail-registry-sync"));
  EXPECT_EQ(judge_registry_sync(fail(ErrorKind::timed_out, "took too long")).verdict, Verdict::unknown);
  EXPECT_EQ(judge_registry_sync(std::nullopt).verdict, Verdict::unknown);
}

TEST(Doctor, RefusedDatabaseLoginAdvisesUrl) {
  struct Row {
    ErrorKind kind;
    const char* text;
    const char* remedy;
  };
  for (const auto& row :
       {Row{ErrorKind::unavailable, R"(failed: FATAL:  role "u" does not exist)", "the user in TOKENRAIL_DATABASE_URL"},
        Row{ErrorKind::unavailable, R"(failed: FATAL:  database "nodb" does not exist)",
            "the database in TOKENRAIL_DATABASE_URL"},
        Row{ErrorKind::unavailable, R"(failed: FATAL:  password authentication failed for user "u")",
            "the user or the password in TOKENRAIL_DATABASE_URL"},
        Row{ErrorKind::invalid_input, "The database URL cannot be read.", "correct TOKENRAIL_DATABASE_URL"}}) {
    SCOPED_TRACE(row.text);
    const auto findings = judge_database({.place = "p", .migrations = fail(row.kind, row.text)});
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].verdict, Verdict::bad);
    EXPECT_THAT(findings[0].remedy, HasSubstr(row.remedy));
    EXPECT_THAT(findings[0].remedy, Not(HasSubstr("postgres start")));
    EXPECT_EQ(findings[1].verdict, Verdict::unknown);
  }
}

TEST(Doctor, TheDatabaseAndItsTablesAreTwoThings) {
  const auto down = judge_database({.place = "p", .migrations = fail(ErrorKind::unavailable, "refused")});
  EXPECT_EQ(down[0].verdict, Verdict::bad);
  EXPECT_THAT(down[0].remedy, HasSubstr("./dev postgres start"));
  EXPECT_EQ(down[1].verdict, Verdict::unknown);

  const auto old =
      judge_database({.place = "p", .migrations = registry::MigrationStatus{.applied = 1, .pending = {"0002_x"}}});
  EXPECT_EQ(old[0].verdict, Verdict::good);
  EXPECT_EQ(old[1].verdict, Verdict::bad);
  EXPECT_EQ(old[1].remedy, "tokenrail migrate");
  EXPECT_THAT(old[1].text, HasSubstr("0002_x"));

  const auto newer = judge_database({.place = "p", .migrations = fail(ErrorKind::rejected, "the database is newer")});
  EXPECT_EQ(newer[0].verdict, Verdict::good);
  EXPECT_EQ(newer[1].verdict, Verdict::bad);

  const auto fine = judge_database({.place = "p", .migrations = registry::MigrationStatus{.applied = 2}});
  EXPECT_EQ(fine[1].verdict, Verdict::good);
}

TEST(Doctor, AConnectionIsWellOnlyWithModels) {
  const std::string url = "http://localhost:11434";
  EXPECT_EQ(judge_connection({.name = "a", .base_url = url, .models = std::size_t{1}}).text, url + " lists 1 model");
  const auto empty = judge_connection({.name = "env-ollama", .base_url = url, .models = std::size_t{0}});
  EXPECT_EQ(empty.verdict, Verdict::bad);
  EXPECT_THAT(empty.remedy, HasSubstr("ollama pull"));
  const auto down = judge_connection({.name = "a", .base_url = url, .models = fail(ErrorKind::unavailable, "refused")});
  EXPECT_EQ(down.verdict, Verdict::bad);
  EXPECT_THAT(down.text, HasSubstr("refused"));
  EXPECT_EQ(down.remedy, "tokenrail connections test a");
  EXPECT_EQ(judge_connection({.name = "a", .base_url = url, .models = std::size_t{0}}).remedy,
            "make a model available there, then tokenrail registry sync");
  EXPECT_EQ(
      judge_connection({.name = "a", .base_url = url, .enabled = false, .models = fail(ErrorKind::unavailable, "")})
          .verdict,
      Verdict::unknown)
      << "it was not asked";
}

TEST(Doctor, AConnectionIsShownWithoutCredentials) {
  for (const bool enabled : {true, false}) {
    for (const Result<std::size_t>& models :
         {Result<std::size_t>(1), Result<std::size_t>(0), Result<std::size_t>(fail(ErrorKind::unavailable, "no"))}) {
      const auto finding =
          judge_connection({.name = "a", .base_url = "http://ann:CANARY@host:1", .enabled = enabled, .models = models});
      EXPECT_THAT(finding.text, HasSubstr("http://host:1"));
      EXPECT_THAT(finding.text + finding.remedy, Not(HasSubstr("CANARY")));
    }
  }
}

TEST(Doctor, UnpublishedOrUnusableRegistryIsBad) {
  EXPECT_EQ(judge_published(std::nullopt).verdict, Verdict::unknown);
  EXPECT_EQ(judge_published(PublishedFacts{}).verdict, Verdict::bad);
  EXPECT_EQ(judge_published(PublishedFacts{.complete = true, .models = 2}).verdict, Verdict::bad);
  EXPECT_EQ(judge_published(PublishedFacts{.complete = true, .models = 2, .routable = 1}).verdict, Verdict::good);
}

TEST(Doctor, JsonHasRemedyOnlyIfThereIsOne) {
  EXPECT_EQ(finding_json({.part = "Kafka", .text = "answers"}),
            R"({"part":"Kafka","verdict":"good","text":"answers"})");
  EXPECT_EQ(finding_json({.part = "tables", .verdict = Verdict::bad, .text = "old", .remedy = "tokenrail migrate"}),
            R"({"part":"tables","verdict":"bad","text":"old","remedy":"tokenrail migrate"})");
}

}  // namespace
}  // namespace tokenrail::cli
