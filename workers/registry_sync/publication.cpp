#include "workers/registry_sync/publication.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto retry_after = 2s;
constexpr auto describe_time_max = 5s;
constexpr auto read_time_max = 15s;
constexpr auto publish_time_max = 30s;
constexpr auto watch_every = 5s;
constexpr std::int64_t relay_batch = 500;
constexpr std::string_view kept_words = "it is compared with the database, and gets what it lacks";
constexpr std::string_view history_words = "the history before is lost, and what comes is written to it";

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Blocking.
Result<std::shared_ptr<kafka::Admin>> connect(const kafka::Properties& properties) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  return std::shared_ptr<kafka::Admin>(std::move(*admin));
}

/// Blocking. Error not_found: names the topics that are not there.
Result<void> look_for(const kafka::Properties& properties, const std::vector<std::string>& topics) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  const auto there = (*admin)->describe(topics, false, describe_time_max);
  if (!there) return std::unexpected(there.error());
  std::vector<std::string> missing;
  for (const auto& name : topics)
    if (std::ranges::find(*there, name, &kafka::TopicDescription::name) == there->end()) missing.push_back(name);
  if (missing.empty()) return {};
  return fail(ErrorKind::not_found,
              fmt::format("The topic{} {} {} not exist. Run `tokenrail topics apply`.", missing.size() == 1 ? "" : "s",
                          fmt::join(missing, " and "), missing.size() == 1 ? "does" : "do"));
}

std::vector<Destination> destinations_of(Part part) {
  if (part == Part::credentials) return {Destination::credentials};
  return {Destination::state, Destination::events};
}

CompactedTopic::Name compacted(const PublicationOptions& options) {
  const auto kind = options.part == Part::credentials ? Destination::credentials : Destination::state;
  return {.kind = kind, .topic = topic_of(options.topics, kind)};
}

}  // namespace

Publication::Publication(boost::asio::io_context& loop, const kafka::Properties& properties, PublicationOptions options,
                         registry::StorePool& stores, telemetry::Metrics& metrics)
    : properties_(properties),
      options_(std::move(options)),
      stores_(stores),
      metrics_(metrics),
      publisher_(loop, properties, options_.topics, destinations_of(options_.part), metrics),
      kept_{.topic = CompactedTopic(loop, properties, compacted(options_), metrics)},
      comparisons_(options_.reconcile_interval) {}

Result<void> Publication::check_properties() {
  if (auto ready = publisher_.prepare(); !ready) return ready;
  return kept_.topic.check();
}

void Publication::begin() {
  stopping_ = topics_there_ = versions_known_ = false;
  due_ = watch_due_ = {};
  comparisons_.reset();
  publisher_.begin();
  kept_.foreign_end.reset();
  kept_.whole = false;
  kept_.topic.begin();
}

void Publication::stop() {
  stopping_ = true;
  publisher_.stop();
  kept_.topic.stop();
}

void Publication::note(const Error& error) {
  if (problem_ != error.detail) spdlog::error("{}", error.detail);
  problem_ = error.detail;
  due_ = Clock::now() + retry_after;
}

boost::asio::awaitable<bool> Publication::topics_there() {
  if (topics_there_) co_return true;
  std::vector<std::string> topics;
  for (const auto to : destinations_of(options_.part)) topics.push_back(topic_of(options_.topics, to));
  const auto found =
      co_await stores_.run_plain([properties = properties_, topics] { return look_for(properties, topics); });
  if (!found) note(found.error());
  topics_there_ = found.has_value();
  co_return topics_there_ && !stopping_;
}

