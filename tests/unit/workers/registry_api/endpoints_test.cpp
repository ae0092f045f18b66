#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/target.hpp"
#include "workers/registry_api/database_keeper.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
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
    EXPECT_EQ(route.reply == nullptr && route.operation != "service.live", route.status == 204 || route.status == 303);
    const bool needs_permission = route.access == Access::org || route.access == Access::platform;
    EXPECT_EQ(auth::permission_of(route.permission).has_value(), needs_permission);
    const bool names_one = route.pattern.contains("{org}") || route.org != Route::Org::path;
    EXPECT_EQ(route.access == Access::org, names_one && route.access != Access::platform);
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

TEST(AllRoutes, TakeOnlyLoginsThatRoutersKnow) {
  std::set<std::string> taken;
  for (const auto& route : all_routes()) {
    if (route.body == nullptr) continue;
    for (const auto& property : route.body->properties)
      if (property.name == "authType") taken.insert(property.schema->choices.begin(), property.schema->choices.end());
  }
  EXPECT_TRUE(taken.contains("bearer"));
  for (const auto& name : taken) EXPECT_TRUE(providers::auth_type_from(name)) << name;
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

// Who edits something gets its version, and sends it with the change: nothing is replaced unseen.
TEST(AllRoutes, ChangesTakeAPrecondition) {
  // Why they need none.
  const std::map<std::string_view, std::string_view> others{
      {"chat.ask", "asks a model"},
      {"connections.create", "never replaces: 409"},
      {"connections.sync", "asks for work"},
      {"connections.test", "asks for work"},
      {"connections.testDraft", "asks for work"},
      {"credentials.create", "never replaces: 409"},
      {"grants.batch", "each grant of the body has a version"},
      {"grants.remove_batch", "each grant of the body has a version"},
      {"held_changes.decide", "is decided once: 409"},
      {"models.add_dependent", "a set: the same again is nothing"},
      {"models.batch", "each change of the body has a version"},
      {"models.create", "never replaces: 409"},
      {"models.remove_dependent", "a set: the same again is nothing"},
      {"models.resolve", "changes nothing"},
      {"models.test", "asks for work"},
      {"orgs.create", "never replaces: 409"},
      {"registry.republish", "asks for work"},
      {"tokens.create", "has an id of its own"},
      {"tokens.revoke", "ends for good, whoever asks"},
      // Written by a program, from a file that is whole: people do not edit them.
      {"catalogs.apply", "of a file"},
      {"catalogs.infer", "asks for work"},
      {"catalogs.record", "adds to a list"},
      {"quality_scores.set", "of a file"},
      // Clients of older APIs know no ETags.
      {"admin_models.create", "never replaces: 409"},
      {"admin_models.setDefault", "an older API"},
      {"admin_models.test", "asks for work"},
      {"my_models.create", "never replaces: 409"},
      {"my_models.testConnection", "asks for work"},
      {"org_models.upsert", "an older API"},
  };
  std::set<std::string_view> without;
  for (const auto& route : all_routes()) {
    SCOPED_TRACE(std::string(route.operation));
    if (route.method == "GET" || route.operation.starts_with("session.")) continue;
    if (!route.conditional) without.insert(route.operation);
    if (route.takes_absent) EXPECT_TRUE(route.conditional);
    // PUT makes what is not there, unless it is a part of something that is.
    if (route.method == "PUT" && route.conditional)
      EXPECT_EQ(route.takes_absent,
                !route.operation.starts_with("models.p") && route.operation != "admin_models.change");
  }
  std::set<std::string_view> expected;
  for (const auto& [operation, why] : others) expected.insert(operation);
  EXPECT_EQ(without, expected);
}

// ---- changes under a precondition

Precondition match(std::optional<std::string_view> if_match,
                   std::optional<std::string_view> if_none_match = std::nullopt) {
  auto parsed = Precondition::parse(if_match, if_none_match, false);
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

TEST(WriteIfMatching, NewRowIsExpectedToBeAbsent) {
  int reads = 0;
  const auto written = write_if_matching(
      match(std::nullopt, "*"), Kind::other,
      [&]() -> Result<Document> {
        ++reads;
        return fail(ErrorKind::not_found, "There is none.");
      },
      [](std::optional<std::int64_t> expected) -> Result<Document> { return version(expected == registry::no_row); });
  ASSERT_TRUE(written);
  EXPECT_EQ(written->version, 1) << "the write looks, in its transaction";
  EXPECT_EQ(reads, 0);
}

TEST(WriteIfMatching, RowThatIsThereIsAFailedPrecondition) {
  const auto written = write_if_matching(
      match(std::nullopt, "*"), Kind::other, []() -> Result<Document> { return version(8); },
      [](std::optional<std::int64_t>) -> Result<Document> { return fail(ErrorKind::conflict, "It is there."); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::precondition_failed);
  EXPECT_EQ(written.error().current_version, 8);
}

TEST(WriteIfMatching, OtherConflictStaysOne) {
  const auto written = write_if_matching(
      match("\"v3\""), Kind::other, []() -> Result<Document> { return version(3); },
      [](std::optional<std::int64_t>) -> Result<void> { return fail(ErrorKind::conflict, "It is used by x."); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::conflict);
  EXPECT_EQ(written.error().detail, "It is used by x.");
}

TEST(WriteIfMatching, VersionOfNothingDoesNotMakeIt) {
  int writes = 0;
  const auto written = set_if_matching(
      match("\"v3\""), Kind::other, []() -> Result<Document> { return fail(ErrorKind::not_found, "There is none."); },
      [&](std::optional<std::int64_t>) -> Result<Document> {
        ++writes;
        return version(4);
      });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::precondition_failed);
  EXPECT_EQ(written.error().current_version, std::nullopt);
  EXPECT_EQ(writes, 0);
}

TEST(WriteIfMatching, MissingModelHasItsOwnCode) {
  const auto written = write_if_matching(
      match("*"), Kind::model, []() -> Result<Document> { return fail(ErrorKind::not_found, "No such model."); },
      [](std::optional<std::int64_t>) -> Result<Document> { return version(1); });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::model_not_found);
}

// ---- texts made of models

std::string list_of(std::span<const events::ModelState* const> models) {
  OpenAiModelList list;
  list.add(models);
  return std::move(list).finish();
}

TEST(OpenAiList, HasSlugProviderAndTime) {
  events::ModelState model{
      .id = "019b7ceb-88ee-7000-8000-000000000000", .provider = "ollama", .model_name = "a", .slug = "ollama/a"};
  const auto* const one = &model;
  EXPECT_EQ(
      list_of(std::span(&one, 1)),
      R"({"object":"list","data":[{"id":"ollama/a","object":"model","created":1767327369,"owned_by":"ollama"}]})");
  model.id = "made by a test";
  EXPECT_THAT(list_of(std::span(&one, 1)), HasSubstr(R"("created":0)"));
  EXPECT_EQ(list_of({}), R"({"object":"list","data":[]})");
  OpenAiModelList list;
  for (int i = 0; i < 2; ++i) list.add(std::span(&one, 1));
  list.add({});
  EXPECT_THAT(std::move(list).finish(), HasSubstr(R"("owned_by":"ollama"},{"id":"ollama/a")"));
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
