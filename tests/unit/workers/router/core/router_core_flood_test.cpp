// Floods: whoever sends more than can run at once, from one conversation, one organisation or many, to one provider or
// one partition, leaves room for the others; and the same while requests are prepared one at a time.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

TEST_F(RouterCoreTest, AnOrganisationAtItsBoundDoesNotHaveItsRecordsReadAgainInFlocks) {
  options.connection_in_flight_max = 2;
  options.org_in_flight_max = 3;
  options.window_requests_max = 20;
  make_core(options);
  add_model("other", "ollama", "c2");
  assign();
  for (int i = 0; i < 300; ++i) request("slow" + std::to_string(i), "", "key" + std::to_string(i));
  for (int i = 0; i < 3; ++i)
    request("quick" + std::to_string(i), "", "q" + std::to_string(i),
            R"("modelProvider":"ollama","modelName":"other",)");
  producer->acknowledge_all();
  std::size_t most = 0;
  for (int i = 0; i < 400; ++i) {
    if (!http.calls.empty()) answer(http.calls.begin()->first);
    for (int k = 0; k < 5; ++k) {
      producer->acknowledge_all();
      group->answer_commits();
      reader->deliver();
      core->refresh_gauges();
      most = std::max(most, static_cast<std::size_t>(router_metrics.window_requests.value()));
    }
  }
  EXPECT_LE(most, 20U);
  EXPECT_EQ(audit(Kind::response).size(), 303U) << "and yet all were served";
}

/// Whoever floods waits beside the window: somebody else's request is read and served behind it.
class FloodTest : public RouterCoreTest {
 protected:
  FloodTest() { options.window_requests_max = 20; }

  void begin(const std::function<void()>& flood) {
    make_core(options);
    assign();
    flood();
    settle();
    EXPECT_TRUE(group->reading);
    record(R"({"requestId":"quick","orgId":"other","modelProvider":"ollama","modelName":"llama3",)"
           R"("messages":[{"role":"user","content":"hi"}]})",
           "q");
    settle();
    const auto call = http.newest();
    answer(call);
    settle();
    const auto all = chunks();
    EXPECT_EQ(std::ranges::count(all, "quick", &events::Chunk::request_id), 2) << "the other's answer";
    EXPECT_GE(router_metrics.put_back.value(), 80U);
  }
  /// All that waited is served, with what it said, and the window holds.
  void expect_all_served(std::size_t requests) {
    std::size_t most = 0;
    for (int i = 0; i < 500; ++i) {
      if (!http.calls.empty()) answer(http.calls.begin()->first);
      settle();
      core->refresh_gauges();
      most = std::max(most, static_cast<std::size_t>(router_metrics.window_requests.value()));
    }
    EXPECT_LE(most, options.window_requests_max);
    EXPECT_EQ(audit(Kind::response).size(), requests);
    EXPECT_FALSE(reader->reads("chat.requests"));
    wake_after(1s);
    settle();
    EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), next_offset);
    core->refresh_gauges();
    EXPECT_EQ(router_metrics.window_requests.value(), 0);
  }
};

TEST_F(FloodTest, OfOneConversationWhoseOrderIsKept) {
  begin([&] {
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i));
  });
  expect_all_served(101);
  std::vector<std::int64_t> offsets;
  for (const auto& facts : audit(Kind::response))
    if (facts.ids.org_id == "o") offsets.push_back(facts.ids.source_offset.value());
  EXPECT_TRUE(std::ranges::is_sorted(offsets));
}

TEST_F(FloodTest, OfOneConversationWithRequestsThatAreRefused) {
  begin([&] {
    request("c");
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), R"("temperature":"warm",)");
  });
  expect_all_served(102);
}

TEST_F(FloodTest, OfAnOrganisationAtItsBound) {
  options.org_in_flight_max = 2;
  begin([&] {
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), "", "key" + std::to_string(i));
  });
  expect_all_served(101);
}

