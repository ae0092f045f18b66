// Histories that chance alone meets rarely, told step by step.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include "common/events/commit_metadata.hpp"
#include "tests/simulation/world.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::simulation {
namespace {

constexpr std::int64_t second = 1'000'000;

/// One partition, no faults; who is slow at what is the seed's.
Plan empty_plan(std::uint64_t seed) {
  auto plan = make_plan(seed);
  plan.partitions = 1;
  plan.workers = 2;
  plan.alone = false;
  plan.requests.clear();
  plan.faults.clear();
  plan.hedge_after_ms = 0;  // calls are counted
  plan.heal_at = Micros(30 * second);
  plan.queue_max = 0;
  plan.window_max = plan.org_max = plan.connection_max = plan.in_flight_max = 0;
  plan.span_max = 0;
  plan.commit_lost = plan.answer_lost = plan.late_commit = plan.offsets_unknown = 0;
  return plan;
}

class Directed : public ::testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

// The kill between the terminal chunk and its audit event: the answer stands in the log, so nobody is asked again.
TEST_F(Directed, AWorkerKilledBehindTheTerminalChunkIsNeverFollowedByASecondRun) {
  constexpr std::uint64_t histories = 1'000;
  std::uint64_t recovered = 0;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    auto plan = empty_plan(seed);
    Random random(seed);
    plan.requests.resize(1);
    plan.requests[0].tokens = static_cast<int>(random.between(0, 4));
    plan.requests[0].key = 0;
    plan.faults.push_back({.moment = Moment::terminal_append,
                           .at = 1,
                           .kind = FaultKind::crash,
                           .slot = Fault::slot_involved,
                           .amount = random.between(0, 8 * second),
                           .seed = random.next()});
    World world(plan);
    const auto violation = world.run();
    ASSERT_FALSE(violation) << "seed " << seed << ": " << violation->promise << " " << violation->text;
    ASSERT_EQ(world.oracle.figures().calls, 1) << "seed " << seed;
    ASSERT_EQ(world.oracle.figures().attempts, 1) << "seed " << seed;
    recovered += static_cast<std::uint64_t>(world.oracle.figures().recovered);
  }
  // In a few the acknowledgement, and with it the ordinary response, was faster than the kill.
  EXPECT_GT(recovered, histories * 9 / 10);
}

/// A worker goes on with an answer that it handed over, publishes its end, and never hears of it. Its successor answers
/// an earlier request behind that, commits, and dies with it. The third has to find the end of the first's answer.
/// `met`: counts the histories in which it came to that.
std::optional<Violation> continued_and_lost(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  plan.requests.resize(3);
  plan.requests[0] = {.org = 0, .tokens = 1, .token_gap_us = second / 3};
  plan.requests[1] = {.org = 0, .tokens = 6, .token_gap_us = second / 2};
  plan.requests[2] = {.org = 1, .tokens = 3, .token_gap_us = second / 2};
  // The second waits for the first, which is of the same organisation, and is begun by the successor.
  World world(plan, false, [](router::RouterOptions& options) { options.org_in_flight_max = 1; });
  const auto commits = [&world](const Process& process) {
    return world.run_until([&world, id = process.id()] { return world.newest_committer(0) == id; });
  };
  auto& first = world.start_worker(0);
  EXPECT_TRUE(commits(first)) << seed;
  for (std::size_t i = 0; i < 3; ++i) world.send_request(i);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(0) + world.calls_of(2) == 2; })) << seed;

  auto& successor = world.start_worker(1);
  world.coordinator.favour(successor.id());
  EXPECT_TRUE(commits(successor)) << seed;
  EXPECT_TRUE(world.run_until([&] { return world.oracle.complete(0, 0); }) || world.oracle.violation()) << seed;
  first.close(Gate::acks);
  world.oracle.disturbed(first.id());
  EXPECT_TRUE(world.run_until([&] { return world.oracle.complete(0, 1); }) || world.oracle.violation()) << seed;
  const bool open = !world.oracle.complete(0, 2);
  if (open) ++met;
  world.run_until([&] { return world.broker.committed[0].offset == 2; }, Micros(2 * second));
  world.crash(first.id(), seed, std::nullopt);
  world.crash(successor.id(), seed, std::nullopt);
  auto violation = world.heal_and_finish();
  EXPECT_TRUE(violation || !open || world.calls_of(2) == 1) << seed;
  return violation;
}

