#include <gtest/gtest.h>

#include "common/telemetry/health.hpp"

namespace tokenrail::telemetry {
namespace {

TEST(ReadyAnswer, IsReadyWithoutProblems) {
  EXPECT_EQ(ready_answer({}).status, 200);
  EXPECT_EQ(ready_answer({}).body, "{\"ready\":true,\"conditions\":[]}\n");
}

TEST(ReadyAnswer, OneProblemIsEnoughButANoteIsNot) {
  EXPECT_EQ(ready_answer({{.name = "a", .problem = ""}, {.name = "b", .problem = "down"}}).status, 503);
  EXPECT_EQ(ready_answer({{.name = "a", .problem = "", .note = "slow"}}).body,
            "{\"ready\":true,\"conditions\":[{\"name\":\"a\",\"ok\":true,\"note\":\"slow\"}]}\n");
}

}  // namespace
}  // namespace tokenrail::telemetry
