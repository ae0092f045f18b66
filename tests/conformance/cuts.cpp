#include "tests/conformance/cuts.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/common/providers/answer_hash.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {

namespace {

using providers::test::AnswerHash;
using providers::test::AnswerRecorder;

constexpr std::size_t every_byte_below = 96 * 1024;
constexpr std::size_t one_cut_a_pass_below = 2 * 1024;
constexpr std::size_t stride = 512;  // longer than most events
constexpr std::size_t random_cuts = 1'000;
constexpr std::size_t random_cuts_a_pass_min = 20;

/// Prints at the end what was covered.
class Summary : public testing::Environment {
 public:
  void TearDown() override {
    if (bodies == 0 && read.empty() && skipped.empty()) return;
    fmt::print("{} exchanges were read. {} answers were decoded, cut at {} positions.\n", read.size(), bodies, cuts);
    for (const auto& [name, why] : skipped) fmt::print("skipped: {} ({})\n", name, why);
  }
  std::set<std::string> read{};
  std::size_t bodies = 0;
  std::size_t cuts = 0;
  std::vector<std::pair<std::string, std::string>> skipped{};
};
Summary& summary() {
  // GoogleTest owns it.
  static auto* const one = dynamic_cast<Summary*>(testing::AddGlobalTestEnvironment(new Summary));
  return *one;
}
// Before main(), because environments that are added while tests run are not torn down.
const auto& registered = summary();

}  // namespace

void note_read(const std::string& name) {
  summary().read.insert(name);
}

void note_skipped(std::string_view name, std::string_view why) {
  summary().skipped.emplace_back(name, why);
}

void decode(const MakeDecoder& make, const std::vector<std::string_view>& pieces, providers::AnswerSink& sink) {
  const auto decoder = make();
  for (const auto piece : pieces) decoder->feed(piece, sink);
  decoder->end(sink);
}

void expect_same_for_every_cut(const MakeDecoder& make, std::string_view body) {
  ++summary().bodies;
  AnswerHash whole;
  decode(make, {body}, whole);
  /// Cut at all of these positions, which rise.
  const auto same_cut_at = [&](const std::vector<std::size_t>& positions) {
    summary().cuts += positions.size();
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    for (const auto position : positions) {
      pieces.push_back(body.substr(begin, position - begin));
      begin = position;
    }
    pieces.push_back(body.substr(begin));
    AnswerHash answer;
    decode(make, pieces, answer);
    return answer.value() == whole.value();
  };
  std::mt19937 random(1);
  if (body.size() <= one_cut_a_pass_below) {
    for (std::size_t cut = 0; cut <= body.size(); ++cut) ASSERT_TRUE(same_cut_at({cut})) << "cut at byte " << cut;
  } else if (body.size() < every_byte_below) {
    // One pass for each byte would take minutes. Each pass cuts far apart, and the passes shift by one.
    for (std::size_t first = 0; first < stride; ++first) {
      std::vector<std::size_t> positions;
      for (std::size_t at = first; at <= body.size(); at += stride) positions.push_back(at);
      ASSERT_TRUE(same_cut_at(positions)) << "cut at byte " << first << " and each " << stride << "th after it";
    }
  } else {
    // On average as far apart as those of a shorter body.
    const auto cuts_a_pass = std::clamp(body.size() / stride, random_cuts_a_pass_min, random_cuts);
    for (std::size_t done = 0; done < random_cuts; done += cuts_a_pass) {
      std::vector<std::size_t> positions;
      for (auto i = done; i < std::min(done + cuts_a_pass, random_cuts); ++i)
        positions.push_back(random() % body.size());
      std::ranges::sort(positions);
      ASSERT_TRUE(same_cut_at(positions)) << "random cuts from number " << done;
    }
  }

  AnswerRecorder recorded;
  decode(make, {body}, recorded);
  EXPECT_EQ(recorded.endings(), 1);
  EXPECT_FALSE(recorded.said_something_after_the_end());
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(body.substr(i, 1));
  AnswerRecorder single;
  decode(make, bytes, single);
  EXPECT_EQ(single.summary(), recorded.summary());
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t size = random() % 300;  // empty ones too
      pieces.push_back(body.substr(at, size));
      at += size;
    }
    AnswerRecorder pieced;
    decode(make, pieces, pieced);
    ASSERT_EQ(pieced.summary(), recorded.summary()) << "round " << round;
  }
}

void expect_failure_wherever_it_is_cut_off(const MakeDecoder& make, std::string_view body, std::size_t needed) {
  AnswerRecorder whole;
  decode(make, {body}, whole);
  ASSERT_TRUE(whole.finish());
  const std::size_t step = body.size() > 20'000 ? 97 : body.size() > 4'000 ? 13 : 1;
  for (std::size_t end = 0; end < needed; end += step) {
    AnswerRecorder answer;
    decode(make, {body.substr(0, end)}, answer);
    ASSERT_EQ(answer.endings(), 1);
    ASSERT_TRUE(answer.failure()) << "cut off at byte " << end << " it counted as whole";
    ASSERT_TRUE(whole.text().starts_with(answer.text()));
  }
}

}  // namespace tokenrail::conformance
