// Every pattern of the redaction at exactly its least length, and one character below it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/events/redaction.hpp"

namespace tokenrail::events {
namespace {

TEST(RedactionBounds, RemovesEveryPatternFromItsLeastLength) {
  struct Row {
    std::string prefix;
    std::size_t rest_min;
    char filler = 'a';
    std::string suffix{};
  };
  const std::vector<Row> rows{{"sk-", 16},
                              {"sk_live_", 16},
                              {"rk_live_", 16},
                              {"pk-", 24},
                              {"gsk_", 20},
                              {"hf_", 20},
                              {"r8_", 20},
                              {"xai-", 20},
                              {"nvapi-", 20},
                              {"AIza", 30},
                              {"ya29.", 20},
                              {"ghp_", 20},
                              {"gho_", 20},
                              {"ghs_", 20},
                              {"github_pat_", 20},
                              {"glpat-", 16},
                              {"xoxb-", 10},
                              {"xoxp-", 10},
                              {"pplx-", 20},
                              {"tgp_v1_", 16},
                              {"AKIA", 16, 'A'},
                              {"ASIA", 16, '0'},
                              {"Bearer ", 20},
                              {"Bearer 1", 7},
                              {"basic ", 20},
                              {"eyJ", 7, 'a', ".abcd.x"},
                              {"eyJabcdefg.", 4, 'a', ".x"},
                              {"password=", 1},
                              {"https://user:", 1, 'a', "@host"}};
  for (const auto& row : rows) {
    const auto text = [&](std::size_t rest) {
      return "(" + row.prefix + std::string(rest, row.filler) + row.suffix + ")";
    };
    EXPECT_TRUE(redact_secrets(text(row.rest_min)).redacted) << text(row.rest_min);
    EXPECT_FALSE(redact_secrets(text(row.rest_min - 1)).redacted) << text(row.rest_min - 1);
  }
}

TEST(RedactionBounds, FourBlanksMayFollowNameOfSecret) {
  EXPECT_TRUE(redact_secrets("password    =    hunter2").redacted);
  EXPECT_FALSE(redact_secrets("password     = hunter2").redacted);
}

}  // namespace
}  // namespace tokenrail::events
