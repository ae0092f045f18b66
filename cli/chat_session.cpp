#include "cli/chat_session.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "cli/topics.hpp"
#include "common/events/cancellation.hpp"
#include "common/kafka/admin.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::uint64_t request_token = 1;
constexpr std::uint64_t cancellation_token = 2;
// A router ends the request itself when its time is up; what it says then is better than our own giving up.
constexpr auto deadline_grace = 2s;
constexpr auto silence_noted_after = 10s;
constexpr auto blocked_look = 250ms;
// How long a cancelled answer may take to say so before we leave.
constexpr auto cancellation_wait = 2s;
// How soon it is noticed, while no chunk comes, that nobody reads the answer any more.
constexpr auto reader_look_again = 200ms;

/// The partition of both logs that this conversation lives in, and where the chunks' log ends before we ask.
struct Place {
  std::int32_t partition = 0;
  std::int64_t chunks_end = 0;
};

Result<Place> find_place(const kafka::Properties& properties, const ChatTopics& topics, const std::string& key) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  const auto described = (*admin)->describe({topics.requests, topics.chunks}, false, 10s);
  if (!described) return std::unexpected(described.error());
  const auto partitions = [&](const std::string& name) {
    const auto it = std::ranges::find(*described, name, &kafka::TopicDescription::name);
    return it == described->end() ? 0 : it->partitions;
  };
  for (const auto& name : {topics.requests, topics.chunks})
    if (partitions(name) == 0)
      return fail(ErrorKind::not_found, fmt::format("there is no topic {}; 'tokenrail topics apply' makes it", name));

  Place place{.partition = partition_of(key, partitions(topics.requests))};
  if (place.partition >= partitions(topics.chunks))
    return fail(ErrorKind::rejected,
                fmt::format("{} has {} partitions and {} only {}, so nobody would answer; 'tokenrail topics apply' "
                            "adds the missing ones",
                            topics.requests, partitions(topics.requests), topics.chunks, partitions(topics.chunks)));
  const auto ends = (*admin)->watermarks({.topic = topics.chunks, .partition = place.partition}, 10s);
  if (!ends) return std::unexpected(ends.error());
  place.chunks_end = ends->next;
  return place;
}

class Session final : public kafka::LogReaderListener, public kafka::ProducerListener {
 public:
  Session(const ChatTopics& topics, const ChatCall& call, const ChatHooks& hooks)
      : topics_(topics), call_(call), hooks_(hooks) {}

  Result<ChatEnd> run(const kafka::Properties& properties, const Place& place) {
    telemetry::Metrics metrics;
    auto reader = kafka::LogReader::make(loop_, {.properties = properties, .topics = {topics_.chunks}}, *this, metrics);
    if (!reader) return std::unexpected(reader.error());
    // The reading starts where the log ended before we asked, so nothing of the answer can come too early for it.
    (*reader)->start(
        {{.partition = {.topic = topics_.chunks, .partition = place.partition}, .offset = place.chunks_end}});

    auto producer = kafka::Producer::make(loop_, {.properties = properties}, *this, metrics);
    if (!producer) return std::unexpected(producer.error());
    producer_ = producer->get();
    send_request(place.partition);
    watch_clocks();
    watch_signals();
    watch_reader();
    watch_topic();
    loop_.run();
    producer_ = nullptr;
    return end_.value_or(Result<ChatEnd>(ChatEnd::interrupted));
  }

  void on_record(kafka::Record&& record) override {
    if (end_ || !record.value) return;
    // Most chunks of a busy partition are of other requests; a look for the id is cheaper than reading them.
    if (record.value->find(call_.request.request_id) == std::string::npos) return;
    const auto chunk = events::parse_chunk(*record.value);
    if (!chunk || chunk->org_id != call_.request.org_id || chunk->request_id != call_.request.request_id) return;
    const auto step = answers_.apply(*chunk);
    if (step == AnswerReader::Step::ignored) return;
    heard_ = true;
    if (step == AnswerReader::Step::gap) {
      finish(fail(ErrorKind::rejected, fmt::format("chunks of the answer are missing before seq {} of attempt {}; ask "
                                                   "again",
                                                   chunk->seq, chunk->attempt)));
      return;
    }
    hooks_.on_chunk(step, *chunk, *record.value);
    if (answers_.find(chunk->org_id, chunk->request_id)->finished)
      return finish(signals_seen_ > 0 ? ChatEnd::interrupted : ChatEnd::answered);
    look_for_reader();
  }
  void on_end(const kafka::TopicPartition&, std::int64_t) override {}
  void on_failure(const kafka::TopicPartition&, const Error& error) override { finish(std::unexpected(error)); }

  void on_report(const kafka::Report& report) override {
    if (report.token == cancellation_token) {
      cancelled_ = report.ok;
      if (!report.ok) hooks_.on_note(fmt::format("the cancellation did not reach Kafka: {}", report.detail));
      if (signals_seen_ > 1 || unread_) leave();
    } else if (!report.ok) {
      finish(fail(ErrorKind::unavailable, fmt::format("Kafka did not take the request: {}", report.detail)));
    }
  }
  void on_space() override {}
  void on_fatal(const Error& error) override { finish(std::unexpected(error)); }