constexpr std::uint64_t histories = 50;

/// Tells a history many times: it keeps every promise, and more than `met_min` times comes to the moment that it is
/// about. With that bug planted one of them breaks a promise.
void tell(std::optional<Violation> (*history)(std::uint64_t seed, int& met), std::uint64_t met_min, router::Bug bug) {
  int met = 0;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    const auto violation = history(seed, met);
    ASSERT_FALSE(violation) << "seed " << seed << ": " << violation->promise << " " << violation->text;
  }
  EXPECT_GT(met, met_min);
  router::planted_bug = bug;
  bool red = false;
  for (std::uint64_t seed = 1; seed <= histories && !red; ++seed) red = history(seed, met).has_value();
  router::planted_bug = router::Bug::none;
  EXPECT_TRUE(red) << "the bug was planted, and nothing was found";
}

TEST_F(Directed, AnAnswerThatWasContinuedAndLostIsFoundInTheChunkLog) {
  tell(continued_and_lost, histories * 3 / 4, router::Bug::continued_ignored);
}

/// A worker that has lost its partition and does not hear of it for a while answers a duplicate behind the terminal
/// chunk of its successor, and commits. The commit is taken, because it arrives when the worker is a member again: what
/// it says about the chunk log must not hide that terminal chunk, whose response is not there yet.
std::optional<Violation> committed_too_late(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  plan.late_commit = 1;
  plan.commit_interval_ms = 4'000;
  plan.duplicate_batch = 0;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.means[0][static_cast<std::size_t>(Stage::commit)] = 400'000;
  plan.requests.resize(3);
  plan.requests[0] = {.key = 0, .tokens = 0};
  plan.requests[1] = {.kind = RequestKind::duplicate, .key = 1, .duplicate_of = 0};
  plan.requests[2] = {.key = 2, .tokens = 0};
  World world(plan);
  auto& first = world.start_worker(0);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == first.id(); })) << seed;
  auto& successor = world.start_worker(1);
  world.coordinator.favour(first.id());
  const auto& chunks = world.broker.log(Topic::chunks, 0);
  EXPECT_TRUE(world.run_until([&] { return world.coordinator.members() == 2 && world.coordinator.stable(); })) << seed;
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(3 * second))) << seed;
  world.send_request(0);
  EXPECT_TRUE(world.run_until([&] { return world.oracle.complete(0, 0) && first.producer()->unreported() == 0; }))
      << seed;
  const auto commits_before = first.group()->commits_out();

  // Its answer to the duplicate is under way for long.
  first.close(Gate::appends);
  world.send_request(1);
  EXPECT_TRUE(world.run_until([&] { return first.producer()->unreported() > 0; })) << seed;
  first.close(Gate::fetches);
  first.close(Gate::reads);
  world.oracle.disturbed(first.id());
  world.coordinator.favour(successor.id());
  world.coordinator.put_out(first.id(), false);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == successor.id(); })) << seed;
  const auto before = chunks.end();
  world.send_request(2);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(2) == 1; })) << seed;
  successor.close(Gate::acks);
  EXPECT_TRUE(world.run_until([&] { return chunks.end() > before; }, Micros(second))) << seed;
  first.open(Gate::appends);
  world.run_until([&] { return first.group()->commits_out() > commits_before; }, Micros(5 * second));
  first.later(Micros(0), [&] { first.group()->put_out(first.group()->newest_join()); });
  const bool taken = world.run_until([&] { return world.newest_committer(0) == first.id(); }, Micros(3 * second));
  if (taken && !world.oracle.complete(0, 2)) ++met;
  world.crash(first.id(), seed, std::nullopt);
  world.crash(successor.id(), seed, std::nullopt);
  auto violation = world.heal_and_finish();
  EXPECT_TRUE(violation || world.calls_of(2) == 1) << seed;
  return violation;
}

