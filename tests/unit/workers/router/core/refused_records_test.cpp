#include "workers/router/core/refused_records.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"
#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {
namespace {

constexpr Millis now{10'000};

Sent sent(Purpose purpose, std::uint32_t bytes, events::RequestOffset offset = 7_request) {
  return {.purpose = purpose, .offset = offset, .attempt = 1'001, .bytes = bytes};
}

TEST(RefusedRecords, FirstRefusalHalvesTheEvent) {
  RefusedRecords refused;
  const auto event = refused.event_refused(sent(Purpose::request_event, 1'000), now);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->key, RefusedRecords::key_of(sent(Purpose::request_event, 0)));
  EXPECT_EQ(event->bytes_max, 500U);
  EXPECT_EQ(refused.waiting(), 0U);
  EXPECT_TRUE(refused.take_due(Millis(99'000'000)).empty()) << "it is on its way";
}

TEST(RefusedRecords, SecondRefusalMakesItSmallest) {
  RefusedRecords refused;
  (void)refused.event_refused(sent(Purpose::response_event, 1'000), now);
  const auto event = refused.event_refused(sent(Purpose::response_event, 480), now);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->bytes_max, 0U);
}

TEST(RefusedRecords, ThirdRefusalWaits) {
  RefusedRecords refused;
  (void)refused.event_refused(sent(Purpose::response_event, 1'000), now);
  (void)refused.event_refused(sent(Purpose::response_event, 480), now);
  EXPECT_FALSE(refused.event_refused(sent(Purpose::response_event, 300), now));
  EXPECT_EQ(refused.waiting(), 1U);
  const auto due = now + refusal_wait(1);
  EXPECT_TRUE(refused.take_due(due - Millis(1)).empty());
  const auto events = refused.take_due(due);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().bytes_max, 0U);
  EXPECT_TRUE(refused.take_due(due).empty()) << "it is on its way";
  EXPECT_EQ(refused.waiting(), 1U);
}

TEST(RefusedRecords, EventsThatCannotBeCutWaitAtOnce) {
  for (const auto purpose : {Purpose::loss, Purpose::closing_event}) {
    RefusedRecords refused;
    EXPECT_FALSE(refused.event_refused(sent(purpose, 1'000), now));
    EXPECT_EQ(refused.take_due(now + refusal_wait(1)).size(), 1U);
  }
}

TEST(RefusedRecords, WrittenEventIsForgotten) {
  RefusedRecords refused;
  (void)refused.event_refused(sent(Purpose::request_event, 1'000), now);
  refused.forget(RefusedRecords::key_of(sent(Purpose::request_event, 0)));
  const auto event = refused.event_refused(sent(Purpose::request_event, 600), now);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->bytes_max, 300U) << "a new first refusal";
}

TEST(RefusedRecords, EachEventIsCountedAlone) {
  RefusedRecords refused;
  (void)refused.event_refused(sent(Purpose::closing_event, 10, 9_request), now);
  (void)refused.event_refused(sent(Purpose::closing_event, 10, 8_request), now);
  const auto events = refused.take_due(now + refusal_wait(1));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].key.offset, 8_request);
  EXPECT_EQ(events[1].key.offset, 9_request);
}

TEST(RefusedRecords, ChunksAreTakenOnce) {
  RefusedRecords refused;
  EXPECT_FALSE(refused.any_chunk());
  refused.chunk_not_taken(5, "too large");
  EXPECT_TRUE(refused.any_chunk());
  const auto chunks = refused.take_chunks();
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks.front().unit, 5U);
  EXPECT_EQ(chunks.front().why, "too large");
  EXPECT_FALSE(refused.any_chunk());
}

TEST(RefusedRecords, RepairForgetsThemAll) {
  RefusedRecords refused;
  (void)refused.event_refused(sent(Purpose::loss, 10), now);
  refused.chunk_not_taken(5, "too large");
  refused.clear();
  EXPECT_TRUE(refused.take_due(Millis(99'000'000)).empty());
  EXPECT_FALSE(refused.any_chunk());
}

}  // namespace
}  // namespace tokenrail::router