 private:
  void send_request(std::int32_t partition) {
    const std::string value = events::to_json(call_.request);
    const auto produced =
        producer_->produce(producer_->topic(topics_.requests), partition, call_.key, value, nullptr, request_token);
    switch (produced) {
      case kafka::Produced::accepted:
        return;
      case kafka::Produced::too_large:
        return finish(fail(
            ErrorKind::invalid_input,
            fmt::format(
                "the request has {} bytes and a record may have {}; raise TOKENRAIL_TOPICS_REQUEST_BYTES_MAX, run "
                "'tokenrail topics apply', and restart the routers with TOKENRAIL_ROUTER_REQUEST_BYTES_MAX raised too",
                value.size(), producer_->message_bytes_max())));
      case kafka::Produced::unknown_topic:
        return finish(fail(ErrorKind::not_found,
                           fmt::format("there is no topic {}; 'tokenrail topics apply' makes it", topics_.requests)));
      case kafka::Produced::queue_full:
      case kafka::Produced::failed:
        return finish(fail(ErrorKind::unavailable, "the Kafka producer takes nothing"));
    }
  }

  void watch_clocks() {
    deadline_.expires_after(call_.timeout + deadline_grace);
    deadline_.async_wait([this](const boost::system::error_code& error) {
      if (!error) finish(ChatEnd::timed_out);
    });
    silence_.expires_after(silence_noted_after);
    silence_.async_wait([this](const boost::system::error_code& error) {
      if (error || heard_ || signals_seen_ > 0) return;
      hooks_.on_note("no answer yet; does a router run? 'tokenrail doctor' in another terminal says what is down");
    });
  }

  // A topic that takes nothing is waited for by the producer; a person is told why at once.
  void watch_topic() {
    blocked_.expires_after(blocked_look);
    blocked_.async_wait([this](const boost::system::error_code& error) {
      if (error || heard_ || producer_ == nullptr) return;
      for (const auto& topic : producer_->blocked())
        if (topic.topic == topics_.requests) return finish(fail(ErrorKind::rejected, topic.cause));
      watch_topic();
    });
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      // The second one leaves without the rest of the answer, but not before the cancellation is out: timeout(1) sends
      // two at once. The third does not wait for that either.
      ++signals_seen_;
      if (signals_seen_ > 2 || (signals_seen_ == 2 && cancelled_)) return leave();
      if (signals_seen_ == 1 && !unread_) cancel();
      watch_signals();
    });
  }

  void watch_reader() {
    reader_.expires_after(reader_look_again);
    reader_.async_wait([this](const boost::system::error_code& error) {
      if (error || unread_) return;
      look_for_reader();
      watch_reader();
    });
  }
  // The cancellation goes out before this program does; of the answer nothing is waited for.
  void look_for_reader() {
    if (unread_ || !hooks_.reader_gone()) return;
    unread_ = true;
    if (signals_seen_ == 0) cancel();
    if (cancelled_) leave();
  }

  void cancel() {
    send_cancellation();
    deadline_.expires_after(cancellation_wait);
    deadline_.async_wait([this](const boost::system::error_code& error) {
      if (!error) leave();
    });
  }

  void leave() {
    if (unread_) return finish(ChatEnd::unread);
    finish(cancelled_.value_or(false) ? ChatEnd::interrupted : ChatEnd::abandoned);
  }

  void send_cancellation() {
    const std::string value = events::to_json(events::Cancellation{.org_id = call_.request.org_id,
                                                                   .request_id = call_.request.request_id,
                                                                   .reason = "ended by the person who asked"});
    const auto produced = producer_->produce(producer_->topic(topics_.cancellations), kafka::partition_by_key,
                                             call_.request.request_id, value, nullptr, cancellation_token);
    if (produced == kafka::Produced::accepted) return;
    cancelled_ = false;
    hooks_.on_note("the cancellation could not be sent");
  }

  void finish(Result<ChatEnd> end) {
    if (!end_) end_ = std::move(end);
    loop_.stop();
  }

  const ChatTopics& topics_;
  const ChatCall& call_;
  const ChatHooks& hooks_;
  AnswerReader answers_;
  asio::io_context loop_{1};
  asio::steady_timer deadline_{loop_};
  asio::steady_timer silence_{loop_};
  asio::steady_timer reader_{loop_};
  asio::steady_timer blocked_{loop_};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  kafka::Producer* producer_ = nullptr;
  bool heard_ = false;
  bool unread_ = false;
  int signals_seen_ = 0;             ///< the first sends the cancellation
  std::optional<bool> cancelled_{};  ///< whether Kafka has it, as soon as that is known
  std::optional<Result<ChatEnd>> end_;
};

}  // namespace

Result<ChatEnd> ask(const kafka::Properties& properties, const ChatTopics& topics, const ChatCall& call,
                    const ChatHooks& hooks) {
  const auto place = find_place(properties, topics, call.key);
  if (!place) return std::unexpected(place.error());
  return Session(topics, call, hooks).run(properties, *place);
}

}  // namespace tokenrail::cli