TEST_F(Directed, ACommitThatComesLateHidesNoTerminalChunk) {
  tell(committed_too_late, histories / 4, router::Bug::chunk_cap_too_far);
}

/// A worker that has lost its partition and does not hear of it answers behind the claim of its successor, which runs
/// the request again meanwhile. The broker acknowledges that response like any other, and the log, which would say that
/// it is void, gives nothing for a while. A commit that rests on it would be taken, because the worker is a member
/// again when it arrives, and pass a request that is not complete.
std::optional<Violation> answered_behind_a_claim(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  plan.late_commit = 1;
  plan.commit_interval_ms = 100;
  plan.duplicate_batch = 0;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.means[0][static_cast<std::size_t>(Stage::commit)] = 400'000;
  plan.requests.resize(1);
  plan.requests[0] = {.tokens = 20, .token_gap_us = second / 5};
  World world(plan);
  auto& first = world.start_worker(0);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == first.id(); })) << seed;
  auto& successor = world.start_worker(1);
  world.coordinator.favour(first.id());
  EXPECT_TRUE(world.run_until([&] { return world.coordinator.members() == 2 && world.coordinator.stable(); })) << seed;
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == first.id(); })) << seed;
  world.send_request(0);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(0) == 1; })) << seed;
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(2 * second))) << seed;

  first.close(Gate::fetches);
  first.close(Gate::reads);
  world.oracle.disturbed(first.id());
  world.coordinator.favour(successor.id());
  world.coordinator.put_out(first.id(), false);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(0) == 2; })) << seed;
  const auto commits_before = first.group()->commits_out();
  const auto first_answered = [&] { return world.oracle.figures().void_events > 0; };
  if (world.run_until(first_answered, Micros(10 * second)) && !world.oracle.complete(0, 0)) ++met;
  if (world.run_until([&] { return first.group()->commits_out() > commits_before; }, Micros(second / 2))) {
    first.later(Micros(0), [&] { first.group()->put_out(first.group()->newest_join()); });
  }
  world.run_until([&] { return world.oracle.complete(0, 0); });
  world.crash(first.id(), seed, std::nullopt);
  auto violation = world.heal_and_finish();
  EXPECT_TRUE(violation || world.calls_of(0) == 2) << seed;
  return violation;
}

TEST_F(Directed, AResponseBehindAHigherClaimCompletesNothing) {
  tell(answered_behind_a_claim, histories / 2, router::Bug::complete_when_acknowledged);
}

/// A request comes again when its window is over, and is run. Its worker dies, and the next has a longer window, as
/// after a deploy that raised it: by that the second is a duplicate, but attempt 0 could not complete what has been
/// run.
std::optional<Violation> run_and_then_a_duplicate(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.dedupe_window_ms = 1'000;
  plan.requests.resize(2);
  plan.requests[0] = {.tokens = 1};
  plan.requests[1] = {.kind = RequestKind::duplicate, .duplicate_of = 0, .tokens = 10, .token_gap_us = second / 2};
  World world(plan);
  auto& first = world.start_worker(0);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == first.id(); })) << seed;
  world.send_request(0);
  EXPECT_TRUE(world.run_until([&] { return world.oracle.complete(0, 0); })) << seed;
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(2 * second))) << seed;
  world.send_request(1);
  if (world.run_until([&] { return world.calls_of(1) == 1; }, Micros(5 * second))) ++met;
  world.run_until([] { return false; }, Micros(second));
  world.crash(first.id(), seed, std::nullopt);
  world.options.dedupe_window = std::chrono::hours(1);
  return world.heal_and_finish();
}

TEST_F(Directed, WhatHasBeenRunIsNoDuplicateWhateverTheWindowSaysLater) {
  tell(run_and_then_a_duplicate, histories / 2, router::Bug::duplicate_though_run);
}

