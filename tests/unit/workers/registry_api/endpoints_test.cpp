#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/registry_api/database_keeper.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/explain_model.hpp"
#include "workers/registry_api/endpoints/usable_models.hpp"
#include "workers/registry_api/openapi.hpp"

namespace tokenrail::registry_api {
namespace {

using registry::Document;
using testing::ElementsAre;
using testing::HasSubstr;

// ---- the table of routes

TEST(AllRoutes, AreWhole) {
  std::set<std::string_view> operations;
  for (const auto& route : all_routes()) {
    SCOPED_TRACE(std::string(route.operation));
    EXPECT_TRUE(operations.insert(route.operation).second) << "the operation has two routes";
    EXPECT_NE(route.handler, nullptr);
    EXPECT_TRUE(route.summary.ends_with('.')) << "its summary is no sentence";
    EXPECT_FALSE(route.tag.empty());
    EXPECT_EQ(route.reply == nullptr && route.operation != "service.live", route.status == 204);
    const bool needs_permission = route.access == Access::org || route.access == Access::platform;
    EXPECT_EQ(auth::permission_of(route.permission).has_value(), needs_permission);
    EXPECT_EQ(route.access == Access::org, route.pattern.contains("{org}") && route.access != Access::platform);
    if (route.method == "GET") EXPECT_EQ(route.body, nullptr);
    if (route.idempotent_by_key) EXPECT_EQ(route.method, "POST");
  }
}

// Their requests or answers hold secrets, and what is kept for a key is not sealed.
TEST(AllRoutes, WithSecretsTakeNoIdempotencyKey) {
  for (const auto& route : all_routes()) {
    const bool secret = route.operation.starts_with("credentials.") || route.operation.starts_with("tokens.") ||
                        route.operation.starts_with("connections.test");
    if (secret) EXPECT_FALSE(route.idempotent_by_key) << route.operation;
  }
}

TEST(AllRoutes, AreTheOpenApiDocument) {
  const auto routes = all_routes();
  const auto document = parse_json(openapi_document(routes, api_version), {.values_max = 1'000'000});
  ASSERT_TRUE(document);
  std::set<std::string> documented;
  for (const auto& path : *document->find("paths")->object())
    for (const auto& method : *path.value.object()) documented.insert(*method.value.text_of("operationId"));
  std::set<std::string> routed;
  for (const auto& route : routes) routed.emplace(route.operation);
  EXPECT_EQ(documented, routed);
}

TEST(AllRoutes, ModelsAreFoundByEncodedName) {
  const RouteTable table(all_routes());
  const auto match = table.find("POST", "/v1/orgs/acme/models/ollama%2Fllama3:8b:rollback");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->route->operation, "models.rollback");
  EXPECT_EQ(match->parameters["model"], "ollama/llama3:8b");
}

// ---- changes under If-Match

IfMatch match(std::optional<std::string_view> header) {
  auto parsed = IfMatch::parse(header, false);
  EXPECT_TRUE(parsed);
  return *parsed;
}

Document version(std::int64_t number) {
  return {.id = "m", .version = number, .json = "{}"};
}

TEST(WriteIfMatching, WritesWithoutIfMatch) {
  int reads = 0;
  const auto written = write_if_matching(
      match(std::nullopt), Kind::model,
      [&]() -> Result<Document> {
        ++reads;
        return version(3);
      },
      [](std::optional<std::int64_t> expected) -> Result<Document> { return version(expected.value_or(100)); });
  ASSERT_TRUE(written);
  EXPECT_EQ(written->version, 100) << "the write expects no version";
  EXPECT_EQ(reads, 0);
}

TEST(WriteIfMatching, HandsTheVersionToTheWrite) {
  const auto written = write_if_matching(
      match("\"v1\", \"v3\""), Kind::model, []() -> Result<Document> { return version(3); },
      [](std::optional<std::int64_t> expected) -> Result<Document> { return version(expected.value_or(100)); });
  ASSERT_TRUE(written);
  EXPECT_EQ(written->version, 3);
}

TEST(WriteIfMatching, DoesNotWriteOverAnotherVersion) {
  int writes = 0;
  const auto written = write_if_matching(
      match("\"v2\""), Kind::model, []() -> Result<Document> { return version(3); },
      [&](std::optional<std::int64_t>) -> Result<Document> {
        ++writes;
        return version(4);
      });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::precondition_failed);
  EXPECT_EQ(written.error().current_version, 3);
  EXPECT_EQ(writes, 0);
}

