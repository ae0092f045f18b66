#include "workers/registry_api/openapi.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::ElementsAre;

const Json& at(const Json& value, std::initializer_list<std::string_view> path) {
  const auto* found = &value;
  for (const auto part : path) {
    found = found->find(part);
    EXPECT_NE(found, nullptr) << part;
    if (found == nullptr) {
      static const Json none;
      return none;
    }
  }
  return *found;
}

const Json& document() {
  static const auto model = object("Model", {required("slug", text(1, 10))});
  static const auto patch = patch_of(model, "ModelPatch");
  static constexpr std::array query{
      QueryParameter{.name = "capability", .description = "What it can do.", .repeated = true}};
  static const std::array routes{
      Route{.method = "GET",
            .pattern = "/v1/orgs/{org}/models",
            .operation = "models.list",
            .summary = "Lists models.",
            .permission = "org:models:read",
            .query = query,
            .paged = true,
            .reply = &model},
      Route{.method = "PATCH",
            .pattern = "/v1/orgs/{org}/models/{model}",
            .operation = "models.patch",
            .summary = "Changes a model.",
            .conditional = true,
            .body = &patch,
            .reply = &model},
      Route{.method = "PUT",
            .pattern = "/v1/orgs/{org}/models/{model}",
            .operation = "models.put",
            .summary = "Makes a model.",
            .conditional = true,
            .takes_absent = true,
            .body = &model,
            .reply = &model},
      Route{.method = "GET",
            .pattern = "/livez",
            .operation = "livez",
            .summary = "Lives.",
            .access = Access::open,
            .reply = &model,
            .other_status = 503},
  };
  static const auto parsed = parse_json(openapi_document(routes, "1.2.3"));
  EXPECT_TRUE(parsed);
  return *parsed;
}

TEST(OpenApi, HasEveryRoute) {
  std::vector<std::string> operations;
  for (const auto& path : *at(document(), {"paths"}).object())
    for (const auto& method : *path.value.object()) operations.push_back(method.name + " " + path.name);
  EXPECT_THAT(operations, ElementsAre("get /livez", "get /v1/orgs/{org}/models", "patch /v1/orgs/{org}/models/{model}",
                                      "put /v1/orgs/{org}/models/{model}"));
  EXPECT_EQ(document().text_of("openapi"), "3.1.0");
  EXPECT_EQ(at(document(), {"info"}).text_of("version"), "1.2.3");
}

TEST(OpenApi, SecondStatusHasTheSameDocument) {
  const auto& responses = at(document(), {"paths", "/livez", "get", "responses"});
  EXPECT_EQ(at(responses, {"503", "content"}).write(), at(responses, {"200", "content"}).write());
  EXPECT_EQ(at(document(), {"paths", "/v1/orgs/{org}/models", "get", "responses"}).find("503"), nullptr);
}

TEST(OpenApi, ListsParametersOfPathQueryAndHeaders) {
  const auto names = [](std::initializer_list<std::string_view> path) {
    std::vector<std::string> all;
    for (const auto& parameter : *at(document(), path).array())
      all.push_back(*parameter.text_of("in") + " " + *parameter.text_of("name"));
    return all;
  };
  EXPECT_THAT(names({"paths", "/v1/orgs/{org}/models", "get", "parameters"}),
              ElementsAre("path org", "query capability", "query page_size", "query page_token"));
  EXPECT_THAT(names({"paths", "/v1/orgs/{org}/models/{model}", "patch", "parameters"}),
              ElementsAre("path org", "path model", "header If-Match"));
  EXPECT_THAT(names({"paths", "/v1/orgs/{org}/models/{model}", "put", "parameters"}),
              ElementsAre("path org", "path model", "header If-Match", "header If-None-Match"));
}

TEST(OpenApi, ChangeUnderAPreconditionNamesItsRefusal) {
  const auto& responses = at(document(), {"paths", "/v1/orgs/{org}/models/{model}", "patch", "responses"});
  EXPECT_NE(responses.find("412"), nullptr);
  EXPECT_EQ(at(document(), {"paths", "/v1/orgs/{org}/models", "get", "responses"}).find("412"), nullptr);
}

TEST(OpenApi, PatchTakesMergePatch) {
  EXPECT_EQ(at(document(), {"paths", "/v1/orgs/{org}/models/{model}", "patch", "requestBody", "content",
                            "application/merge-patch+json", "schema"})
                .text_of("$ref"),
            "#/components/schemas/ModelPatch");
}

TEST(OpenApi, EveryReferenceResolves) {
  const auto& schemas = at(document(), {"components", "schemas"});
  const auto text = document().write();
  constexpr std::string_view prefix = "\"$ref\":\"#/components/schemas/";
  std::size_t count = 0;
  for (auto begin = text.find(prefix); begin != std::string::npos; begin = text.find(prefix, begin + 1)) {
    const auto name = text.substr(begin + prefix.size(), text.find('"', begin + prefix.size()) - begin - prefix.size());
    EXPECT_NE(schemas.find(name), nullptr) << name;
    ++count;
  }
  EXPECT_GE(count, 6U);
}

TEST(OpenApi, OpenOperationsNeedNoToken) {
  EXPECT_EQ(at(document(), {"paths", "/livez", "get", "security"}).write(), "[]");
  EXPECT_EQ(at(document(), {"security"}).write(), R"([{"bearer":[]},{"session":[]}])");
}

}  // namespace
}  // namespace tokenrail::registry_api