/// A worker dies behind its terminal chunk, and retention takes the chunks before anybody comes. The next one says so
/// in the log and dies behind that; the third, which finds a chunk log that is whole again, must not run the request.
std::optional<Violation> deleted_before_it_was_read(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  plan.workers = 1;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.requests.resize(1);
  plan.requests[0] = {.tokens = 2};
  plan.faults = {{.moment = Moment::terminal_append,
                  .at = 1,
                  .kind = FaultKind::crash,
                  .slot = Fault::slot_involved,
                  .amount = 9 * second,
                  .seed = seed},
                 {.at = 8 * second, .kind = FaultKind::cut_chunks},
                 {.moment = Moment::response_append,
                  .at = 1,
                  .kind = FaultKind::crash,
                  .slot = Fault::slot_involved,
                  .amount = second,
                  .seed = seed}};
  // One that takes all three chunks.
  while (Random(plan.faults[1].seed).between(0, 3) != 3) ++plan.faults[1].seed;
  World world(plan);
  auto violation = world.run();
  if (world.oracle.figures().answers_gone > 0) ++met;
  return violation;
}

TEST_F(Directed, AnAnswerThatWasDeletedBeforeItWasReadIsNotBoughtAgain) {
  tell(deleted_before_it_was_read, histories / 2, router::Bug::runs_again_though_cut);
}

/// The same of an attempt that was handed over: whoever finds its chunks gone waits for the lease before it may say so,
/// and may be gone itself by then. What it committed has to let the next one find that they are gone.
std::optional<Violation> deleted_while_its_lease_ran(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.requests.resize(1);
  plan.requests[0] = {.tokens = 3, .token_gap_us = second / 3};
  World world(plan);
  const auto commits = [&world](const Process& process) {
    return world.run_until([&world, id = process.id()] { return world.newest_committer(0) == id; });
  };
  auto& first = world.start_worker(0);
  EXPECT_TRUE(commits(first)) << seed;
  world.send_request(0);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(0) == 1; })) << seed;
  auto& successor = world.start_worker(1);
  world.coordinator.favour(successor.id());
  EXPECT_TRUE(commits(successor)) << seed;
  first.close(Gate::acks);
  auto& chunks = world.broker.log(Topic::chunks, 0);
  EXPECT_TRUE(world.run_until([&] { return chunks.end() == 4; })) << seed;
  world.crash(first.id(), seed, std::nullopt);
  world.crash(successor.id(), seed, std::nullopt);
  chunks.start = chunks.end();
  world.oracle.chunks_cut(0, chunks.end());

  auto& third = world.start_worker(0);
  EXPECT_TRUE(commits(third)) << seed;
  world.crash(third.id(), seed, std::nullopt);
  auto violation = world.heal_and_finish();
  if (world.oracle.figures().answers_gone > 0) ++met;
  return violation;
}

TEST_F(Directed, AnAnswerThatWasDeletedWhileItsLeaseRanIsNotBoughtAgain) {
  tell(deleted_while_its_lease_ran, histories / 2, router::Bug::runs_again_though_cut);
}

/// A broker takes an answer's terminal chunk and refuses one before it; the worker dies before it hears of either. The
/// answer in the log is cut, so the request runs again, and whoever comes next sees that too.
std::optional<Violation> ended_behind_a_refused_chunk(std::uint64_t seed, int& met) {
  auto plan = empty_plan(seed);
  plan.workers = 1;
  plan.requests.resize(1);
  plan.requests[0] = {.tokens = 3};
  World world(plan);
  auto& first = world.start_worker(0);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(0) == first.id(); })) << seed;
  std::int64_t seen = 0;
  const auto refused = Random(seed).between(0, 2);
  world.refuses = [&](Topic topic, const Entry&) { return topic == Topic::chunks && seen++ == refused; };
  world.send_request(0);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(0) == 1; })) << seed;
  first.close(Gate::acks);
  const auto& chunks = world.broker.log(Topic::chunks, 0);
  EXPECT_TRUE(world.run_until([&] { return chunks.end() == 3; })) << seed;
  if (seen == 4) ++met;
  world.crash(first.id(), seed, std::nullopt);
  world.refuses = nullptr;
  auto violation = world.heal_and_finish();
  EXPECT_TRUE(violation || world.calls_of(0) == 2) << seed;
  return violation;
}

TEST_F(Directed, AnAnswerWithARefusedChunkIsNeverComplete) {
  tell(ended_behind_a_refused_chunk, histories / 2, router::Bug::terminal_is_enough);
}

// --- one partition that takes nothing for minutes -------------------------------------------------------------------

