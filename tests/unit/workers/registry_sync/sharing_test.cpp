#include "workers/registry_sync/sharing.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace tokenrail::registry_sync {
namespace {

using namespace std::chrono_literals;

TEST(DueAfter, IsTheIntervalATenthEarlierOrLater) {
  struct Case {
    std::optional<std::int64_t> own_s;
    std::chrono::milliseconds interval;
    double random;
    std::chrono::milliseconds due;
  };
  for (const auto& [own_s, interval, random, due] : {
           Case{.own_s = {}, .interval = 10s, .random = 0, .due = 9s},
           Case{.own_s = {}, .interval = 10s, .random = 0.25, .due = 9500ms},
           Case{.own_s = {}, .interval = 10s, .random = 0.5, .due = 10s},
           Case{.own_s = {}, .interval = 10s, .random = 1, .due = 11s},
           Case{.own_s = {}, .interval = 5ms, .random = 1, .due = 6ms},
           Case{.own_s = 60, .interval = 10s, .random = 0, .due = 54s},
           Case{.own_s = 60, .interval = 10s, .random = 0.5, .due = 60s},
           Case{.own_s = 60, .interval = 10s, .random = 1, .due = 66s},
           Case{.own_s = 30LL * 24 * 3600, .interval = 10s, .random = 1, .due = 33h * 24},
       }) {
    registry::Connection connection;
    connection.sync_interval_s = own_s;
    EXPECT_EQ(due_after(connection, interval, random), due) << interval.count() << " " << random;
  }
}

}  // namespace
}  // namespace tokenrail::registry_sync
