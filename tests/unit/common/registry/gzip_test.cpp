#include "common/registry/gzip.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

TEST(Gzip, GivesBackWhatWentIn) {
  std::string noise;
  for (unsigned i = 0; i < 200'000; ++i) noise += static_cast<char>((i * 2'654'435'761U) >> 24U);
  for (const auto& text : {std::string(), std::string("[]"), std::string(100'000, 'x'), noise}) {
    EXPECT_EQ(gunzip(gzip(text), text.size()), text);
    EXPECT_EQ(gzip(text), gzip(text));
  }
  EXPECT_LT(gzip(std::string(100'000, 'x')).size(), 1000U);
}

TEST(Gzip, RefusesCutOrTooLargeData) {
  const auto bytes = gzip(std::string(100'000, 'x'));
  EXPECT_EQ(gunzip(bytes, 99'999), std::nullopt);
  EXPECT_EQ(gunzip(bytes.substr(0, bytes.size() - 1), 100'000), std::nullopt);
  EXPECT_EQ(gunzip(bytes + "x", 100'000), std::nullopt);
  EXPECT_EQ(gunzip("[]", 100'000), std::nullopt);
  EXPECT_EQ(gunzip("", 100'000), std::nullopt);
}

}  // namespace
}  // namespace tokenrail::registry
