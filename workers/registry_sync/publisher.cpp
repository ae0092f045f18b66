#include "workers/registry_sync/publisher.hpp"

#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/kafka/endings.hpp"
#include "common/kafka/log_reader.hpp"
#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::chrono::milliseconds look{500};
constexpr std::chrono::milliseconds ending_look{20};

/// What comes back in a report: the batch, and the record's index in it.
struct Token {
  std::uint64_t batch = 0;
  std::size_t index = 0;

  static constexpr unsigned batch_shift = 32;
  [[nodiscard]] std::uint64_t packed() const { return batch << batch_shift | index; }
  static Token unpacked(std::uint64_t token) {
    return {.batch = token >> batch_shift, .index = token & ((std::uint64_t{1} << batch_shift) - 1)};
  }
};

}  // namespace

Error missing_topic(const std::string& topic) {
  return {.kind = ErrorKind::not_found,
          .detail = fmt::format("The topic {} does not exist. Run `tokenrail topics apply`.", topic)};
}

Publisher::Publisher(boost::asio::io_context& loop, kafka::Properties properties, PublishedTopic topic,
                     telemetry::Metrics& metrics)
    : loop_(loop),
      properties_(std::move(properties)),
      topic_(std::move(topic)),
      metrics_(metrics),
      published_(metrics.counter(metric_family("registry_records_published_total"), {topic_.topic})),
      too_large_(metrics.counter(metric_family("registry_records_too_large_total"))),
      refused_(metrics.counter(metric_family("registry_records_refused_total"))),
      changed_(loop, loop_step_name) {}

Publisher::~Publisher() = default;

Result<void> Publisher::ensure_producer() {
  if (producer_) return {};
  auto made = kafka::Producer::make(loop_, {.properties = properties_}, *this, metrics_);
  if (!made) return std::unexpected(made.error());
  producer_ = std::move(*made);
  handle_ = producer_->topic(topic_.topic);
  return {};
}