/// Requests of partition 1 are answered within seconds, whatever partition 0 waits for.
std::optional<Violation> served_beside(World& world, std::size_t from, std::size_t count) {
  for (auto i = from; i < from + count; ++i) world.send_request(i);
  const auto served = [&] {
    for (std::size_t i = 0; i < count; ++i) {
      if (!world.oracle.complete(1, static_cast<std::int64_t>(i))) return false;
    }
    return true;
  };
  if (world.run_until(served, Micros(5 * second))) return std::nullopt;
  if (world.oracle.violation()) return world.oracle.violation();
  return Violation{.promise = "ALONE", .text = "a partition that takes nothing holds up another one"};
}

/// One partition's claim is not acknowledged for minutes, and more requests come for it than the window takes.
std::optional<Violation> unclaimed_for_minutes(std::uint64_t seed, int& met) {
  constexpr std::size_t flood = 50;
  constexpr std::size_t others = 10;
  auto plan = empty_plan(seed);
  plan.alone = true;
  plan.workers = 1;
  plan.partitions = 2;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.requests.resize(flood + others);
  for (std::size_t i = 0; i < plan.requests.size(); ++i)
    plan.requests[i] = {.partition = i < flood ? 0 : 1, .key = static_cast<int>(i % 3) - 1, .tokens = 1};
  World world(plan, false, [](router::RouterOptions& options) { options.window_requests_max = 16; });
  world.close_lane(Topic::audit, 0);
  auto& worker = world.start_worker(0);
  EXPECT_TRUE(world.run_until([&] { return world.newest_committer(1) == worker.id(); })) << seed;
  for (std::size_t i = 0; i < flood; ++i) world.send_request(i);
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(180 * second))) << seed;
  if (auto violation = served_beside(world, flood, others)) return violation;
  ++met;
  world.open_lane(Topic::audit, 0);
  auto violation = world.heal_and_finish();
  for (std::size_t i = 0; i < plan.requests.size(); ++i) EXPECT_TRUE(violation || world.calls_of(i) == 1) << seed;
  return violation;
}

TEST_F(Directed, UnclaimedPartitionLeavesTheWindowToOthers) {
  tell(unclaimed_for_minutes, histories - 1, router::Bug::unclaimed_fill_window);
}

/// One partition of llm.audit, or of chat.chunks, acknowledges nothing for minutes, and more requests come for it than
/// there are places.
std::optional<Violation> silent_for_minutes(std::uint64_t seed, int& met) {
  constexpr std::size_t flood = 40;
  constexpr std::size_t others = 10;
  auto plan = empty_plan(seed);
  plan.alone = true;
  plan.workers = 1;
  plan.partitions = 2;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.requests.resize(flood + others);
  for (std::size_t i = 0; i < plan.requests.size(); ++i)
    plan.requests[i] = {.partition = i < flood ? 0 : 1, .tokens = 1};
  World world(plan, false, [](router::RouterOptions& options) {
    options.in_flight_max = 4;
    options.unreported_max = std::chrono::minutes(5);
  });
  auto& worker = world.start_worker(0);
  for (const int partition : {0, 1})
    EXPECT_TRUE(world.run_until([&] { return world.newest_committer(partition) == worker.id(); })) << seed;
  const auto topic = seed % 2 == 0 ? Topic::audit : Topic::chunks;
  world.close_lane(topic, 0);
  for (std::size_t i = 0; i < flood; ++i) world.send_request(i);
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(180 * second))) << seed;
  if (auto violation = served_beside(world, flood, others)) return violation;
  ++met;
  world.open_lane(topic, 0);
  auto violation = world.heal_and_finish();
  for (std::size_t i = 0; i < plan.requests.size(); ++i) EXPECT_TRUE(violation || world.calls_of(i) == 1) << seed;
  return violation;
}

TEST_F(Directed, SilentPartitionLeavesPlacesToOthers) {
  tell(silent_for_minutes, histories - 1, router::Bug::silent_takes_places);
}

