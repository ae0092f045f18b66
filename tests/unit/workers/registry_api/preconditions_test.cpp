#include "workers/registry_api/preconditions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/document.hpp"

namespace tokenrail::registry_api {
namespace {

std::expected<Precondition, Problem> if_match(std::optional<std::string_view> header, bool required = false) {
  return Precondition::parse(header, std::nullopt, required);
}

bool goes_on(std::string_view header, std::optional<std::int64_t> current) {
  const auto match = if_match(header);
  EXPECT_TRUE(match) << header;
  return match && !match->check(current);
}

TEST(Precondition, LetsTheNamedVersionPass) {
  EXPECT_TRUE(goes_on("\"v3\"", 3));
  EXPECT_FALSE(goes_on("\"v3\"", 4));
  EXPECT_FALSE(goes_on("\"v3\"", std::nullopt));
  EXPECT_TRUE(goes_on("\"v1\", \"v3\" ,\"v5\"", 3));
  EXPECT_TRUE(goes_on(" * ", 3));
  EXPECT_FALSE(goes_on("*", std::nullopt));
}

TEST(Precondition, WeakTagNeverMatches) {
  EXPECT_FALSE(goes_on("W/\"v3\"", 3));
  EXPECT_TRUE(goes_on("W/\"v2\", \"v3\"", 3));
}

TEST(Precondition, FailureNamesTheCurrentVersion) {
  const auto problem = if_match("\"v3\"")->check(9);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->fault, Fault::precondition_failed);
  EXPECT_EQ(problem->current_version, 9);
}

TEST(Precondition, RefusesWhatIsNoListOfTags) {
  for (const auto* header : {"", "v3", "\"v3", "\"v3\",", "\"v3\" \"v4\"", "w/\"v3\"", "\"v3\",*"}) {
    const auto match = if_match(header);
    ASSERT_FALSE(match) << header;
    EXPECT_EQ(match.error().fault, Fault::invalid_header);
  }
}

TEST(Precondition, IsRequiredOnlyByAStrictServer) {
  EXPECT_FALSE(if_match(std::nullopt)->check(3));
  EXPECT_FALSE(if_match(std::nullopt)->given());
  const auto strict = if_match(std::nullopt, true);
  ASSERT_FALSE(strict);
  EXPECT_EQ(strict.error().fault, Fault::precondition_required);
}

TEST(Precondition, GivesTheDatabaseAVersionToHold) {
  EXPECT_EQ(if_match("\"v1\", \"v3\"")->expected_version(3), 3);
  EXPECT_EQ(if_match("*")->expected_version(3), std::nullopt);
  EXPECT_EQ(if_match(std::nullopt)->expected_version(3), std::nullopt);
}

TEST(Precondition, OnlyMakesWhatIsNotThere) {
  for (const bool required : {false, true}) {
    const auto absent = Precondition::parse(std::nullopt, " * ", required);
    ASSERT_TRUE(absent);
    EXPECT_TRUE(absent->given() && absent->absent());
    EXPECT_FALSE(absent->check(std::nullopt));
    EXPECT_EQ(absent->check(7)->current_version, 7);
    EXPECT_EQ(absent->expected_version(std::nullopt), registry::no_row);
  }
  EXPECT_FALSE(if_match("*")->absent());
}

TEST(Precondition, RefusesWhatNeverHolds) {
  for (const auto* header : {"\"v3\"", "", "*, *"}) {
    const auto other = Precondition::parse(std::nullopt, header, false);
    ASSERT_FALSE(other) << header;
    EXPECT_EQ(other.error().fault, Fault::invalid_header);
  }
  const auto both = Precondition::parse("\"v3\"", "*", false);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().fault, Fault::invalid_header);
}

TEST(IfNoneMatch, ComparesWeakly) {
  EXPECT_TRUE(not_modified("\"v3\"", 3));
  EXPECT_TRUE(not_modified("W/\"v3\"", 3));
  EXPECT_TRUE(not_modified("\"v2\", \"v3\"", 3));
  EXPECT_TRUE(not_modified("*", 3));
  EXPECT_FALSE(not_modified("\"v2\"", 3));
  EXPECT_FALSE(not_modified("garbage", 3));
  EXPECT_FALSE(not_modified(std::nullopt, 3));
}

}  // namespace
}  // namespace tokenrail::registry_api
