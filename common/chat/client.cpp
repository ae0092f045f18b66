#include "common/chat/client.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "common/chat/places.hpp"
#include "common/events/cancellation.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"

namespace tokenrail::chat {
namespace {

using namespace std::chrono_literals;
using events::AnswerReader;

// What a router says when the time of a request is up is better than our own giving up.
constexpr auto deadline_grace = 2s;
// How soon it is noticed that the topic takes no request.
constexpr auto blocked_look = 250ms;

// Tokens of the producer: the question's id, and which of its two records.
std::uint64_t request_token(Client::Id id) {
  return id * 2;
}
std::uint64_t cancellation_token(Client::Id id) {
  return id * 2 + 1;
}

/// One question until its end.
struct Asked {
  Asked(boost::asio::io_context& loop, Question the_question, Listener& the_listener)
      : question(std::move(the_question)), listener(&the_listener), deadline(loop) {}

  Question question;
  Listener* listener;
  boost::asio::steady_timer deadline;
  std::optional<std::int32_t> partition{};  ///< as soon as it is known; the request was handed to the producer then
  AnswerReader answer{2};
  bool heard = false;  ///< a chunk has come
  bool sent = false;   ///< Kafka has the request
};

class TheClient final : public Client, private kafka::LogReaderListener, private kafka::ProducerListener {
 public:
  TheClient(boost::asio::io_context& loop, const Options& options)
      : loop_(loop),
        topics_(options.topics),
        places_(loop, options.properties, options.topics, options.lookup_time_max),
        blocked_(loop) {}

  Result<void> begin(const Options& options, telemetry::Metrics& metrics) {
    auto reader =
        kafka::LogReader::make(loop_, {.properties = options.properties, .topics = {topics_.chunks}}, *this, metrics);
    if (!reader) return std::unexpected(reader.error());
    reader_ = std::move(*reader);
    auto producer = kafka::Producer::make(loop_, {.properties = options.properties}, *this, metrics);
    if (!producer) return std::unexpected(producer.error());
    producer_ = std::move(*producer);
    return {};
  }

  Id ask(Question question, Listener& listener) override {
    const Id id = next_id_++;
    auto& asked = asked_.try_emplace(id, loop_, std::move(question), listener).first->second;
    asked.deadline.expires_after(asked.question.timeout + deadline_grace);
    asked.deadline.async_wait([this, id](const boost::system::error_code& error) {
      if (!error) end(id, End::timed_out);
    });
    places_.find(asked.question.key, [this, id](Result<Place> place) { placed(id, std::move(place)); });
    return id;
  }

  void cancel(Id id, std::string_view reason) override {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    const auto& asked = found->second;
    if (!asked.partition) {
      later([this, id] { end(id, End::unsent); });
      return;
    }
    const auto& request = asked.question.request;
    const std::string value = events::to_json(events::Cancellation{
        .org_id = request.org_id, .request_id = request.request_id, .reason = std::string(reason)});
    const auto produced = producer_->produce(producer_->topic(topics_.cancellations), kafka::partition_by_key,
                                             request.request_id, value, nullptr, cancellation_token(id));
    if (produced == kafka::Produced::accepted) return;
    later([this, id] {
      if (const auto it = asked_.find(id); it != asked_.end())
        it->second.listener->on_cancellation(false, "the Kafka producer takes nothing");
    });
  }

  void forget(Id id) override {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    const auto partition = found->second.partition;
    asked_.erase(found);
    if (partition) leave(*partition);
  }

  [[nodiscard]] std::size_t asked() const override { return asked_.size(); }
  [[nodiscard]] bool broken() const override { return broken_; }

 private:
  template <class Step>
  void later(Step step) {
    boost::asio::post(loop_, [alive = std::weak_ptr(alive_), step] {
      if (alive.lock()) step();
    });
  }

  void end(Id id, Result<End> end) {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    auto* const listener = found->second.listener;
    forget(id);
    listener->on_end(std::move(end));
  }

  void end_all(const std::vector<Id>& ids, const Error& error) {
    const std::weak_ptr<int> alive = alive_;
    for (const auto id : ids)
      if (!alive.expired()) end(id, std::unexpected(error));
  }

  void placed(Id id, Result<Place> place) {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    if (!place) return end(id, std::unexpected(place.error()));
    auto& asked = found->second;
    asked.partition = place->partition;
    // The reading starts where the log ended before we ask, so nothing of the answer can come too early for it. A
    // partition that is being read already was begun before that.
    if (++readers_[place->partition] == 1)
      reader_->start({{.partition = chunks(place->partition), .offset = place->chunks_end}});
    send(id, asked);
  }

