#include "common/catalog/scores.hpp"

#include <gtest/gtest.h>

namespace tokenrail::catalog {
namespace {

TEST(Scores, AreReadWithSourceAndDate) {
  const auto scores = read_scores(R"({"source": "arena", "date": "2026-08-01", "scores": [
    {"provider": "openai", "modelName": "gpt-x", "score": 0.87654}, {"provider": "ollama", "modelName": "l", "score": 1},
    {"provider": "openai", "modelName": "gpt-x", "score": 0.1}, {"provider": "p", "modelName": "high", "score": 1.5},
    {"provider": "p", "modelName": "low", "score": -0.1}, {"provider": "p", "modelName": "text", "score": "0.5"},
    {"provider": "p", "modelName": "nan", "score": NaN}, {"modelName": "m", "score": 0.5}, 7]})");
  ASSERT_TRUE(scores.has_value()) << scores.error().detail;
  EXPECT_EQ(scores->source, "arena");
  EXPECT_EQ(scores->date, "2026-08-01");
  EXPECT_EQ(scores->metric, "quality");
  ASSERT_EQ(scores->scores.size(), 2U);
  EXPECT_EQ(scores->scores[0].score, "0.8765");
  EXPECT_EQ(scores->scores[1].score, "1.0000");
  ASSERT_EQ(scores->refused.size(), 7U);
  EXPECT_EQ(scores->refused[0].reason, "it has a score already");
  EXPECT_EQ(scores->refused[1].reason, "its score is above 1");
  EXPECT_EQ(scores->refused[2].reason, "its score is negative");
  EXPECT_EQ(scores->refused[3].reason, "its score is not a number");
  EXPECT_EQ(scores->refused[4].reason, "its score is not a number");
  EXPECT_EQ(scores->refused[5].reason, "it has no provider or no modelName");
}

TEST(Scores, FileWithoutSourceDateOrListIsRefused) {
  for (const char* text :
       {"", "{}", R"({"source": "a", "scores": []})", R"({"date": "2026-08-01", "scores": []})",
        R"({"source": "a", "date": "soon", "scores": []})", R"({"source": "a", "date": "2026-08-01"})",
        R"({"source": "a", "date": "2026-08-01", "metric": 5, "scores": {}})"}) {
    const auto scores = read_scores(text);
    ASSERT_FALSE(scores.has_value()) << text;
    EXPECT_EQ(scores.error().kind, ErrorKind::invalid_input);
  }
}

}  // namespace
}  // namespace tokenrail::catalog
