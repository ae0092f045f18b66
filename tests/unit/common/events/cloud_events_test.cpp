#include "common/events/cloud_events.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::events {
namespace {

TEST(CloudEvents, HeadersAreThoseOfTheBinding) {
  const auto headers = cloud_event_headers(
      {.id = "3:7:1001:llm.request:1", .source = "/router/3", .type = "llm.request", .time_ms = 1'700'000'000'123});
  const HeaderList expected{{"ce_id", "3:7:1001:llm.request:1"},
                            {"ce_source", "/router/3"},
                            {"ce_specversion", "1.0"},
                            {"ce_type", "llm.request"},
                            {"ce_time", "2023-11-14T22:13:20.123Z"},
                            {"content-type", "application/json"}};
  EXPECT_EQ(headers, expected);
}

TEST(CloudEvents, CarryTheTraceWhereThereIsOne) {
  const auto headers = cloud_event_headers({.id = "i", .source = "s", .type = "t", .traceparent = "00-a"});
  EXPECT_EQ(headers.back(), (HeaderList::value_type("traceparent", "00-a")));
}

TEST(EventIds, IdentifyRepeatedEvents) {
  EXPECT_EQ(audit_event_id(3, 41_request, 1001, "llm.response", 9), "3:41:1001:llm.response:9");
  EXPECT_NE(audit_event_id(3, 41_request, 1001, "llm.response", 9),
            audit_event_id(3, 41_request, 1001, "llm.response", 10));
  EXPECT_NE(audit_event_id(1, 11_request, 1, "k", 1), audit_event_id(11, 1_request, 1, "k", 1));
  EXPECT_EQ(ownership_event_id(3, 9, "inst", 2), "3:9:inst:2");
}

TEST(Traceparent, TakesOnlyWellFormedVersionZero) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(valid_traceparent(good), good);
  const std::string bad[] = {
      "",
      good.substr(0, 54),
      good + "0",
      "01" + good.substr(2),
      "ff" + good.substr(2),
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
      "00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01",
  };
  for (const auto& value : bad) {
    EXPECT_FALSE(valid_traceparent(value).has_value()) << value;
  }
}

TEST(Rfc3339, IsUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1'709'251'199'999), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ReadsOnlyTheFormThatItWrites) {
  for (const std::int64_t ms : {0LL, 1'709'251'199'999LL, -1LL}) EXPECT_EQ(rfc3339_ms(rfc3339(ms)), ms);
  for (const auto* const text :
       {"", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000+", "1970-13-01T00:00:00.000Z", "1970-02-30T00:00:00.000Z",
        "1970-01-01T24:00:00.000Z", "1970-01-01 00:00:00.000Z", "1970-01-0xT00:00:00.000Z", "1970-01-01T00:00:00.-00Z"})
    EXPECT_EQ(rfc3339_ms(text), std::nullopt) << text;
}

}  // namespace
}  // namespace tokenrail::events