  void send(Id id, const Asked& asked) {
    const std::string value = events::to_json(asked.question.request);
    const auto produced = producer_->produce(producer_->topic(topics_.requests), *asked.partition, asked.question.key,
                                             value, nullptr, request_token(id));
    switch (produced) {
      case kafka::Produced::accepted:
        return watch_topic();
      case kafka::Produced::too_large:
        return end(id, fail(ErrorKind::invalid_input,
                            fmt::format("the request has {} bytes and a record may have {}; raise "
                                        "TOKENRAIL_TOPICS_REQUEST_BYTES_MAX, run 'tokenrail topics apply', and restart "
                                        "the routers with TOKENRAIL_ROUTER_REQUEST_BYTES_MAX raised too",
                                        value.size(), producer_->message_bytes_max())));
      case kafka::Produced::unknown_topic:
        return end(id, fail(ErrorKind::not_found,
                            fmt::format("there is no topic {}; 'tokenrail topics apply' makes it", topics_.requests)));
      case kafka::Produced::queue_full:
      case kafka::Produced::failed:
        return end(id, fail(ErrorKind::unavailable, "the Kafka producer takes nothing"));
    }
  }

  // The producer waits for a topic that takes nothing; a person gets the reason at once.
  void watch_topic() {
    if (std::exchange(watching_, true)) return;
    blocked_.expires_after(blocked_look);
    blocked_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      watching_ = false;
      std::vector<Id> waiting;
      for (const auto& [id, asked] : asked_)
        if (asked.partition && !asked.sent && !asked.heard) waiting.push_back(id);
      if (waiting.empty()) return;
      for (const auto& topic : producer_->blocked())
        if (topic.topic == topics_.requests)
          return end_all(waiting, Error{.kind = ErrorKind::rejected, .detail = topic.cause});
      watch_topic();
    });
  }

  [[nodiscard]] kafka::TopicPartition chunks(std::int32_t partition) const {
    return {.topic = topics_.chunks, .partition = partition};
  }

  void leave(std::int32_t partition) {
    const auto found = readers_.find(partition);
    if (found == readers_.end() || --found->second > 0) return;
    readers_.erase(found);
    reader_->stop({chunks(partition)});
  }

  void on_record(kafka::Record&& record) override {
    if (!record.value) return;
    // Most chunks of a busy partition are of other requests; a look for the id is cheaper than reading them.
    std::vector<Id> named;
    for (const auto& [id, asked] : asked_)
      if (asked.partition == record.partition && record.value->contains(asked.question.request.request_id))
        named.push_back(id);
    if (named.empty()) return;
    const auto chunk = events::parse_chunk(*record.value);
    if (!chunk) return;
    const std::weak_ptr<int> alive = alive_;
    for (const auto id : named)
      if (!alive.expired()) take(id, *chunk, *record.value);
  }

  void take(Id id, const events::Chunk& chunk, std::string_view raw) {
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    auto& asked = found->second;
    const auto& request = asked.question.request;
    if (chunk.org_id != request.org_id || chunk.request_id != request.request_id) return;
    const auto step = asked.answer.apply(chunk);
    if (step == AnswerReader::Step::ignored) return;
    asked.heard = true;
    if (step == AnswerReader::Step::gap) {
      return end(id, fail(ErrorKind::rejected,
                          fmt::format("chunks of the answer are missing before seq {} of attempt {}; ask again",
                                      chunk.seq, chunk.attempt)));
    }
    const bool finished = asked.answer.find(chunk.org_id, chunk.request_id)->finished;
    const std::weak_ptr<int> alive = alive_;
    asked.listener->on_chunk(step, chunk, raw);
    if (finished && !alive.expired()) end(id, End::answered);
  }

  void on_end(const kafka::TopicPartition&, std::int64_t) override {}
  void on_failure(const kafka::TopicPartition& partition, const Error& error) override {
    std::vector<Id> there;
    for (const auto& [id, asked] : asked_)
      if (asked.partition == partition.partition) there.push_back(id);
    end_all(there, error);
  }

  void on_report(const kafka::Report& report) override {
    const Id id = report.token / 2;
    const auto found = asked_.find(id);
    if (found == asked_.end()) return;
    auto* const listener = found->second.listener;
    if (report.token == cancellation_token(id)) return listener->on_cancellation(report.ok, report.detail);
    if (!report.ok)
      return end(id, fail(ErrorKind::unavailable, fmt::format("Kafka did not take the request: {}", report.detail)));
    found->second.sent = true;
    listener->on_sent();
  }
  void on_space() override {}
  void on_fatal(const Error& error) override {
    broken_ = true;
    std::vector<Id> all;
    for (const auto& [id, asked] : asked_) all.push_back(id);
    end_all(all, error);
  }

  boost::asio::io_context& loop_;
  topics::Names topics_;
  std::map<Id, Asked> asked_{};
  std::map<std::int32_t, int> readers_{};  ///< questions that read a partition
  Id next_id_ = 1;
  bool watching_ = false;
  bool broken_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  Places places_;
  boost::asio::steady_timer blocked_;
  std::unique_ptr<kafka::LogReader> reader_{};
  std::unique_ptr<kafka::Producer> producer_{};
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(boost::asio::io_context& loop, const Options& options,
                                             telemetry::Metrics& metrics) {
  auto client = std::make_unique<TheClient>(loop, options);
  if (auto begun = client->begin(options, metrics); !begun) return std::unexpected(begun.error());
  return client;
}

}  // namespace tokenrail::chat