/// The dead-letter topic takes nothing for minutes, and more requests come that belong there than the window takes.
/// Then their partition cannot be claimed either.
std::optional<Violation> letters_for_minutes(std::uint64_t seed, int& met) {
  constexpr std::size_t flood = 50;
  constexpr std::size_t others = 5;
  auto plan = empty_plan(seed);
  plan.alone = true;
  plan.workers = 1;
  plan.partitions = 2;
  for (auto& worker : plan.means) worker.fill(1'000);
  plan.requests.resize(flood + 2 * others + 1);
  for (std::size_t i = 0; i < plan.requests.size(); ++i) {
    plan.requests[i] = {
        .kind = i < flood ? RequestKind::garbage : RequestKind::ordinary, .partition = i < flood ? 0 : 1, .tokens = 1};
  }
  constexpr std::size_t slow = flood + 2 * others;
  plan.requests[slow] = {.partition = 0, .tokens = 12, .token_gap_us = second};
  World world(plan, false, [](router::RouterOptions& options) { options.window_requests_max = 16; });
  auto& worker = world.start_worker(0);
  for (const int partition : {0, 1})
    EXPECT_TRUE(world.run_until([&] { return world.newest_committer(partition) == worker.id(); })) << seed;
  world.close_lane(Topic::dlq, 0);
  for (std::size_t i = 0; i < flood; ++i) world.send_request(i);
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(60 * second))) << seed;
  if (auto violation = served_beside(world, flood, others)) return violation;
  world.send_request(slow);
  EXPECT_TRUE(world.run_until([&] { return world.calls_of(slow) == 1; })) << seed;
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(2 * second))) << seed;
  world.close_lane(Topic::audit, 0);
  world.oracle.struck(0);
  Random random(seed);
  worker.producer()->fail_line(Topic::dlq, 0, random);
  worker.producer()->fail_line(Topic::chunks, 0, random);
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(60 * second))) << seed;
  for (std::size_t i = flood + others; i < slow; ++i) world.send_request(i);
  const auto served = [&] { return world.oracle.complete(1, 2 * others - 1); };
  if (!world.run_until(served, Micros(5 * second)))
    return Violation{.promise = "ALONE", .text = "dead letters that wait hold up another partition"};
  ++met;
  world.open_lane(Topic::audit, 0);
  world.open_lane(Topic::dlq, 0);
  return world.heal_and_finish();
}

TEST_F(Directed, DeadLettersThatWaitLeaveTheWindowToOthers) {
  tell(letters_for_minutes, histories - 1, router::Bug::letters_fill_window);
}

// --- topics that are created again ----------------------------------------------------------------------------------

/// Three requests are answered and committed; then a topic is created again, and six more come: each of them is
/// answered, and runs once where the router has looked before.
std::optional<Violation> created_again(std::uint64_t seed, Topic topic, int& met) {
  auto plan = empty_plan(seed);
  plan.alone = true;
  plan.workers = 1;
  plan.duplicate_batch = 0;
  plan.requests.resize(9);
  for (auto& request : plan.requests) request = {.tokens = 2};
  World world(plan);
  world.start_worker(0);
  for (std::size_t i = 0; i < 3; ++i) world.send_request(i);
  EXPECT_TRUE(world.run_until([&] { return world.broker.committed[0].offset == 3; })) << seed;
  EXPECT_FALSE(world.run_until([] { return false; }, Micros(2 * second))) << seed;
  world.replace(topic);
  // In half of the histories the router has looked before the next request comes.
  if (seed % 2 == 0) world.run_until([] { return false; }, Micros(10 * second));
  for (std::size_t i = 3; i < 9; ++i) world.send_request(i);
  auto violation = world.heal_and_finish();
  bool once = true;
  for (std::size_t i = 3; i < 9; ++i) once = once && world.calls_of(i) == 1;
  EXPECT_TRUE(violation || once || seed % 2 == 1) << seed;
  if (once) ++met;
  return violation;
}

std::optional<Violation> requests_created_again(std::uint64_t seed, int& met) {
  return created_again(seed, Topic::requests, met);
}
std::optional<Violation> audit_created_again(std::uint64_t seed, int& met) {
  return created_again(seed, Topic::audit, met);
}

TEST_F(Directed, RequestsCreatedAgainAreAnswered) {
  tell(requests_created_again, histories / 3, router::Bug::believes_old_log);
}

