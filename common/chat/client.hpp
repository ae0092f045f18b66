// Questions over Kafka: requests out on chat.requests, answers in from chat.chunks. Many at the same time, over one
// producer and one reader. On the loop; what blocks runs in a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "common/events/answer_reader.hpp"
#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"
#include "common/topics/names.hpp"

namespace tokenrail::chat {

struct Question {
  events::ChatRequest request;
  std::string key;  ///< of the record: the conversation, else the request
  /// For the whole answer. A router ends the request itself then, so the client waits a little longer for its chunk.
  std::chrono::milliseconds timeout{};
};

enum class End {
  answered,   ///< a terminal chunk came, whatever it says
  timed_out,  ///< no whole answer in time
  unsent,     ///< it was cancelled before the request was sent
};

/// Called on the loop, never from inside a call of the client. It may call the client.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Kafka has the request.
  virtual void on_sent() {}
  /// A chunk of the answer, by the reader's rule (events::AnswerReader), with its record value. Never `ignored` or
  /// `gap`.
  virtual void on_chunk(events::AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw) = 0;
  /// Whether Kafka has the cancellation; `detail` says why not.
  virtual void on_cancellation(bool sent, std::string_view detail) { (void)sent, (void)detail; }
  /// Last; the question is forgotten. Errors: not_found (topics are missing), invalid_input (the request is larger than
  /// a record may be), unavailable (no broker answers), rejected (the topics or the log do not let it be answered).
  virtual void on_end(Result<End> end) = 0;
};

class Client {
 public:
  struct Options {
    kafka::Properties properties{};
    topics::Names topics{};
    /// For the brokers to say where an answer will be.
    std::chrono::milliseconds lookup_time_max{10'000};
  };
  /// Connects in the background. Errors: invalid_input for a property that librdkafka refuses.
  static Result<std::unique_ptr<Client>> make(boost::asio::io_context& loop, const Options& options,
                                              telemetry::Metrics& metrics);
  virtual ~Client() = default;

  using Id = std::uint64_t;
  /// The listener lives until on_end() or forget().
  virtual Id ask(Question question, Listener& listener) = 0;
  /// Asks the routers to end the request; its answer goes on until its terminal chunk comes. Unknown ids are ignored.
  virtual void cancel(Id id, std::string_view reason) = 0;
  /// No more calls for this question. A cancellation that is on its way still goes out.
  virtual void forget(Id id) = 0;

  /// Questions that have not ended.
  [[nodiscard]] virtual std::size_t asked() const = 0;
  /// It can no longer work; make a new one.
  [[nodiscard]] virtual bool broken() const = 0;
};

}  // namespace tokenrail::chat
