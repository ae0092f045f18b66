#include "cli/api_governance.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/context.hpp"

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// An API that answers from a list, and keeps what it was asked.
class ApiGovernanceTest : public testing::Test {
 protected:
  std::unique_ptr<Governance> governance(const std::string& org = "acme", bool dry_run = false) {
    return api_governance(
        [this](const ApiRequest& request) -> Result<ApiAnswer> {
          asked_.push_back(request.method + " " + request.path + (request.body.empty() ? "" : " " + request.body));
          if (!request.if_match.empty()) asked_.back() += " If-Match: " + request.if_match;
          if (!request.if_none_match.empty()) asked_.back() += " If-None-Match: " + request.if_none_match;
          if (answers_.empty()) return ApiAnswer{.status = 200, .body = R"({"id":"x","version":7})"};
          auto answer = answers_.front();
          answers_.erase(answers_.begin());
          return answer;
        },
        org, dry_run);
  }

  std::vector<std::string> asked_;
  std::vector<ApiAnswer> answers_;
};

TEST_F(ApiGovernanceTest, NamesAreOnePartOfThePath) {
  const auto changed = governance()->change_model("ollama/llama3.2:1b", R"({"enabled":true})");
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->id, "x");
  EXPECT_EQ(changed->version, 7);
  ASSERT_TRUE(governance("")->roll_back("ollama/a", 42));
  ASSERT_TRUE(governance("a?b")->remove_model("m", true));
  EXPECT_THAT(asked_, ElementsAre(R"(PATCH /v1/orgs/acme/models/ollama%2Fllama3.2%3A1b {"enabled":true})",
                                  R"(POST /v1/orgs/_/models/ollama%2Fa:rollback {"version":42})",
                                  "DELETE /v1/orgs/a%3Fb/models/m?force=true"));
}

TEST_F(ApiGovernanceTest, OfAnotherOrganisationAsksForThatOne) {
  const auto platform = governance("", true);
  const auto acme = platform->of("acme");
  ASSERT_TRUE(acme->replace_model("ollama/a", R"({"metadata":{}})", std::nullopt));
  ASSERT_TRUE(acme->of("")->change_organization("acme", "{}", std::nullopt));
  EXPECT_THAT(asked_, ElementsAre(R"(PATCH /v1/orgs/acme/models/ollama%2Fa?maps=replace&dry_run=true {"metadata":{}})",
                                  "PATCH /v1/orgs/acme?dry_run=true {}"));
}

TEST_F(ApiGovernanceTest, EntriesOfACatalogueAreReadAndWrittenInParts) {
  answers_ = {
      {.status = 200,
       .body = R"({"data":[{"provider":"openai","modelName":"a","entry":{"contextWindow":8},"held":null,)"
               R"("rejected":{"contextWindow":4},"gone":true}],"next_page_token":"n"})"},
      {.status = 200,
       .body = R"({"data":[{"provider":"openai","modelName":"b","entry":{},"held":{"prices":[]},"rejected":null,)"
               R"("gone":false}],"next_page_token":""})"},
  };
  const auto entries = governance()->catalog_entries(catalog::Source::models_dev);
  ASSERT_TRUE(entries) << entries.error().detail;
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->at(0).row.context_window, 8);
  EXPECT_TRUE(entries->at(0).gone && !entries->at(0).held && entries->at(0).rejected);
  EXPECT_TRUE(!entries->at(1).gone && entries->at(1).held && !entries->at(1).rejected);
  EXPECT_THAT(asked_, ElementsAre("GET /v1/catalogs/models-dev/entries?page_size=500",
                                  "GET /v1/catalogs/models-dev/entries?page_size=500&page_token=n"));

  // What is too large for one body is sent in several, and each counts.
  asked_.clear();
  std::vector<catalog::PlannedEntry> planned(4);
  for (auto& entry : planned) {
    entry.row.provider = "openai";
    entry.row.model_name = "m";
    entry.row.display_name = std::string(200'000, 'x');
  }
  for (int i = 0; i < 2; ++i) answers_.push_back({.status = 200, .body = R"({"models":3})"});
  const auto changed = governance()->apply_catalog(catalog::Source::litellm, planned);
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(*changed, 6);
  ASSERT_EQ(asked_.size(), 2U);
  for (const auto& request : asked_)
    EXPECT_TRUE(request.starts_with(R"(POST /v1/catalogs/litellm:apply {"entries":[{"kind":"added",)"))
        << request.size();
}