TEST_F(FloodTest, BehindACallThatDoesNotEnd) {
  options.partition_span_max = 1;
  make_core(options);
  assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_TRUE(group->reading);
  record(R"({"requestId":"quick","orgId":"o","messages":[{"role":"user","content":"hi"}]})", std::nullopt, 1);
  settle();
  EXPECT_EQ(http.started, 2U);
  answer(http.newest());
  settle();
  EXPECT_EQ(chunks(1).size(), 2U);
  next_offset = 100;
  for (int i = 0; i < 200; ++i) {
    if (!http.calls.empty()) answer(http.calls.begin()->first);
    settle();
  }
  EXPECT_EQ(audit(Kind::response).size(), 100U);
}

TEST_F(FloodTest, OfTwoProvidersAtTheirLimit) {
  options.connection_in_flight_max = 1;
  make_core(options);
  add_model("second", "ollama", "c2");
  add_model("third", "ollama", "c3");
  assign();
  for (int i = 0; i < 60; ++i) {
    request("c" + std::to_string(i), "", "key" + std::to_string(i));
    request("d" + std::to_string(i), "", "yek" + std::to_string(i),
            R"("modelProvider":"ollama","modelName":"second",)");
  }
  EXPECT_TRUE(group->reading);
  request("quick", "", "q", R"("modelProvider":"ollama","modelName":"third",)");
  settle();
  EXPECT_EQ(http.started, 3U);
  expect_all_served(121);
}

TEST_F(FloodTest, WhatIsKeptOfThoseThatWaitIsBounded) {
  options.window_bytes_max = 200'000;
  make_core(options);
  assign();
  int read = 0;
  for (; read < 2'000 && group->reading; ++read) request("c" + std::to_string(read));
  EXPECT_GT(read, 25);
  EXPECT_LT(read, 200) << "reading stops when even the ids are too many";
  settle();
  for (int i = 0; i < 300 && !http.calls.empty(); ++i) {
    answer(http.newest());
    settle();
  }
  EXPECT_TRUE(group->reading);
  EXPECT_EQ(audit(Kind::response).size(), static_cast<std::size_t>(read));
}

TEST_F(FloodTest, OfManyOrganisationsIsReadBackOneByOne) {
  options.in_flight_max = 3;
  options.partition_span_max = 60;
  make_core(options);
  assign();
  const auto ask = [&](int i) {
    record(R"({"requestId":"r","orgId":"o)" + std::to_string(i) +
               R"(","modelProvider":"ollama","modelName":"llama3","messages":[{"role":"user","content":"hi"}]})",
           std::nullopt);
  };
  int i = 0;
  for (; i < 60; ++i) {
    ask(i);
    settle();
    if (i > 0) {
      answer(http.newest());
      settle();
    }
  }
  for (; i < 119 && group->reading; ++i) {
    ask(i);
    settle();
  }
  core->refresh_gauges();
  answer(http.calls.begin()->first);
  settle();
  core->refresh_gauges();
  double most = 0;
  for (int k = 0; k < 12; ++k) {
    answer(http.calls.begin()->first);
    settle();
    core->refresh_gauges();
    most = std::max(most, router_metrics.window_requests.value());
  }
  EXPECT_LE(most, 23);
}

/// Three workers were lost before they could say anything.
class CarefulTest : public RouterCoreTest {
 protected:
  void be_careful() {
    for (int i = 0; i < 3; ++i) {
      make_core(options);
      core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
      producer->acknowledge_all();
      environment.advance(2s);
    }
    make_core(options);
    assign();
  }
  /// One is prepared each time the loop turns.
  void go_on(int turns) {
    for (int i = 0; i < turns; ++i) {
      wake_after(0s);
      settle();
    }
  }
};

