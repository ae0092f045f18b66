#include "workers/registry_api/chats.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/text_escape.hpp"
#include "workers/registry_api/loop_step.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using namespace std::chrono_literals;

// A reader that has gone is noticed by a write that fails, so something is written while there is no chunk.
constexpr auto sign_of_life_every = 1s;
constexpr std::string_view sign_of_life = ":\n\n";
constexpr std::string_view cancel_reason = "the reader of the answer has gone";

/// A fault of Kafka is nothing that the caller can correct, and its text may name brokers: that is for the log.
Problem problem_of_end(const Error& error, std::string_view request_id) {
  if (error.kind == ErrorKind::invalid_input) return {.fault = Fault::body_too_large, .detail = error.detail};
  spdlog::warn("request {}: the chat failed: {}", request_id, telemetry::one_line(error.detail));
  return {.fault = Fault::unavailable, .detail = "The question cannot be asked, or its answer not read, now."};
}

}  // namespace

std::string sse_event(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

http::Reply sse_reply() {
  // nginx holds streams back unless it is configured otherwise.
  return {.headers = {{.name = "Content-Type", .value = "text/event-stream"},
                      {.name = "X-Accel-Buffering", .value = "no"}}};
}

struct Chats::State {
  State(boost::asio::io_context& the_loop, Options the_options, telemetry::Metrics& the_metrics)
      : loop(the_loop), options(std::move(the_options)), metrics(the_metrics) {}

  boost::asio::io_context& loop;
  Options options;
  telemetry::Metrics& metrics;
  std::unique_ptr<chat::Client> client{};
  std::set<Exchange*> running{};
  std::map<std::string, std::size_t> by_caller{};
  bool stopped = false;

  Result<chat::Client*> usable_client() {
    if (stopped) return fail(ErrorKind::unavailable, "The service is stopping.");
    if (client && client->broken() && running.empty()) client.reset();
    if (!client) {
      auto made = chat::Client::make(loop, options.client, metrics);
      if (!made) return std::unexpected(made.error());
      client = std::move(*made);
    }
    if (client->broken()) return fail(ErrorKind::unavailable, "The connection to Kafka has failed and is made again.");
    return client.get();
  }
};

/// One question and what has come of its answer. The State may be gone before it.
class Chats::Exchange final : public chat::Listener {
 public:
  Exchange(const std::shared_ptr<State>& state, std::string caller)
      : state_(state), caller_(std::move(caller)), news_(state->loop, loop_step_name) {
    state->running.insert(this);
    ++state->by_caller[caller_];
  }
  ~Exchange() override {
    const auto state = state_.lock();
    if (!state) return;
    state->running.erase(this);
    if (const auto it = state->by_caller.find(caller_); it != state->by_caller.end() && --it->second == 0)
      state->by_caller.erase(it);
    if (end_ || state->client == nullptr) return;
    state->client->cancel(id_, cancel_reason);
    state->client->forget(id_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin(chat::Client& client, chat::Question question) { id_ = client.ask(std::move(question), *this); }

  void on_sent() override {
    sent_ = true;
    news_.wake();
  }
  void on_chunk(events::AnswerReader::Step, const events::Chunk&, std::string_view raw) override {
    sent_ = true;  // an answer is better proof than a report
    const auto state = state_.lock();
    unread_bytes_ += raw.size();
    if (state && unread_bytes_ > state->options.unread_bytes_max) {
      state->client->cancel(id_, "the reader of the answer is too slow");
      state->client->forget(id_);
      return stop({.kind = ErrorKind::unavailable, .detail = "The answer came faster than it was read."});
    }
    unread_.emplace_back(raw);
    news_.wake();
  }
  void on_end(Result<chat::End> end) override {
    end_ = std::move(end);
    news_.wake();
  }
  void stop(const Error& error) { on_end(std::unexpected(error)); }

  [[nodiscard]] bool sent() const { return sent_; }
  [[nodiscard]] const std::optional<Result<chat::End>>& end() const { return end_; }
  /// The next record; nothing: none has come.
  std::optional<std::string> take() {
    if (unread_.empty()) return std::nullopt;
    auto raw = std::move(unread_.front());
    unread_.pop_front();
    unread_bytes_ -= raw.size();
    return raw;
  }
  awaitable<void> wait() { return news_.wait(sign_of_life_every); }

 private:
  std::weak_ptr<State> state_;
  std::string caller_;
  async::WakeableTimer news_;
  chat::Client::Id id_ = 0;
  bool sent_ = false;
  std::deque<std::string> unread_{};
  std::size_t unread_bytes_ = 0;
  std::optional<Result<chat::End>> end_{};
};

Chats::Chats(boost::asio::io_context& loop, Options options, telemetry::Metrics& metrics)
    : state_(std::make_shared<State>(loop, std::move(options), metrics)) {}

Chats::~Chats() {
  state_->stopped = true;
  for (auto* exchange : state_->running)
    exchange->stop({.kind = ErrorKind::unavailable, .detail = "The service is stopping."});
}

std::chrono::milliseconds Chats::answer_time_max() const {
  return state_->options.answer_time_max;
}

awaitable<std::expected<http::Reply, Problem>> Chats::ask(chat::Question question, std::string caller,
                                                          std::string request_id) {
  const auto mine = state_->by_caller.find(caller);
  const bool too_many = mine != state_->by_caller.end() && mine->second >= state_->options.caller_chats_max;
  if (too_many || state_->running.size() >= state_->options.chats_max) {
    co_return std::unexpected(Problem{
        .fault = Fault::rate_limited,
        .detail = too_many
                      ? fmt::format("{} chats of this caller are running already.", state_->options.caller_chats_max)
                      : fmt::format("{} chats are running already.", state_->options.chats_max),
        .retry_after_s = 5});
  }
  const auto client = state_->usable_client();
  if (!client) co_return std::unexpected(problem_of_end(client.error(), request_id));
  const auto exchange = std::make_shared<Exchange>(state_, std::move(caller));
  exchange->begin(**client, std::move(question));
  while (!exchange->sent() && !exchange->end()) co_await exchange->wait();
  if (!exchange->sent()) {
    if (!*exchange->end()) co_return std::unexpected(problem_of_end(exchange->end()->error(), request_id));
    co_return refuse(Fault::timed_out, "Kafka did not take the request in time.");
  }
  auto reply = sse_reply();
  reply.stream = [exchange, request_id = std::move(request_id)](std::shared_ptr<http::ReplyStream> out) {
    return stream(exchange, request_id, std::move(out));
  };
  co_return reply;
}

awaitable<void> Chats::stream(std::shared_ptr<Exchange> exchange, std::string request_id,
                              std::shared_ptr<http::ReplyStream> out) {
  while (true) {
    bool written = false;
    while (const auto raw = exchange->take()) {
      written = true;
      if (!co_await out->write(sse_event("chunk", *raw))) co_return;
    }
    if (exchange->end()) break;
    if (!written && !co_await out->write(sign_of_life)) co_return;
    co_await exchange->wait();
  }
  const auto& end = *exchange->end();
  if (end && *end == chat::End::answered) {
    co_await out->write(sse_event("done", "{}"));
    co_return;
  }
  const auto problem = end ? Problem{.fault = Fault::timed_out, .detail = "The answer was not whole in time."}
                           : problem_of_end(end.error(), request_id);
  co_await out->write(sse_event("error", body_of(problem, request_id)));
}

}  // namespace tokenrail::registry_api