TEST_F(ApiGovernanceTest, PointersAreWrittenWhole) {
  ASSERT_TRUE(governance()->set_default({.kind = "embedding", .purpose = "title"}, "ollama/a", std::nullopt));
  ASSERT_TRUE(governance()->remove_default({.kind = "embedding", .purpose = "t&x"}, std::nullopt));
  ASSERT_TRUE(governance()->set_alias({.alias = "fast", .targets = {{.model = "a", .weight = 9}}, .sticky = "user"},
                                      std::nullopt));
  ASSERT_TRUE(governance()->add_grant(
      {.subject_kind = "user", .subject = "bob", .object_kind = "model", .object = "a", .effect = "deny"}));
  EXPECT_THAT(
      asked_,
      ElementsAre(
          R"(PUT /v1/orgs/acme/defaults {"kind":"embedding","purpose":"title","model":"ollama/a"})",
          "DELETE /v1/orgs/acme/defaults?kind=embedding&purpose=t%26x",
          R"(PUT /v1/orgs/acme/aliases/fast {"targets":[{"model":"a","weight":9}],"sticky":"user"})",
          R"(POST /v1/orgs/acme/grants {"subjectKind":"user","subject":"bob","objectKind":"model","object":"a",)"
          R"("effect":"deny"})"));
}

TEST_F(ApiGovernanceTest, ChangeNamesTheVersionItWasDecidedOn) {
  const auto api = governance();
  ASSERT_TRUE(api->change_connection("own", "{}", 4));
  ASSERT_TRUE(api->revoke_credential("c", true, 5));
  ASSERT_TRUE(api->set_default({.kind = "rerank"}, "m", 6));
  ASSERT_TRUE(api->set_alias({.alias = "fast"}, registry::no_row));
  ASSERT_TRUE(api->remove_grant("g", 7));
  answers_ = {{.status = 412, .body = R"({"detail":"The resource has version 9 now."})"}};
  const auto late = api->set_default({.kind = "rerank"}, "m", 6);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_THAT(asked_, ElementsAre(R"(PATCH /v1/orgs/acme/connections/own {} If-Match: "v4")",
                                  R"(DELETE /v1/orgs/acme/credentials/c?force=true If-Match: "v5")",
                                  R"(PUT /v1/orgs/acme/defaults {"kind":"rerank","model":"m"} If-Match: "v6")",
                                  R"(PUT /v1/orgs/acme/aliases/fast {"targets":[],"sticky":"conversation"} )"
                                  R"(If-None-Match: *)",
                                  R"(DELETE /v1/orgs/acme/grants/g If-Match: "v7")",
                                  R"(PUT /v1/orgs/acme/defaults {"kind":"rerank","model":"m"} If-Match: "v6")"));
}

TEST_F(ApiGovernanceTest, StrictServerIsToldThatAnyVersionWillDo) {
  const ApiAnswer required{.status = 428, .body = R"({"detail":"d"})"};
  const ApiAnswer missing{.status = 412, .body = R"({"detail":"d"})"};
  const ApiAnswer made{.status = 200, .body = R"({"id":"x","version":7})"};
  answers_ = {required, made};
  ASSERT_TRUE(governance()->change_model("m", "{}"));
  answers_ = {required, missing, made};
  ASSERT_TRUE(governance()->set_default({.kind = "rerank"}, "m", std::nullopt));
  answers_ = {required, missing};
  ASSERT_FALSE(governance()->remove_alias("fast", std::nullopt));
  EXPECT_THAT(asked_,
              ElementsAre("PATCH /v1/orgs/acme/models/m {}", "PATCH /v1/orgs/acme/models/m {} If-Match: *",
                          R"(PUT /v1/orgs/acme/defaults {"kind":"rerank","model":"m"})",
                          R"(PUT /v1/orgs/acme/defaults {"kind":"rerank","model":"m"} If-Match: *)",
                          R"(PUT /v1/orgs/acme/defaults {"kind":"rerank","model":"m"} If-None-Match: *)",
                          "DELETE /v1/orgs/acme/aliases/fast", "DELETE /v1/orgs/acme/aliases/fast If-Match: *"));
}

