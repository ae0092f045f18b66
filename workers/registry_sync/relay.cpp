#include "workers/registry_sync/relay.hpp"

#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "workers/registry_sync/retry.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto describe_time_max = 5s;
constexpr auto publish_time_max = 30s;
constexpr std::int64_t relay_batch = 500;

/// Blocking.
Result<std::shared_ptr<kafka::Admin>> connect(const kafka::Properties& properties) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  return std::shared_ptr<kafka::Admin>(std::move(*admin));
}

/// Blocking. Error not_found: the topic is not there.
Result<void> look_for(const kafka::Properties& properties, const std::string& topic) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  const auto there = (*admin)->describe({topic}, false, describe_time_max);
  if (!there) return std::unexpected(there.error());
  if (there->empty()) return std::unexpected(missing_topic(topic));
  return {};
}

/// The rows whose records are settled, but for those behind another one of their key that is not: the next try would
/// write that one behind them.
std::vector<std::int64_t> settled_in_order(const std::vector<registry::OutboxRecord>& rows,
                                           const std::vector<std::optional<std::size_t>>& record_of,
                                           const Publisher& publisher) {
  std::vector<std::int64_t> settled;
  std::set<std::string_view> waiting;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (record_of[i] && !publisher.settled(*record_of[i])) waiting.insert(rows[i].key);
    if (!waiting.contains(rows[i].key)) settled.push_back(rows[i].seq);
  }
  return settled;
}

}  // namespace

registry::Store::OutboxPart outbox_part(Destination to) {
  using OutboxPart = registry::Store::OutboxPart;
  if (to == Destination::credentials) return OutboxPart::credentials;
  return to == Destination::state ? OutboxPart::state : OutboxPart::history;
}

Relay::Relay(boost::asio::io_context& loop, const kafka::Properties& properties, RelayOptions options,
             registry::StorePool& stores, telemetry::Metrics& metrics)
    : properties_(properties),
      options_(std::move(options)),
      topic_(topic_of(options_.topics, options_.to)),
      stores_(stores),
      publisher_(loop, properties, {.to = options_.to, .topic = topic_}, metrics) {}

void Relay::begin() {
  stopping_ = topic_there_ = false;
  due_ = {};
  publisher_.begin();
}

void Relay::stop() {
  stopping_ = true;
  publisher_.stop();
}

void Relay::note(const Error& error) {
  if (problem_ != error.detail) spdlog::error("{}", error.detail);
  problem_ = error.detail;
  due_ = Clock::now() + retry_after;
}

void Relay::doubt_topic() {
  topic_there_ = false;
  admin_.reset();
}

boost::asio::awaitable<bool> Relay::ready() {
  if (Clock::now() < due_) co_return false;
  if (topic_there_) co_return true;
  const auto found =
      co_await stores_.run_plain([properties = properties_, topic = topic_] { return look_for(properties, topic); });
  if (!found) note(found.error());
  topic_there_ = found.has_value();
  co_return topic_there_ && !stopping_;
}

boost::asio::awaitable<std::shared_ptr<kafka::Admin>> Relay::admin() {
  if (!admin_) {
    auto made = co_await stores_.run_plain([properties = properties_] { return connect(properties); });
    if (made) admin_ = std::move(*made);
  }
  co_return admin_;
}

boost::asio::awaitable<bool> Relay::send(std::vector<Outgoing> records) {
  if (!options_.leads()) co_return false;
  co_return co_await publish(std::move(records));
}

boost::asio::awaitable<bool> Relay::publish(std::vector<Outgoing> records) {
  const auto published = co_await publisher_.publish(std::move(records), publish_time_max);
  if (published) {
    problem_.clear();
    co_return true;
  }
  topic_there_ = false;
  if (!stopping_) note(published.error());
  co_return false;
}

boost::asio::awaitable<Result<bool>> Relay::outbox() {
  const auto part = outbox_part(options_.to);
  while (!stopping_ && options_.leads()) {
    const auto rows =
        co_await stores_.run([part](registry::Store& store) { return store.unpublished(relay_batch, part); });
    if (!rows) co_return std::unexpected(rows.error());
    if (rows->empty()) co_return true;
    std::vector<Outgoing> records;
    std::vector<std::optional<std::size_t>> record_of(rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
      for (auto& record : records_of((*rows)[i])) {
        if (record.to != options_.to) continue;
        record_of[i] = records.size();
        records.push_back(std::move(record));
      }
    }
    if (stopping_ || !options_.leads()) co_return false;
    bool sent = true;
    if (!records.empty()) sent = co_await publish(std::move(records));
    const auto seqs = settled_in_order(*rows, record_of, publisher_);
    const auto marked =
        co_await stores_.run([seqs, part](registry::Store& store) { return store.mark_published(seqs, part); });
    if (!marked) co_return std::unexpected(marked.error());
    spdlog::debug("{} has {} more events", topic_, seqs.size());
    if (!sent) co_return false;
  }
  co_return false;
}

}  // namespace tokenrail::registry_sync
