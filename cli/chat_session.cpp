#include "cli/chat_session.hpp"

#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr auto silence_noted_after = 10s;
// How long a cancelled answer may take to say so before we leave.
constexpr auto cancellation_wait = 2s;
// How soon it is noticed, while no chunk comes, that the reader of the answer has gone.
constexpr auto reader_look_again = 200ms;

class Session final : public chat::Listener {
 public:
  explicit Session(const ChatHooks& hooks) : hooks_(hooks) {}

  Result<ChatEnd> run(const kafka::Properties& properties, const topics::Names& topics, const ChatCall& call) {
    telemetry::Metrics metrics;
    auto client = chat::Client::make(loop_, {.properties = properties, .topics = topics}, metrics);
    if (!client) return std::unexpected(client.error());
    client_ = client->get();
    id_ = client_->ask({.request = call.request, .key = call.key, .timeout = call.timeout}, *this);
    watch_silence();
    watch_signals();
    watch_reader();
    loop_.run();
    client_ = nullptr;
    return end_.value_or(Result<ChatEnd>(ChatEnd::interrupted));
  }

  void on_chunk(AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw) override {
    if (end_) return;
    heard_ = true;
    hooks_.on_chunk(step, chunk, raw);
    if (!chunk.done) look_for_reader();
  }

  void on_cancellation(bool sent, std::string_view detail) override {
    cancelled_ = sent;
    if (!sent) hooks_.on_note(fmt::format("the cancellation did not reach Kafka: {}", detail));
    if (signals_seen_ > 1 || unread_) leave();
  }

  void on_end(Result<chat::End> end) override {
    if (!end) return finish(std::unexpected(end.error()));
    if (unread_) return finish(ChatEnd::unread);
    if (signals_seen_ > 0 || *end == chat::End::unsent) return finish(ChatEnd::interrupted);
    finish(*end == chat::End::timed_out ? ChatEnd::timed_out : ChatEnd::answered);
  }

 private:
  void watch_silence() {
    silence_.expires_after(silence_noted_after);
    silence_.async_wait([this](const boost::system::error_code& error) {
      if (error || heard_ || signals_seen_ > 0) return;
      hooks_.on_note("no answer yet; does a router run? 'tokenrail doctor' in another terminal says what is down");
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
    client_->cancel(id_, "ended by the person who asked");
    leaving_.expires_after(cancellation_wait);
    leaving_.async_wait([this](const boost::system::error_code& error) {
      if (!error) leave();
    });
  }

  void leave() {
    if (unread_) return finish(ChatEnd::unread);
    finish(cancelled_.value_or(false) ? ChatEnd::interrupted : ChatEnd::abandoned);
  }

  void finish(Result<ChatEnd> end) {
    if (!end_) end_ = std::move(end);
    // From here on Ctrl-C ends the program, whatever the client still waits for.
    boost::system::error_code ignored;
    signals_.clear(ignored);
    loop_.stop();
  }

  const ChatHooks& hooks_;
  asio::io_context loop_{1};
  asio::steady_timer leaving_{loop_};
  asio::steady_timer silence_{loop_};
  asio::steady_timer reader_{loop_};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  chat::Client* client_ = nullptr;
  chat::Client::Id id_ = 0;
  bool heard_ = false;
  bool unread_ = false;
  int signals_seen_ = 0;             ///< the first sends the cancellation
  std::optional<bool> cancelled_{};  ///< whether Kafka has it, as soon as that is known
  std::optional<Result<ChatEnd>> end_;
};

}  // namespace

Result<ChatEnd> ask(const kafka::Properties& properties, const topics::Names& topics, const ChatCall& call,
                    const ChatHooks& hooks) {
  return Session(hooks).run(properties, topics, call);
}

}  // namespace tokenrail::cli