TEST_F(ApiGovernanceTest, DryRunIsPartOfEachChange) {
  ASSERT_TRUE(governance("acme", true)->change_model("m", "{}"));
  ASSERT_TRUE(governance("acme", true)->remove_model("m", true));
  ASSERT_TRUE(governance("acme", true)->model("m"));
  EXPECT_THAT(asked_,
              ElementsAre("PATCH /v1/orgs/acme/models/m?dry_run=true {}",
                          "DELETE /v1/orgs/acme/models/m?force=true&dry_run=true", "GET /v1/orgs/acme/models/m"));
}

TEST_F(ApiGovernanceTest, WritesPricesInTheFormOfTheApi) {
  const Price night{.key = {.dimension = PriceDimension::output,
                            .tier = ServiceTier::batch,
                            .min_context_tokens = 200'001,
                            .window = {.from_minute = 990, .to_minute = 30}},
                    .micros = 2'500'000};
  ASSERT_TRUE(governance()->set_prices("ollama/a", {night}, "own", std::nullopt));
  ASSERT_TRUE(governance()->set_prices("ollama/a", {}, "", std::nullopt));
  ASSERT_TRUE(governance()->prices("ollama/a", ""));
  EXPECT_THAT(
      asked_,
      ElementsAre(R"(PUT /v1/orgs/acme/models/ollama%2Fa/prices?connection=own {"prices":[{"dimension":"output",)"
                  R"("serviceTier":"batch","minContextTokens":200001,"utcFrom":"16:30","utcTo":"00:30",)"
                  R"("amount":"2.5"}]})",
                  R"(PUT /v1/orgs/acme/models/ollama%2Fa/prices {"prices":[]})",
                  "GET /v1/orgs/acme/models/ollama%2Fa/prices"));
}

TEST_F(ApiGovernanceTest, HeldChangesAndSyncsAreAskedFor) {
  ASSERT_TRUE(governance()->decide("h-1", false, "it is wrong"));
  const auto asked = governance()->request_sync("own", true);
  ASSERT_TRUE(asked);
  EXPECT_EQ(*asked, "x");
  ASSERT_TRUE(governance()->operation(*asked));
  EXPECT_THAT(asked_, ElementsAre(R"(POST /v1/orgs/acme/held-changes/h-1:decide {"decision":"reject",)"
                                  R"("reason":"it is wrong"})",
                                  R"(POST /v1/orgs/acme/connections/own:sync {"acceptHeld":true})",
                                  "GET /v1/orgs/acme/operations/x"));
}

TEST_F(ApiGovernanceTest, PagesFollowTheToken) {
  answers_ = {{.status = 200, .body = R"({"data":[{"id":"1"},{"id":"2"}],"next_page_token":"a=b"})"},
              {.status = 200, .body = R"({"data":[{"id":"3"}],"next_page_token":""})"}};
  const auto api = governance();
  const auto first = api->connections({.count_max = 2});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->items.size(), 2U);
  EXPECT_EQ(first->next, "a=b");
  const auto second = api->connections({.count_max = 2, .after = first->next});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->items.at(0).json, R"({"id":"3"})");
  EXPECT_EQ(second->next, "");
  EXPECT_THAT(asked_, ElementsAre("GET /v1/orgs/acme/connections?page_size=2",
                                  "GET /v1/orgs/acme/connections?page_size=2&page_token=a%3Db"));
}

TEST_F(ApiGovernanceTest, ProblemsBecomeErrorsWithTheirHint) {
  answers_ = {
      {.status = 409,
       .body = R"({"code":"IN_USE","detail":"It is used.","hint":"Give force.","dependents":["kb-1","kb-2"]})"}};
  const auto removed = governance()->remove_model("m", false);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(removed.error().detail, "It is used. Used by: kb-1, kb-2");
  EXPECT_EQ(removed.error().hint, "Give force.");
}