boost::asio::awaitable<Result<void>> Publisher::hand_over(const std::vector<Outgoing>* records,
                                                          std::chrono::steady_clock::time_point deadline) {
  // The compacted topics have one partition, so that each reader reads one order.
  const auto partition = topic_.to == Destination::events ? kafka::partition_by_key : 0;
  for (std::size_t index = 0; index < records->size(); ++index) {
    const auto& record = (*records)[index];
    for (;;) {
      const auto produced = producer_->produce(
          handle_, partition, record.key, record.value ? std::optional<std::string_view>(*record.value) : std::nullopt,
          &record.headers, Token{.batch = batch_, .index = index}.packed());
      if (produced == kafka::Produced::accepted) {
        ++waiting_for_;
        break;
      }
      if (produced == kafka::Produced::too_large) {
        too_large_.add();
        settled_[index] = true;
        spdlog::error("{} is larger than a record may be and was left out", record.key);
        break;
      }
      if (produced == kafka::Produced::unknown_topic) co_return std::unexpected(missing_topic(topic_.topic));
      if (produced == kafka::Produced::failed || !failure_.empty() || stopped_ ||
          std::chrono::steady_clock::now() >= deadline)
        co_return fail(ErrorKind::unavailable, failure_.empty() ? "Kafka takes no records" : failure_);
      co_await changed_.wait(look);
    }
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Publisher::publish(std::vector<Outgoing> records,
                                                        std::chrono::milliseconds time_max) {
  settled_.assign(records.size(), false);
  if (auto made = ensure_producer(); !made) co_return std::unexpected(made.error());
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  ++batch_;
  waiting_for_ = 0;
  failure_.clear();
  being_published_ = &records;
  auto result = co_await hand_over(&records, deadline);
  while (result && waiting_for_ > 0 && failure_.empty() && !stopped_ && std::chrono::steady_clock::now() < deadline) {
    co_await changed_.wait(look);
    if (failure_.empty()) failure_ = blocked();
  }
  being_published_ = nullptr;
  if (result && waiting_for_ == 0 && failure_.empty()) co_return Result<void>{};
  if (result) {
    result = fail(ErrorKind::unavailable,
                  failure_.empty() ? "Kafka has not acknowledged the registry's records in time" : failure_);
  }
  // A later batch must not overtake what is still on its way here.
  producer_.reset();
  while (kafka::clients_ending() > 0) co_await changed_.wait(ending_look);
  co_return result;
}

void Publisher::on_report(const kafka::Report& report) {
  const auto token = Token::unpacked(report.token);
  if (report.ok) {
    ++acknowledged_;
    published_.add();
  }
  if (token.batch != batch_ || being_published_ == nullptr) return;
  if (report.ok || report.refused == kafka::Refusal::record) settled_[token.index] = true;
  if (report.refused == kafka::Refusal::record) {
    // It would be refused again, and all others would wait behind it for ever.
    refused_.add();
    spdlog::error("{} was refused for good and was left out: {}", (*being_published_)[token.index].key, report.detail);
  } else if (!report.ok && failure_.empty()) {
    failure_ = fmt::format("Kafka did not take a record: {}", report.detail);
  }
  if (waiting_for_ > 0) --waiting_for_;
  if (waiting_for_ == 0 || !report.ok) changed_.wake();
}

void Publisher::on_fatal(const Error& error) {
  failure_ = error.detail;
  changed_.wake();
}

std::string Publisher::blocked() const {
  if (!producer_) return {};
  const auto all = producer_->blocked();
  return all.empty() ? std::string() : all.front().cause;
}

std::string Publisher::problem() const {
  if (producer_ && !producer_->connected()) return "the brokers do not answer";
  return {};
}

void Publisher::stop() {
  stopped_ = true;
  changed_.wake();
}

// ---- reading -----------------------------------------------------------------------------------------------------

namespace {

class Reading final : public kafka::LogReaderListener {
 public:
  Reading(boost::asio::io_context& loop, Destination kind)
      : read{.content = TopicContent(kind)}, changed(loop, loop_step_name) {}
  void on_record(kafka::Record&& record) override {
    if (!record.key) return;
    const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
    read.content.apply(*record.key, value);
  }
  void on_end(const kafka::TopicPartition&, std::int64_t next_offset) override {
    done = true;
    read.end = next_offset;
    changed.wake();
  }
  void on_failure(const kafka::TopicPartition& partition, const Error& error) override {
    failure = Error{.kind = error.kind,
                    .detail = fmt::format("The topic {} cannot be read: {}. Run `tokenrail topics apply`.",
                                          partition.topic, error.detail)};
    changed.wake();
  }

  CompactedTopic::Read read;
  async::WakeableTimer changed;
  bool done = false;
  std::optional<Error> failure;
};

}  // namespace

Result<void> CompactedTopic::check() const {
  Reading reading(loop_, name_.kind);
  const auto reader = kafka::LogReader::make(loop_, {.properties = properties_, .topics = {}}, reading, metrics_);
  if (!reader) return std::unexpected(reader.error());
  return {};
}

boost::asio::awaitable<Result<CompactedTopic::Read>> CompactedTopic::read(std::chrono::milliseconds time_max) {
  Reading reading(loop_, name_.kind);
  auto reader = kafka::LogReader::make(loop_, {.properties = properties_, .topics = {name_.topic}}, reading, metrics_);
  if (!reader) co_return std::unexpected(reader.error());
  (*reader)->start({{.partition = {.topic = name_.topic, .partition = 0}, .offset = kafka::offset_beginning}});
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  while (!reading.done && !reading.failure && !stopped_ && std::chrono::steady_clock::now() < deadline)
    co_await reading.changed.wait(look);
  reader->reset();
  if (reading.failure) co_return std::unexpected(*reading.failure);
  if (!reading.done)
    co_return fail(ErrorKind::timed_out,
                   fmt::format("Kafka does not answer: {} could not be read to its end", name_.topic));
  co_return std::move(reading.read);
}

}  // namespace tokenrail::registry_sync
