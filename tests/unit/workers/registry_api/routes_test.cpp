#include "workers/registry_api/routes.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::HasSubstr;

Route route(std::string_view method, std::string_view pattern, std::string_view operation) {
  return {.method = method, .pattern = pattern, .operation = operation, .summary = operation};
}

const RouteTable& table() {
  static const RouteTable routes({
      route("GET", "/v1/orgs", "orgs.list"),
      route("GET", "/v1/orgs/{org}/models", "models.list"),
      route("POST", "/v1/orgs/{org}/models", "models.create"),
      route("GET", "/v1/orgs/{org}/models/{model}", "models.get"),
      route("DELETE", "/v1/orgs/{org}/models/{model}", "models.delete"),
      route("POST", "/v1/orgs/{org}/models/{model}:test", "models.test"),
      route("POST", "/v1/orgs/{org}/models:batch", "models.batch"),
      route("GET", "/v1/orgs/{org}/models/recent", "models.recent"),
      route("GET", "/v1/orgs/{org}/models/{model}/revisions", "models.revisions"),
  });
  return routes;
}

std::string_view operation(std::string_view method, std::string_view path) {
  const auto found = table().find(method, path);
  return found ? found->route->operation : info_of(found.error().fault).name;
}

std::string model_in(std::string_view method, std::string_view path) {
  const auto found = table().find(method, path);
  return found ? found->parameters["model"] : "";
}

TEST(Routes, FindTheOperation) {
  EXPECT_EQ(operation("GET", "/v1/orgs"), "orgs.list");
  EXPECT_EQ(operation("GET", "/v1/orgs/acme/models"), "models.list");
  EXPECT_EQ(operation("POST", "/v1/orgs/acme/models"), "models.create");
  EXPECT_EQ(operation("GET", "/v1/orgs/acme/models/m1/revisions"), "models.revisions");
}

TEST(Routes, NameMayHoldEncodedSlash) {
  EXPECT_EQ(model_in("GET", "/v1/orgs/acme/models/openai%2Fgpt-4o"), "openai/gpt-4o");
  EXPECT_EQ(operation("GET", "/v1/orgs/acme/models/openai/gpt-4o"), "NOT_FOUND");
  EXPECT_EQ(model_in("GET", "/v1/orgs/acme/models/m%C3%A9"), "mé");
}

TEST(Routes, NameMayHoldColon) {
  EXPECT_EQ(model_in("GET", "/v1/orgs/acme/models/ollama%2Fllama3:8b"), "ollama/llama3:8b");
  EXPECT_EQ(model_in("DELETE", "/v1/orgs/acme/models/x:test"), "x:test");
}

TEST(Routes, CustomVerbWinsOverName) {
  EXPECT_EQ(operation("POST", "/v1/orgs/acme/models/llama3:8b:test"), "models.test");
  EXPECT_EQ(model_in("POST", "/v1/orgs/acme/models/llama3:8b:test"), "llama3:8b");
  EXPECT_EQ(operation("POST", "/v1/orgs/acme/models:batch"), "models.batch");
  EXPECT_EQ(operation("POST", "/v1/orgs/acme/models/:test"), "METHOD_NOT_ALLOWED") << "a name is never empty";
  EXPECT_EQ(operation("POST", "/v1/orgs/acme/models/x%3Atest"), "METHOD_NOT_ALLOWED");
}

TEST(Routes, LiteralWinsOverParameter) {
  EXPECT_EQ(operation("GET", "/v1/orgs/acme/models/recent"), "models.recent");
  EXPECT_EQ(operation("DELETE", "/v1/orgs/acme/models/recent"), "models.delete");
}

TEST(Routes, OneTrailingSlashDoesNotCount) {
  EXPECT_EQ(operation("GET", "/v1/orgs/"), "orgs.list");
  EXPECT_EQ(operation("GET", "/v1/orgs//"), "NOT_FOUND");
  EXPECT_EQ(operation("GET", "/v1/orgs//models"), "NOT_FOUND");
  EXPECT_EQ(operation("GET", "/"), "NOT_FOUND");
}

TEST(Routes, HeadIsAnsweredAsGet) {
  EXPECT_EQ(operation("HEAD", "/v1/orgs"), "orgs.list");
}

TEST(Routes, OtherMethodNamesThoseThereAre) {
  const auto found = table().find("PUT", "/v1/orgs/acme/models");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().fault, Fault::method_not_allowed);
  ASSERT_EQ(found.error().headers.size(), 1U);
  EXPECT_EQ(found.error().headers[0].value, "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(table().allowed("/nothing"), "");
}

TEST(Routes, RefuseBrokenEncoding) {
  for (const auto* name : {"%", "%4", "%zz", "%ff", "%00", "a%0Ab"})
    EXPECT_EQ(operation("GET", std::string("/v1/orgs/acme/models/") + name), "INVALID_PATH") << name;
}

TEST(Routes, MessageHoldsNoRawBytesOfThePath) {
  const auto found = table().find("GET", "/\x1b[31mred");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().detail, HasSubstr("\\x1b"));
}

TEST(Routes, AmbiguousTableIsRefused) {
  EXPECT_THROW(RouteTable({route("GET", "/a/{b}", "one"), route("GET", "/a/{c}", "two")}), std::logic_error);
}

}  // namespace
}  // namespace tokenrail::registry_api
