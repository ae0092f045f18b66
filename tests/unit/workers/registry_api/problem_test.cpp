#include "workers/registry_api/problem.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {
namespace {

std::string header(const http::Reply& reply, std::string_view name) {
  for (const auto& field : reply.headers)
    if (field.name == name) return field.value;
  return {};
}

TEST(Problem, TableHasEveryFaultOnce) {
  std::set<std::string_view> names;
  for (const auto& info : faults()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(info_of(info.fault).name, info.name);
    EXPECT_EQ(find_fault(info.code), &info);
    EXPECT_FALSE(info.title.ends_with('.')) << info.name;
    EXPECT_TRUE(info.hint.ends_with('.')) << info.name;
  }
  EXPECT_EQ(faults().size(), static_cast<std::size_t>(Fault::timed_out) + 1);
  EXPECT_EQ(find_fault("NO_SUCH"), nullptr);
}

// S4.37, S0.53
TEST(Problem, KeepsNumbersOfOlderCatalogues) {
  EXPECT_EQ(info_of(Fault::model_not_found).code, "E4001");
  EXPECT_EQ(info_of(Fault::model_not_found).status, 404);
  EXPECT_EQ(info_of(Fault::invalid_model_config).code, "E4003");
  EXPECT_FALSE(info_of(Fault::model_not_found).retryable);
  EXPECT_FALSE(info_of(Fault::invalid_model_config).retryable);
  EXPECT_EQ(info_of(Fault::invalid_body).code, "INVALID_BODY");
  EXPECT_EQ(info_of(Fault::invalid_body).status, 400);
}

TEST(Problem, IsWrittenAsProblemJson) {
  const auto reply = reply_of(
      {.fault = Fault::invalid_body, .detail = "One field is \"wrong\".", .errors = {{"/a~1b", "is required"}}},
      "req-1");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(header(reply, "Content-Type"), "application/problem+json");
  const auto body = parse_json(reply.body);
  ASSERT_TRUE(body) << reply.body;
  EXPECT_EQ(body->text_of("type"), "/problems/INVALID_BODY");
  EXPECT_EQ(body->text_of("detail"), "One field is \"wrong\".");
  EXPECT_EQ(body->text_of("request_id"), "req-1");
  EXPECT_EQ(body->integer_of("status"), 400);
  EXPECT_EQ(body->boolean_of("retryable"), false);
  EXPECT_EQ(body->find("errors")->write(), R"([{"pointer":"/a~1b","detail":"is required"}])");
}

TEST(Problem, OfPreconditionCarriesCurrentVersion) {
  const auto reply = reply_of({.fault = Fault::precondition_failed, .current_version = 7}, "r");
  EXPECT_EQ(header(reply, "ETag"), "\"v7\"");
  EXPECT_EQ(parse_json(reply.body)->integer_of("current_version"), 7);
}

TEST(Problem, OfErrorFollowsItsKind) {
  const auto status = [](ErrorKind kind) { return info_of(problem_of({.kind = kind, .detail = {}}).fault).status; };
  EXPECT_EQ(status(ErrorKind::invalid_input), 422);
  EXPECT_EQ(status(ErrorKind::not_found), 404);
  EXPECT_EQ(status(ErrorKind::cancelled), 409);
  EXPECT_EQ(status(ErrorKind::conflict), 409);
  EXPECT_EQ(status(ErrorKind::unauthenticated), 401);
  EXPECT_EQ(status(ErrorKind::timed_out), 504);
  EXPECT_EQ(status(ErrorKind::unavailable), 503);
  EXPECT_EQ(status(ErrorKind::rejected), 503);
  const auto limited = reply_of(
      problem_of({.kind = ErrorKind::rate_limited, .detail = {}, .retry_after = std::chrono::milliseconds(1500)}), "r");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(header(limited, "Retry-After"), "2");
}

TEST(Problem, OfUnavailablePartAsksToRetry) {
  EXPECT_EQ(header(reply_of({.fault = Fault::unavailable}, "r"), "Retry-After"), "1");
}

}  // namespace
}  // namespace tokenrail::registry_api
