// What providers said, read back as it came, on a real PostgreSQL.
#include "common/registry/provider_answers.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProviderAnswersTest : public GovernanceTest {
 protected:
  ProviderAnswers answers() { return ProviderAnswers(*database_); }
};

TEST_F(ProviderAnswersTest, ListsAreReadAsTheyCameNewestFirst) {
  const std::string first = "{\"models\":[{\"name\":\"a \xc3\xa9\"}]}\n";
  const std::string second = "<html>no list</html>";
  ASSERT_OK(store_->keep_snapshot(connection_, first));
  ASSERT_OK(store_->keep_snapshot(connection_, second));
  const auto page = answers().lists(root(), {}, "env-ollama", {});
  ASSERT_OK(page);
  ASSERT_EQ(page->items.size(), 2U);
  const auto newest = answers().list(root(), {}, connection_.id, page->items[0].id);
  ASSERT_OK(newest);
  EXPECT_THAT(newest->json, HasSubstr(R"("body":"<html>no list</html>")"));
  EXPECT_THAT(newest->json, HasSubstr(R"("fetchedAt")"));
  const auto oldest = answers().list(root(), {}, "env-ollama", page->items[1].id);
  ASSERT_OK(oldest);
  EXPECT_THAT(oldest->json, HasSubstr("\"body\":\"{\\\"models\\\":[{\\\"name\\\":\\\"a \xc3\xa9\\\"}]}\\n\""));
  EXPECT_EQ(answers().list(root(), {}, "env-ollama", "00").error().kind, ErrorKind::not_found);
  EXPECT_EQ(answers().lists(root(), {}, "absent", {}).error().kind, ErrorKind::not_found);
}

TEST_F(ProviderAnswersTest, HidesPlatformListsFromOrganizations) {
  ASSERT_OK(store_->keep_snapshot(connection_, "[]"));
  const auto id = answers().lists(root(), {}, "env-ollama", {}).value().items.at(0).id;
  EXPECT_EQ(answers().lists(of("acme"), scope("acme"), "env-ollama", {}).error().kind, ErrorKind::forbidden);
  EXPECT_EQ(answers().list(of("acme"), scope("acme"), "env-ollama", id).error().kind, ErrorKind::forbidden);
}

TEST_F(ProviderAnswersTest, ReadsAnswersAboutAModelAsTheyCame) {
  const auto none = answers().of_model(root(), {}, "ollama/llama3.2");
  ASSERT_OK(none);
  EXPECT_EQ(none->json, R"({"model":"ollama/llama3.2","answers":[]})");
  auto planned = adding("new");
  planned.answer = R"({"list":{"name":"new","own":1.50},"details":{"license":"MIT"}})";
  apply({planned});
  for (const auto& [actor, where] : {std::pair(root(), Scope{}), std::pair(of("acme"), scope("acme"))}) {
    const auto found = answers().of_model(actor, where, "ollama/new");
    ASSERT_OK(found);
    EXPECT_THAT(found->json, HasSubstr(R"("connection" : "env-ollama")"));
    EXPECT_THAT(found->json, HasSubstr(R"("list":{"name":"new","own":1.50},"details":{"license":"MIT"}}]})"));
  }
  EXPECT_EQ(answers().of_model(root(), {}, "ollama/absent").error().kind, ErrorKind::not_found);
}

TEST_F(ProviderAnswersTest, PlanWithoutAnswerKeepsTheLastOne) {
  auto planned = adding("new");
  planned.answer = R"({"list":{"name":"new"}})";
  apply({planned});
  const auto stored = store_->load_models(connection_).value();
  const auto model = *std::ranges::find(stored, "new", [](const StoredModel& m) { return m.state.model_name; });
  auto changed = changing(model, PlannedModel::Kind::updated, {"digest"});
  changed.after.digest = "sha-2";
  apply({changed});
  EXPECT_THAT(answers().of_model(root(), {}, "ollama/new")->json, HasSubstr(R"("list":{"name":"new"})"));
  EXPECT_THAT(answers().of_model(root(), {}, "ollama/new")->json, Not(HasSubstr("details")));
}

}  // namespace
}  // namespace tokenrail::registry
