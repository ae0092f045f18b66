#include "common/config/edit_distance.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::config {
namespace {

constexpr std::size_t any = 1'000;

TEST(EditDistance, CountsLettersAndSwapsOfNeighbours) {
  EditDistance distance;
  EXPECT_EQ(distance.within("", "", any), 0U);
  EXPECT_EQ(distance.within("abc", "", any), 3U);
  EXPECT_EQ(distance.within("", "abc", any), 3U);
  EXPECT_EQ(distance.within("kitten", "sitting", any), 3U);
  EXPECT_EQ(distance.within("levle", "level", any), 1U) << "a swap of neighbours counts once";
  EXPECT_EQ(distance.within("in_flight", "in_flght", any), 1U);
  EXPECT_EQ(distance.within("kitten", "sitting", 3), 3U);
  EXPECT_EQ(distance.within("kitten", "sitting", 2), std::nullopt);
  EXPECT_EQ(distance.within("same", "same", 0), 0U);
  EXPECT_EQ(distance.within("same", "sane", 0), std::nullopt);
}

/// The whole table, cell by cell.
std::size_t by_the_book(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? std::size_t{0} : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

TEST(EditDistance, ABoundChangesNoAnswerWithinIt) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed): the same names each time
  EditDistance distance;
  const auto word = [&] {
    std::string out(random() % 9, 'a');
    for (char& c : out) c = static_cast<char>('a' + random() % 3);
    return out;
  };
  for (int round = 0; round < 20'000; ++round) {
    const auto a = word();
    const auto b = word();
    const auto whole = by_the_book(a, b);
    for (std::size_t edits_max = 0; edits_max < 10; ++edits_max) {
      const auto expected = whole <= edits_max ? std::optional(whole) : std::nullopt;
      ASSERT_EQ(distance.within(a, b, edits_max), expected) << a << " " << b << " within " << edits_max;
    }
  }
}

TEST(EditDistance, DistantNamesCostLittle) {
  EditDistance distance;
  EXPECT_EQ(distance.within(std::string(100, 'a'), std::string(200, 'a'), 3), std::nullopt);
  EXPECT_EQ(distance.cells(), 0U) << "the lengths alone say it";
  EXPECT_EQ(distance.within(std::string(100, 'a'), std::string(100, 'b'), 3), std::nullopt);
  EXPECT_LT(distance.cells(), 50U) << "given up once no row can come back";
  EXPECT_EQ(distance.within(std::string(100, 'a'), std::string(100, 'a'), 3), 0U);
  EXPECT_LT(distance.cells(), 50U + 100U * 7U) << "only cells near the diagonal";
}

TEST(EditDistance, NearestName) {
  const std::vector<std::string> known{"log.level", "log.format", "log.levels"};
  EXPECT_EQ(nearest("log.levle", known, 2), "log.level");
  EXPECT_EQ(nearest("log.level", known, 2), "log.level");
  EXPECT_EQ(nearest("something", known, 2), std::nullopt);
  EXPECT_EQ(nearest("log", known, 0), std::nullopt);
  EXPECT_EQ(nearest("b", std::array<std::string_view, 2>{"a", "c"}, 1), "a") << "the first of several";
}

}  // namespace
}  // namespace tokenrail::config
