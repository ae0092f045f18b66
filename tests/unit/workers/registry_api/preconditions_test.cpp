#include "workers/registry_api/preconditions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

bool goes_on(std::string_view header, std::optional<std::int64_t> current) {
  const auto match = IfMatch::parse(header, false);
  EXPECT_TRUE(match) << header;
  return match && !match->check(current);
}

TEST(IfMatch, LetsTheNamedVersionPass) {
  EXPECT_TRUE(goes_on("\"v3\"", 3));
  EXPECT_FALSE(goes_on("\"v3\"", 4));
  EXPECT_FALSE(goes_on("\"v3\"", std::nullopt));
  EXPECT_TRUE(goes_on("\"v1\", \"v3\" ,\"v5\"", 3));
  EXPECT_TRUE(goes_on(" * ", 3));
  EXPECT_FALSE(goes_on("*", std::nullopt));
}

TEST(IfMatch, WeakTagNeverMatches) {
  EXPECT_FALSE(goes_on("W/\"v3\"", 3));
  EXPECT_TRUE(goes_on("W/\"v2\", \"v3\"", 3));
}

TEST(IfMatch, FailureNamesTheCurrentVersion) {
  const auto problem = IfMatch::parse("\"v3\"", false)->check(9);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->fault, Fault::precondition_failed);
  EXPECT_EQ(problem->current_version, 9);
}

TEST(IfMatch, RefusesWhatIsNoListOfTags) {
  for (const auto* header : {"", "v3", "\"v3", "\"v3\",", "\"v3\" \"v4\"", "w/\"v3\"", "\"v3\",*"}) {
    const auto match = IfMatch::parse(header, false);
    ASSERT_FALSE(match) << header;
    EXPECT_EQ(match.error().fault, Fault::invalid_header);
  }
}

TEST(IfMatch, IsRequiredOnlyByAStrictServer) {
  EXPECT_FALSE(IfMatch::parse(std::nullopt, false)->check(3));
  EXPECT_FALSE(IfMatch::parse(std::nullopt, false)->given());
  const auto strict = IfMatch::parse(std::nullopt, true);
  ASSERT_FALSE(strict);
  EXPECT_EQ(strict.error().fault, Fault::precondition_required);
}

TEST(IfMatch, GivesTheDatabaseAVersionToHold) {
  EXPECT_EQ(IfMatch::parse("\"v1\", \"v3\"", false)->expected_version(3), 3);
  EXPECT_EQ(IfMatch::parse("*", false)->expected_version(3), std::nullopt);
  EXPECT_EQ(IfMatch::parse(std::nullopt, false)->expected_version(3), std::nullopt);
}

TEST(IfNoneMatch, ComparesWeakly) {
  EXPECT_TRUE(not_modified("\"v3\"", 3));
  EXPECT_TRUE(not_modified("W/\"v3\"", 3));
  EXPECT_TRUE(not_modified("\"v2\", \"v3\"", 3));
  EXPECT_TRUE(not_modified("*", 3));
  EXPECT_FALSE(not_modified("\"v2\"", 3));
  EXPECT_FALSE(not_modified("garbage", 3));
  EXPECT_FALSE(not_modified(std::nullopt, 3));
  EXPECT_TRUE(only_if_absent("*"));
  EXPECT_FALSE(only_if_absent("\"v1\""));
}

}  // namespace
}  // namespace tokenrail::registry_api
