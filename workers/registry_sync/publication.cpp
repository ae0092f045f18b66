#include "workers/registry_sync/publication.hpp"

#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto describe_time_max = 5s;
constexpr auto read_time_max = 15s;
constexpr auto watch_every = 5s;
constexpr std::string_view what_now = "it is compared with the database, and gets what it lacks";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Publication::Publication(boost::asio::io_context& loop, const kafka::Properties& properties,
                         const RelayOptions& options, std::chrono::milliseconds reconcile_interval,
                         registry::StorePool& stores, telemetry::Metrics& metrics)
    : stores_(stores),
      metrics_(metrics),
      relay_(loop, properties, options, stores, metrics),
      kept_{.topic = CompactedTopic(loop, properties, {.kind = options.to, .topic = relay_.topic()}, metrics)},
      comparisons_(reconcile_interval) {}

Result<void> Publication::check_properties() {
  if (auto ready = relay_.make_producer(); !ready) return ready;
  return kept_.topic.check();
}

void Publication::begin() {
  stopping_ = versions_known_ = false;
  watch_due_ = {};
  comparisons_.reset();
  relay_.begin();
  kept_.foreign_end.reset();
  kept_.whole = false;
  kept_.topic.begin();
}

void Publication::stop() {
  stopping_ = true;
  relay_.stop();
  kept_.topic.stop();
}

void Publication::note_read_failure(const Error& error) {
  relay_.doubt_topic();
  relay_.note(error);
}

boost::asio::awaitable<Result<void>> Publication::prepare() {
  if (versions_known_ || !co_await relay_.ready()) co_return Result<void>{};
  const auto topic = co_await kept_.topic.read(read_time_max);
  if (!topic) {
    note_read_failure(topic.error());
    co_return Result<void>{};
  }
  const auto highest = topic->content.highest_version();
  const auto raised = co_await stores_.run([highest](registry::Store& store) { return store.raise_version(highest); });
  if (!raised) co_return raised;
  if (const auto ready = relay_.make_producer(); !ready) {
    relay_.note(ready.error());
    co_return Result<void>{};
  }
  versions_known_ = true;
  relay_.note_well();
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Publication::publish(bool complete) {
  const auto prepared = co_await prepare();
  if (!prepared || !versions_known_ || !co_await relay_.ready()) co_return prepared;
  const auto relayed = co_await relay_.outbox();
  if (!relayed) co_return std::unexpected(relayed.error());
  if (!*relayed || stopping_) co_return Result<void>{};
  if (comparisons_.whole()) relay_.note_well();
  if (!comparisons_.whole() && !complete) co_return Result<void>{};
  if (!comparisons_.due(Clock::now()) && !co_await topic_moved()) co_return Result<void>{};
  const auto number = comparisons_.begin();
  const auto done = co_await reconcile_topic();
  if (!done) co_return std::unexpected(done.error());
  if (!*done) co_return Result<void>{};
  relay_.note_well();
  comparisons_.succeeded(number, Clock::now());
  watch_due_ = Clock::now() + watch_every;
  co_return Result<void>{};
}

boost::asio::awaitable<bool> Publication::topic_moved() {
  if (Clock::now() < watch_due_) co_return false;
  watch_due_ = Clock::now() + watch_every;
  const auto admin = co_await relay_.admin();
  if (!admin) co_return false;
  const kafka::TopicPartition partition{.topic = relay_.topic(), .partition = 0};
  const auto ends =
      co_await stores_.run_plain([admin, partition] { return admin->watermarks(partition, describe_time_max); });
  if (!ends) {
    // Brokers that do not answer are noticed by what is published; a topic that is gone is not, while nothing is.
    spdlog::debug("where {} ends is not known: {}", partition.topic, ends.error().detail);
    relay_.doubt_topic();
    co_return false;
  }
  ends_.note(partition, ends->next, what_now);
  co_return kept_.foreign_end != ends->next - relay_.acknowledged();
}

boost::asio::awaitable<Result<bool>> Publication::reconcile_topic() {
  const auto name = kept_.topic.name();
  const auto published_before = relay_.acknowledged();
  const auto topic = co_await kept_.topic.read(read_time_max);
  if (stopping_) co_return false;
  if (!topic) {
    note_read_failure(topic.error());
    co_return false;
  }
  kept_.foreign_end = topic->end - published_before;
  ends_.note({.topic = name.topic, .partition = 0}, topic->end, what_now);
  const bool of_state = name.kind == Destination::state;
  const auto states = co_await stores_.run(
      [of_state](registry::Store& store) { return of_state ? store.whole_state() : store.whole_credentials(); });
  if (!states) co_return std::unexpected(states.error());
  auto todo = reconcile(topic->content, *states, now_ms());
  if (!todo.behind.empty()) {
    const auto highest = topic->content.highest_version();
    spdlog::warn(
        "{}: readers have newer versions of {} records than the database, which was restored or created again; "
        "publishing these records again",
        name.topic, todo.behind.size());
    const auto again = co_await stores_.run([highest, names = todo.behind](registry::Store& store) -> Result<void> {
      if (auto raised = store.raise_version(highest); !raised) return raised;
      return store.tell_anew(names);
    });
    comparisons_.ask();
    if (!again) co_return std::unexpected(again.error());
    co_return false;  // relayed at the next turn, then looked at again
  }
  if (states->empty() && !topic->content.records().empty()) {
    spdlog::warn("the database holds none of the {} records on {}: nothing is taken from the topic",
                 topic->content.records().size(), name.topic);
  }
  auto records = std::move(todo.records);
  if (todo.mark) records.push_back(mark_record(kept_.topic.name().kind, *states, now_ms()));
  if (!records.empty()) {
    const bool sent = co_await relay_.send(std::move(records));
    if (!sent) co_return false;
  }
  count_repairs(todo, states->size());
  kept_.whole = true;
  co_return true;
}

void Publication::count_repairs(const Reconciliation& done, std::size_t records) {
  const auto& topic = kept_.topic.name().topic;
  const auto count = [&](const char* reason, std::int64_t n) {
    if (n <= 0) return;
    metrics_.counter(metric_family("registry_state_repairs_total"), {reason, topic}).add(static_cast<std::uint64_t>(n));
  };
  count("missing", done.missing);
  count("older", done.older);
  count("unreadable", done.unreadable);
  count("unknown", done.unknown);
  count("mark", done.mark ? 1 : 0);
  const auto words = words_of(done);
  if (!kept_.whole) {
    spdlog::info("{} is published whole: {} records, brought up to date: {}", topic, records,
                 words.empty() ? "nothing" : words);
  } else if (!words.empty()) {
    spdlog::warn("{} did not say what the database says, and was repaired: {}", topic, words);
  }
}

}  // namespace tokenrail::registry_sync