boost::asio::awaitable<Result<void>> Publication::prepare() {
  if (versions_known_ || Clock::now() < due_ || !co_await topics_there()) co_return Result<void>{};
  const auto topic = co_await kept_.topic.read(read_time_max);
  if (!topic) {
    topics_there_ = false;
    note(topic.error());
    co_return Result<void>{};
  }
  const auto highest = topic->content.highest_version();
  const auto raised = co_await stores_.run([highest](registry::Store& store) { return store.raise_version(highest); });
  if (!raised) co_return raised;
  if (const auto ready = publisher_.prepare(); !ready) {
    note(ready.error());
    co_return Result<void>{};
  }
  versions_known_ = true;
  problem_.clear();
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Publication::publish(bool complete) {
  const auto prepared = co_await prepare();
  if (!prepared || !versions_known_) co_return prepared;
  if (Clock::now() < due_ || !co_await topics_there()) co_return Result<void>{};
  const auto relayed = co_await relay();
  if (!relayed) co_return std::unexpected(relayed.error());
  if (!*relayed || stopping_ || (!comparisons_.whole() && !complete)) co_return Result<void>{};
  if (!comparisons_.due(Clock::now()) && !co_await topic_moved()) co_return Result<void>{};
  const auto number = comparisons_.begin();
  const auto done = co_await reconcile_topic();
  if (!done) co_return std::unexpected(done.error());
  if (!*done) co_return Result<void>{};
  problem_.clear();
  comparisons_.succeeded(number, Clock::now());
  watch_due_ = Clock::now() + watch_every;
  co_return Result<void>{};
}

boost::asio::awaitable<bool> Publication::topic_moved() {
  if (Clock::now() < watch_due_) co_return false;
  watch_due_ = Clock::now() + watch_every;
  if (!admin_) {
    const auto made = co_await stores_.run_plain([properties = properties_] { return connect(properties); });
    if (!made) co_return false;
    admin_ = *made;
  }
  const auto name = kept_.topic.name();
  const auto ends = co_await stores_.run_plain([admin = admin_, topic = name.topic] {
    return admin->watermarks({.topic = topic, .partition = 0}, describe_time_max);
  });
  if (!ends) {
    // Brokers that do not answer are noticed by what is published; a topic that is gone is not, while nothing is.
    spdlog::debug("where {} ends is not known: {}", name.topic, ends.error().detail);
    topics_there_ = false;
    admin_.reset();
    co_return false;
  }
  note_end({.topic = name.topic, .partition = 0}, ends->next, kept_words);
  co_await look_at_history();
  co_return kept_.foreign_end != ends->next - publisher_.acknowledged(name.kind);
}

boost::asio::awaitable<void> Publication::look_at_history() {
  if (options_.part != Part::registry || !admin_) co_return;
  const auto topic = topic_of(options_.topics, Destination::events);
  std::vector<kafka::Admin::PlaceQuestion> questions;
  for (std::int32_t number = 0; number < history_partitions_; ++number)
    questions.push_back({.partition = {.topic = topic, .partition = number}});
  const auto survey =
      co_await stores_.run_plain([admin = admin_, questions] { return admin->survey(questions, describe_time_max); });
  if (!survey) co_return;
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (const auto& places = survey->places[i]) note_end(questions[i].partition, places->next, history_words);
  if (const auto found = survey->partitions.find(topic); found != survey->partitions.end() && found->second > 0) {
    if (found->second > history_partitions_) spdlog::info("{} has {} partitions now", topic, found->second);
    history_partitions_ = found->second;
  }
}

void Publication::note_end(const kafka::TopicPartition& partition, std::int64_t next, std::string_view what_now) {
  auto& known = ends_[partition];
  if (next < known)
    spdlog::warn("{} is another topic than was written before: it was created again, or its log went back; {}",
                 partition.topic, what_now);
  known = next;
}

boost::asio::awaitable<bool> Publication::send(std::vector<Outgoing> records) {
  if (!options_.leads()) co_return false;
  const auto published = co_await publisher_.publish(std::move(records), publish_time_max);
  if (published) {
    problem_.clear();
    co_return true;
  }
  topics_there_ = false;
  if (!stopping_) note(published.error());
  co_return false;
}

boost::asio::awaitable<Result<bool>> Publication::relay() {
  using OutboxPart = registry::Store::OutboxPart;
  const auto part = options_.part == Part::credentials ? OutboxPart::credentials : OutboxPart::registry;
  while (!stopping_ && options_.leads()) {
    const auto rows =
        co_await stores_.run([part](registry::Store& store) { return store.unpublished(relay_batch, part); });
    if (!rows) co_return std::unexpected(rows.error());
    if (rows->empty()) {
      if (comparisons_.whole()) problem_.clear();
      co_return true;
    }
    std::vector<Outgoing> records;
    std::vector<std::int64_t> seqs;
    for (const auto& row : *rows) {
      seqs.push_back(row.seq);
      for (auto& record : records_of(row)) records.push_back(std::move(record));
    }
    const bool sent = co_await send(std::move(records));
    if (!sent) co_return false;
    const auto marked = co_await stores_.run([seqs](registry::Store& store) { return store.mark_published(seqs); });
    if (!marked) co_return std::unexpected(marked.error());
    spdlog::debug("published {} events", seqs.size());
  }
  co_return false;
}

boost::asio::awaitable<Result<bool>> Publication::reconcile_topic() {
  const auto name = kept_.topic.name();
  const auto published_before = publisher_.acknowledged(name.kind);
  const auto topic = co_await kept_.topic.read(read_time_max);
  if (stopping_) co_return false;
  if (!topic) {
    topics_there_ = false;
    note(topic.error());
    co_return false;
  }
  kept_.foreign_end = topic->end - published_before;
  note_end({.topic = name.topic, .partition = 0}, topic->end, kept_words);
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
  if (todo.mark) records.push_back(mark_record(*states, now_ms()));
  if (!records.empty()) {
    const bool sent = co_await send(std::move(records));
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
