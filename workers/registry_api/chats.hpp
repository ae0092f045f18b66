// Questions that callers of the API ask and whose answers are streamed to them. The client of common/chat is made when
// the first one comes, so that an API without Kafka serves everything else. On the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/chat/client.hpp"
#include "common/http/server.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

class Chats {
 public:
  struct Options {
    chat::Client::Options client{};
    std::size_t chats_max = 32;  ///< at the same time
    std::size_t caller_chats_max = 4;
    std::chrono::milliseconds answer_time_max{300'000};
    std::size_t unread_bytes_max = 4UL * 1024 * 1024;  ///< of an answer whose reader is slow
  };
  Chats(boost::asio::io_context& loop, Options options, telemetry::Metrics& metrics);
  /// Ends what runs.
  ~Chats();
  Chats(const Chats&) = delete;
  Chats& operator=(const Chats&) = delete;

  /// Sends the question and waits until Kafka has it; then a reply that streams the answer as server-sent events:
  /// `chunk` with each record of chat.chunks as it is, at last `done`, or `error` with a problem. The request is
  /// cancelled when its reader goes away. `caller`: whose limit counts. Problems: rate_limited, unavailable, …
  boost::asio::awaitable<std::expected<http::Reply, Problem>> ask(chat::Question question, std::string caller,
                                                                  std::string request_id);
  /// What a question may take.
  [[nodiscard]] std::chrono::milliseconds answer_time_max() const;

 private:
  struct State;
  class Exchange;
  static boost::asio::awaitable<void> stream(std::shared_ptr<Exchange> exchange, std::string request_id,
                                             std::shared_ptr<http::ReplyStream> out);
  std::shared_ptr<State> state_;
};

/// An event of a stream (text/event-stream). `data` without line ends.
[[nodiscard]] std::string sse_event(std::string_view name, std::string_view data);
/// A reply that is a stream of events.
[[nodiscard]] http::Reply sse_reply();

}  // namespace tokenrail::registry_api