// What waits has not been read yet, and may have been given more time than the default.
TEST_F(CarefulTest, NobodyIsEndedBeforeItsOwnDeadlineIsRead) {
  options.request_timeout_default = 30s;
  be_careful();
  for (const auto* id : {"first", "patient"}) request(id, R"("timeoutMs":7200000,)");
  request("of the default");
  settle();
  ASSERT_EQ(http.calls.size(), 1U);
  wake_after(40s);
  settle();
  for (int i = 0; i < 2; ++i) {
    answer(http.newest());
    settle();
    wake_after(0s);
    settle();
  }
  std::map<std::string, std::string> ends;
  for (const auto& chunk : chunks())
    if (chunk.done) ends[chunk.request_id] = chunk.finish_reason;
  EXPECT_EQ(ends,
            (std::map<std::string, std::string>{{"first", "stop"}, {"patient", "stop"}, {"of the default", "error"}}));
}

TEST_F(CarefulTest, KeepsToTheBounds) {
  options.connection_in_flight_max = 1;
  options.org_in_flight_max = 2;
  options.in_flight_max = 3;
  be_careful();
  for (int i = 0; i < 150; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  go_on(1010);
  EXPECT_LE(core->in_flight(), 3U);
}

TEST_F(CarefulTest, KeepsToTheWindow) {
  options.org_in_flight_max = 10;
  options.window_requests_max = 40;
  be_careful();
  int i = 0;
  for (; i < 10; ++i) {
    request("c" + std::to_string(i), "", std::nullopt);
    settle();
    wake_after(0s);
    settle();
  }
  ASSERT_EQ(http.calls.size(), 10U);
  for (; i < 300 && group->reading; ++i) request("c" + std::to_string(i), "", std::nullopt);
  core->refresh_gauges();
  while (!http.calls.empty()) answer(http.calls.begin()->first);
  double most = 0;
  for (int k = 0; k < 200; ++k) {
    producer->acknowledge_all();
    reader->deliver();
    core->refresh_gauges();
    most = std::max(most, router_metrics.window_requests.value());
  }
  go_on(500);
  EXPECT_LE(most, 40);
  EXPECT_LE(http.calls.size(), 10U);
}

TEST_F(FloodTest, OfAModelWithManyDeploymentsIsNotReadAgainAndAgain) {
  options.connection_in_flight_max = 1;
  options.window_requests_max = 10;
  make_core(options);
  events::ModelUpserted event;
  event.version = 1;
  event.cause = "sync";
  event.actor = "test";
  event.model = {.id = "many", .provider = "ollama", .model_name = "many", .slug = "ollama/many", .version = 1};
  for (int d = 0; d < 8; ++d) {
    const auto n = std::to_string(d);
    event.model.deployments.push_back({.id = "d" + n,
                                       .connection_id = "k" + n,
                                       .connection_name = "local",
                                       .provider = "ollama",
                                       .adapter = "ollama",
                                       .base_url = "http://provider",
                                       .auth_type = "none",
                                       .upstream_name = "many"});
  }
  event.key = events::model_key(event.model);
  projection.apply(event.key, events::to_json(event));
  assign();
  for (int i = 0; i < 200; ++i)
    request("c" + std::to_string(i), "", std::nullopt, R"("modelProvider":"ollama","modelName":"many",)");
  settle();
  for (int i = 0; i < 600 && !http.calls.empty(); ++i) {
    answer(http.calls.begin()->first);
    settle();
  }
  EXPECT_EQ(audit(Kind::response).size(), 200U);
  EXPECT_LE(router_metrics.put_back.value(), 400U);
}

TEST_F(FloodTest, AtTheBoundOfAPartitionIsNotReadAgainAndAgain) {
  options.partition_attempts_max = 200;
  options.window_requests_max = 600;
  options.in_flight_max = 1000;
  make_core(options);
  assign();
  for (int i = 0; i < 4000; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  for (int i = 0; i < 300 && !http.calls.empty(); ++i) {
    for (int k = 0; k < 100 && !http.calls.empty(); ++k) {
      answer(http.calls.begin()->first);
      producer->acknowledge_all();
    }
    reader->deliver();
    settle();
  }
  EXPECT_LE(router_metrics.put_back.value(), 8000U);
}

}  // namespace
}  // namespace tokenrail::router