TEST_F(Directed, RequestsAreAnsweredOnceWhenAuditIsCreatedAgain) {
  tell(audit_created_again, histories / 3, router::Bug::believes_old_log);
}

TEST_F(Directed, RequestsAreAnsweredOnceWhenChunksAreCreatedAgain) {
  int met = 0;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    const auto violation = created_again(seed, Topic::chunks, met);
    ASSERT_FALSE(violation) << "seed " << seed << ": " << violation->promise << " " << violation->text;
  }
  EXPECT_GT(met, histories / 3);
}

// --- one call that does not end -------------------------------------------------------------------------------------

class StuckCall : public Directed {
 protected:
  /// A request that is never answered, and as many behind it as were asked for, within an hour.
  void run(std::int64_t behind, std::int64_t span_max) {
    auto plan = empty_plan(1);
    plan.workers = 1;
    plan.partitions = 2;
    plan.commit_interval_ms = 500;
    for (auto& worker : plan.means) worker.fill(200);
    plan.requests.resize(2);
    plan.requests[0].behaviours = {Behaviour::falls_silent};
    plan.requests[0].tokens = 0;
    plan.requests[1].tokens = 0;
    world = std::make_unique<World>(plan, false, [&](router::RouterOptions& options) {
      options.partition_span_max = span_max;
      options.window_requests_max = static_cast<std::size_t>(behind) * 2;
      options.window_bytes_max = std::size_t{8} * 1024 * 1024 * 1024;
      options.first_token_timeout = options.idle_timeout = options.total_timeout = options.request_timeout_default =
          std::chrono::hours(24);
    });
    world->kept = 10'000;
    world->start_worker(0);
    world->send_another(0, "stuck", 0);
    behind_ = behind;
    gap_ = Micros(3'600 * second / behind);
    send();
    ASSERT_TRUE(world->run_until([&] { return sent_ == behind_; }, Micros(4'000 * second)));
    ASSERT_FALSE(world->run_until([] { return false; }, Micros(5 * second)));
  }
  void send() {
    if (sent_ == behind_) return;
    ++sent_;
    world->send_another(0, fmt::format("q{}", sent_), 1);
    if (sent_ % 100 == 0) world->send_another(1, fmt::format("other{}", sent_), 1);
    if (sent_ == behind_ / 2) bytes_at_half = mallinfo2().uordblks;
    world->scheduler.after(gap_, [this] { send(); });
  }
  std::unique_ptr<World> world;
  std::size_t bytes_at_half = 0;

 private:
  std::int64_t behind_ = 0;
  std::int64_t sent_ = 0;
  Micros gap_{0};
};

#ifdef NDEBUG
constexpr std::int64_t completions = 1'000'000;
#else
constexpr std::int64_t completions = 10'000;  // sanitizers; the whole number in an optimised build
#endif

TEST_F(StuckCall, HoldsUpNeitherTheRestNorTheBoundsWithTheSpanRaised) {
  run(completions, completions * 2);
  EXPECT_EQ(world->calls_of(1), completions + completions / 100);
  const auto& committed = world->broker.committed[0];
  EXPECT_EQ(committed.offset, 0);
  EXPECT_LE(committed.metadata.size(), 192);
  EXPECT_TRUE(events::decode_commit_metadata(committed.metadata));
  const auto grown = static_cast<double>(mallinfo2().uordblks) - static_cast<double>(bytes_at_half);
  const auto each = grown / (static_cast<double>(completions) / 2);
  fmt::print("{} completions behind the one that is stuck: metadata '{}', {:.0f} bytes for each\n", completions,
             committed.metadata, each);
  EXPECT_LT(each, 16);
}

TEST_F(StuckCall, StopsItsPartitionAloneAtTheSpan) {
  constexpr std::int64_t span = 2'000;
  run(5'000, span);
  EXPECT_EQ(world->calls_of(1), span - 1 + 5'000 / 100);
  EXPECT_EQ(world->broker.committed[0].offset, 0);
  EXPECT_EQ(world->broker.committed[1].offset, 5'000 / 100);
}

}  // namespace
}  // namespace tokenrail::simulation
