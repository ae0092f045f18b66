#include "common/events/errors.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

std::string page_in_one_line_a_paragraph() {
  std::ifstream file(TOKENRAIL_SOURCE_DIR "/docs/reference/errors.md");
  EXPECT_TRUE(file.is_open());
  std::string page;
  for (std::string line; std::getline(file, line);) {
    page += line.empty() ? "\n" : line + " ";
  }
  return page;
}

TEST(ErrorCatalogue, EveryCodeIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const auto& entry : error_catalogue()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(error_code_from(entry.name), entry.code);
    EXPECT_EQ(name_of(entry.code), entry.name);
    EXPECT_EQ(&entry_of(entry.code), &entry);
    EXPECT_TRUE(std::ranges::all_of(entry.name, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }));
    EXPECT_TRUE(entry.meaning.ends_with('.')) << entry.name;
  }
  EXPECT_FALSE(error_code_from("NO_SUCH_CODE").has_value());
  EXPECT_FALSE(error_code_from("").has_value());
}

TEST(ErrorCatalogue, NumbersAreThoseOfTheSpecification) {
  for (const auto& entry : error_catalogue()) {
    const std::string_view expected = entry.code == ErrorCode::model_not_found        ? "E4001"
                                      : entry.code == ErrorCode::invalid_model_config ? "E4003"
                                                                                      : "";
    EXPECT_EQ(entry.number, expected) << entry.name;
  }
}

TEST(ErrorCatalogue, AFailureIsAsRetryableAsItsCode) {
  EXPECT_TRUE(Failure::of(ErrorCode::provider_unavailable, "m").retryable);
  EXPECT_FALSE(Failure::of(ErrorCode::invalid_request, "m").retryable);
}

// The page is read by people who have one of these in front of them.
TEST(ErrorPage, DescribesEveryCodeAsTheCatalogue) {
  const auto page = page_in_one_line_a_paragraph();
  std::size_t sections = 0;
  for (std::size_t at = page.find("## "); at != std::string::npos; at = page.find("## ", at + 1)) {
    ++sections;
  }
  EXPECT_EQ(sections, error_catalogue().size()) << "no section without a code";
  for (const auto& entry : error_catalogue()) {
    std::string expected = "## " + std::string(entry.name) + " \n";
    if (!entry.number.empty()) {
      expected += "Number: " + std::string(entry.number) + ". ";
    }
    expected += std::string("Retryable: ") + (entry.retryable ? "yes" : "no") + ". " + std::string(entry.meaning);
    EXPECT_NE(page.find(expected), std::string::npos) << expected;
  }
}

}  // namespace
}  // namespace tokenrail::events