TEST(WriteIfMatching, FasterChangeIsAFailedPrecondition) {
  int reads = 0;
  const auto written = write_if_matching(
      match("\"v3\""), Kind::model, [&]() -> Result<Document> { return version(reads++ == 0 ? 3 : 4); },
      [](std::optional<std::int64_t>) -> Result<Document> { return fail(ErrorKind::conflict, "It has version 4."); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::precondition_failed);
  EXPECT_EQ(written.error().current_version, 4);
}

TEST(WriteIfMatching, OtherConflictStaysOne) {
  const auto written = write_if_matching(
      match("\"v3\""), Kind::other, []() -> Result<Document> { return version(3); },
      [](std::optional<std::int64_t>) -> Result<void> { return fail(ErrorKind::conflict, "It is used by x."); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::conflict);
  EXPECT_EQ(written.error().detail, "It is used by x.");
}

TEST(WriteIfMatching, MissingModelHasItsOwnCode) {
  const auto written = write_if_matching(
      match("*"), Kind::model, []() -> Result<Document> { return fail(ErrorKind::not_found, "No such model."); },
      [](std::optional<std::int64_t>) -> Result<Document> { return version(1); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::model_not_found);
}

// ---- texts made of models

Json explained(std::string_view model) {
  const auto parsed = parse_json(model);
  EXPECT_TRUE(parsed) << model;
  const auto explanation = parse_json(explain_model(*parsed));
  EXPECT_TRUE(explanation);
  return *explanation;
}

std::vector<std::string> failing(const Json& explanation) {
  std::vector<std::string> names;
  for (const auto& clause : *explanation.find("clauses")->array()) {
    if (clause.boolean_of("holds") == true) continue;
    names.push_back(*clause.text_of("clause"));
    EXPECT_FALSE(clause.text_of("hint").value_or("").empty()) << names.back();
  }
  return names;
}

constexpr std::string_view served =
    R"("deployments":[{"connection":"env-ollama","enabled":true,"connectionEnabled":true}])";

TEST(Explain, UsableModelHasNoFailingClause) {
  const auto explanation = explained(R"({"slug":"ollama/a","status":"active","enabled":true,"lifecycle":"active",)" +
                                     std::string(served) + "}");
  EXPECT_EQ(explanation.boolean_of("routable"), true);
  EXPECT_THAT(failing(explanation), ElementsAre());
}

TEST(Explain, NamesEveryFailingClause) {
  const auto explanation = explained(
      R"({"slug":"ollama/a","status":"blocked","blockedBy":"platform","enabled":false,"lifecycle":"retired",
          "deployments":[{"connection":"x","enabled":true,"connectionEnabled":false}]})");
  EXPECT_EQ(explanation.boolean_of("routable"), false);
  EXPECT_THAT(failing(explanation), ElementsAre("not_blocked", "not_retired", "enabled", "served"));
}

TEST(Explain, MissingAndMaintainedModelsAreNot) {
  EXPECT_THAT(failing(explained(R"({"status":"missing","availability":"missing","enabled":true,"lifecycle":"active",)" +
                                std::string(served) + "}")),
              ElementsAre("listed"));
  EXPECT_THAT(
      failing(explained(R"({"status":"maintenance","enabled":true,"lifecycle":"active",)" + std::string(served) + "}")),
      ElementsAre("no_maintenance"));
  EXPECT_THAT(failing(explained(R"({"status":"unserved","enabled":true,"lifecycle":"active","deployments":[]})")),
              ElementsAre("served"));
}

TEST(OpenAiList, HasSlugAndProvider) {
  EXPECT_EQ(
      openai_model_list({R"({"slug":"ollama/a","provider":"ollama","createdAt":"2026-01-02T03:04:05.678Z"})"}),
      R"({"object":"list","data":[{"id":"ollama/a","object":"model","created":1767312000,"owned_by":"ollama"}]})");
  EXPECT_EQ(openai_model_list({}), R"({"object":"list","data":[]})");
}

TEST(KeptHeaders, CanBeReadBack) {
  const std::vector<http::Field> headers{{.name = "ETag", .value = "\"v1\""}, {.name = "Location", .value = "/a"}};
  const auto back = headers_from_json(headers_as_json(headers));
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].name, "ETag");
  EXPECT_EQ(back[0].value, "\"v1\"");
  EXPECT_TRUE(headers_from_json("nonsense").empty());
}

}  // namespace
}  // namespace tokenrail::registry_api