TEST_F(ApiGovernanceTest, EachStatusHasItsKind) {
  const std::vector<std::pair<int, ErrorKind>> rows{
      {400, ErrorKind::invalid_input}, {401, ErrorKind::unauthenticated}, {403, ErrorKind::forbidden},
      {404, ErrorKind::not_found},     {409, ErrorKind::conflict},        {412, ErrorKind::conflict},
      {422, ErrorKind::invalid_input}, {429, ErrorKind::rate_limited},    {500, ErrorKind::unavailable},
      {503, ErrorKind::unavailable},   {504, ErrorKind::timed_out},       {302, ErrorKind::unavailable}};
  for (const auto& [status, kind] : rows)
    EXPECT_EQ(error_of({.status = status, .body = R"({"detail":"d"})"}).kind, kind) << status;
  EXPECT_THAT(error_of({.status = 401, .body = R"({"detail":"d","hint":"h"})"}).hint, HasSubstr("TOKENRAIL_API_TOKEN"));
}

TEST_F(ApiGovernanceTest, AnswersOfOthersAreRefused) {
  for (const auto* body : {"", "<html>", "[]", R"("text")", R"({"data":1})"}) {
    answers_ = {{.status = 200, .body = body}};
    const auto page = governance()->aliases({});
    ASSERT_FALSE(page) << body;
    EXPECT_THAT(page.error().detail, HasSubstr("TOKENRAIL_API_URL")) << body;
  }
  const auto error = error_of({.status = 502, .body = "<html>\x1b[31m"});
  EXPECT_THAT(error.detail, testing::AllOf(HasSubstr("502"), Not(HasSubstr("html"))));
  EXPECT_LE(error_of({.status = 400, .body = R"({"detail":")" + std::string(100'000, 'x') + R"("})"}).detail.size(),
            2'000U);
}

TEST_F(ApiGovernanceTest, SecretsAreSentInTheBodyOnly) {
  ASSERT_TRUE(governance()->add_credential("openai", "main", {.secret = Secret("canary\"1")}));
  crypto::CredentialText with_header{.secret = Secret("canary-2")};
  with_header.headers.emplace_back("X-Project", Secret("canary-3"));
  ASSERT_TRUE(governance()->replace_credential({.id = "c-1", .version = 3, .json = "{}"}, with_header));
  EXPECT_THAT(
      asked_,
      ElementsAre(
          R"(POST /v1/orgs/acme/credentials {"provider":"openai","label":"main","secret":"canary\"1"})",
          R"(POST /v1/orgs/acme/credentials/c-1:replace {"secret":"canary-2","headers":{"X-Project":"canary-3"}} If-Match: "v3")"));
}

// ---- which of the two a command uses

struct Outcome {
  int code = -1;
  std::string err;
};

Outcome called(std::vector<std::string> arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = run(std::move(arguments));
  testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(RegistryBySettings, DatabaseCommandsRefuseIfOnlyApiIsSet) {
  const auto refused = called({"migrate", "--api.url", "http://127.0.0.1:1", "--api.token", "t"});
  EXPECT_EQ(refused.code, exit_usage) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("set TOKENRAIL_DATABASE_URL too"));
}

TEST(RegistryBySettings, TokensAreNotSentUnencrypted) {
  const auto refused = called({"org", "list", "--api.url", "http://models.example", "--api.token", "canary-t"});
  EXPECT_EQ(refused.code, exit_usage);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("unencrypted"), Not(HasSubstr("canary-t"))));
}

TEST(RegistryBySettings, AnApiNeedsAToken) {
  EXPECT_THAT(called({"org", "list", "--api.url", "http://127.0.0.1:1"}).err, HasSubstr("TOKENRAIL_API_TOKEN"));
}

TEST(RegistryBySettings, DatabaseSyncOfOrganisationNeedsConnection) {
  const auto refused = called({"registry", "sync", "--org", "acme"});
  EXPECT_EQ(refused.code, exit_usage);
  EXPECT_THAT(refused.err, HasSubstr("--connection"));
}

TEST(RegistryBySettings, AnApiThatDoesNotAnswerIsNamed) {
  const auto away = called({"org", "list", "--api.url", "http://127.0.0.1:1", "--api.token", "canary-t"});
  EXPECT_EQ(away.code, exit_unavailable);
  EXPECT_THAT(away.err, testing::AllOf(HasSubstr("http://127.0.0.1:1"), Not(HasSubstr("canary-t"))));
}

}  // namespace
}  // namespace tokenrail::cli
