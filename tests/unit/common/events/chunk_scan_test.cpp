#include "common/events/chunk_scan.hpp"

#include <gtest/gtest.h>

#include "common/events/chunk.hpp"

namespace tokenrail::events {
namespace {

std::string chunk(std::string_view request_id, std::int64_t attempt, std::int64_t seq) {
  std::string out;
  ChunkWriter(request_id, "acme", attempt).write(out, seq, {.text = "hi"});
  return out;
}

TEST(ChunkScan, ReadsWhatTheWriterWrites) {
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{7}, INT64_MAX}) {
    const auto value = chunk("r-1", 1'700'000'000'001, seq);
    const auto prefix = scan_chunk_prefix(value);
    ASSERT_TRUE(prefix) << value;
    EXPECT_EQ(prefix->attempt_prefix, ChunkWriter("r-1", "acme", 1'700'000'000'001).attempt_prefix());
    EXPECT_EQ(prefix->seq, seq);
  }
}

TEST(ChunkScan, LeavesOtherFormsToTheParser) {
  const auto escaped = chunk("r\"1", 5, 3);
  EXPECT_FALSE(scan_chunk_prefix(escaped));
  const auto place = place_of(escaped);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->attempt_prefix, ChunkWriter("r\"1", "acme", 5).attempt_prefix());
  EXPECT_EQ(place->seq, 3);

  constexpr std::string_view other =
      R"({ "orgId": "acme", "requestId": "r-1", "seq": 2, "attempt": 5, "done": false })";
  EXPECT_FALSE(scan_chunk_prefix(other));
  ASSERT_TRUE(place_of(other));
  EXPECT_EQ(place_of(other)->attempt_prefix, ChunkWriter("r-1", "acme", 5).attempt_prefix());
}

TEST(ChunkScan, FindsNothingWithoutIdsAttemptAndSeq) {
  for (const std::string_view value :
       {"", "{", R"({"requestId":"r)", R"({"requestId":"r","orgId":"o","attempt":)",
        R"({"requestId":"r","orgId":"o","attempt":5,"seq":)", R"({"requestId":"r","orgId":"o","attempt":5,"seq":1)",
        R"({"requestId":"r","orgId":"o","attempt":5,"seq":1.5,"done":false})"}) {
    EXPECT_FALSE(scan_chunk_prefix(value)) << value;
    EXPECT_FALSE(place_of(value)) << value;
  }
}

TEST(ChunkScan, AgreesWithParserOnEveryPrefix) {
  const auto whole = chunk("r-1", 5, 3);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto prefix = scan_chunk_prefix(std::string_view(whole).substr(0, size));
    if (prefix) EXPECT_EQ(prefix->seq, 3) << size;
  }
}

}  // namespace
}  // namespace tokenrail::events
