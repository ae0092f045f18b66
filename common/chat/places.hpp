// Where a conversation's requests and answers are: a partition of both logs, and the end of the answers' log. Asks the
// brokers in a thread of its own; questions that wait for it are answered together.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/chat/client.hpp"
#include "common/kafka/admin.hpp"

namespace tokenrail::chat {

struct Place {
  std::int32_t partition = 0;
  std::int64_t chunks_end = 0;
};

/// The partition for a key. Errors as Listener::on_end(): topics are missing, or chat.chunks has fewer partitions than
/// chat.requests. Pure.
[[nodiscard]] Result<std::int32_t> partition_for(const std::string& key, const topics::Names& topics,
                                                 const std::vector<kafka::TopicDescription>& described);

class Places {
 public:
  using Found = std::function<void(Result<Place>)>;
  Places(boost::asio::io_context& loop, kafka::Properties properties, topics::Names topics,
         std::chrono::milliseconds time_max);
  /// Waits for a question to the brokers that is under way.
  ~Places();
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  /// `found` is called on the loop, never from inside this call; not at all once this object is gone.
  void find(std::string key, Found found);

 private:
  struct Wanted {
    std::string key;
    Found found;
  };
  /// Lives in the thread.
  struct Asker;
  void ask();
  void answer(std::vector<Result<Place>> places);

  boost::asio::io_context& loop_;
  std::shared_ptr<Asker> asker_;
  std::vector<Wanted> waiting_{};
  std::vector<Wanted> asking_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  boost::asio::thread_pool thread_{1};
};

}  // namespace tokenrail::chat
