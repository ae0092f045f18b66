#include "workers/registry_sync/sync_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SyncOrder order(const std::string& connection, const std::string& request = "") {
  SyncOrder made;
  made.connection.id = connection;
  made.trigger = request.empty() ? "schedule" : "manual";
  made.request.id = request;
  return made;
}

std::vector<std::string> started(SyncQueue& queue) {
  std::vector<std::string> ids;
  while (const auto next = queue.next()) ids.push_back(next->connection.id + next->request.id);
  return ids;
}

TEST(SyncQueue, ConnectionsRunBesideEachOtherUpToTheBound) {
  SyncQueue queue(2);
  EXPECT_TRUE(queue.idle());
  for (const auto* id : {"a", "b", "c"}) EXPECT_TRUE(queue.add(order(id)));
  EXPECT_THAT(started(queue), ElementsAre("a", "b"));
  EXPECT_EQ(queue.running(), 2U);
  queue.ended("b");
  EXPECT_THAT(started(queue), ElementsAre("c"));
  queue.ended("a");
  EXPECT_FALSE(queue.idle());
  queue.ended("c");
  EXPECT_TRUE(queue.idle());
}

TEST(SyncQueue, ASlowConnectionIsNotOrderedTwiceByTheClock) {
  SyncQueue queue(8);
  EXPECT_TRUE(queue.add(order("slow")));
  EXPECT_FALSE(queue.add(order("slow"))) << "it waits already";
  EXPECT_THAT(started(queue), ElementsAre("slow"));
  EXPECT_FALSE(queue.add(order("slow"))) << "it runs";
  EXPECT_TRUE(queue.add(order("quick")));
  EXPECT_THAT(started(queue), ElementsAre("quick"));
  queue.ended("slow");
  EXPECT_TRUE(queue.add(order("slow")));
}

TEST(SyncQueue, WhatAPersonAskedForRunsAfterTheRunningSyncOfThatConnectionAndBeforeAllOthers) {
  SyncQueue queue(2);
  for (const auto* id : {"slow", "x", "y"}) queue.add(order(id));
  EXPECT_THAT(started(queue), ElementsAre("slow", "x"));
  EXPECT_TRUE(queue.add(order("slow", "-r1")));
  EXPECT_TRUE(queue.add(order("quick", "-r1")));
  EXPECT_TRUE(queue.add(order("quick", "-r2")));
  EXPECT_FALSE(queue.add(order("quick"))) << "what was asked for serves the clock too";
  queue.ended("x");
  EXPECT_THAT(started(queue), ElementsAre("quick-r1")) << "slow still runs";
  queue.ended("slow");
  EXPECT_THAT(started(queue), ElementsAre("slow-r1"));
  queue.ended("quick");
  EXPECT_THAT(started(queue), ElementsAre("quick-r2"));
  queue.clear();
  queue.ended("quick");
  EXPECT_THAT(started(queue), IsEmpty()) << "y is forgotten";
}

TEST(RequestBook, ARequestIsFinishedWhenItsConnectionsAreSyncedAndPublished) {
  RequestBook book;
  book.add("r", {"a", "b"});
  book.add("other", {"slow"});
  EXPECT_THAT(book.open(), ElementsAre("other", "r"));
  book.synced("r", "a", 5);
  EXPECT_THAT(book.finished(9), IsEmpty()) << "b is lacking";
  book.synced("r", "b", 7);
  EXPECT_THAT(book.finished(6), IsEmpty()) << "the pass that began afterwards has not ended";
  EXPECT_THAT(book.finished(7), ElementsAre("r"));
  book.forget("r");
  EXPECT_THAT(book.finished(7), IsEmpty());
  EXPECT_THAT(book.open(), ElementsAre("other"));
  book.synced("r", "a", 8);
  EXPECT_THAT(book.open(), ElementsAre("other")) << "who is not open does not come back";
}

TEST(RequestBook, ARequestForNoConnectionIsFinishedAtOnce) {
  RequestBook book;
  book.add("r", {});
  EXPECT_THAT(book.finished(0), ElementsAre("r"));
  book.clear();
  EXPECT_THAT(book.open(), IsEmpty());
}

}  // namespace
}  // namespace tokenrail::registry_sync
