// An Admin on a thread of its own, so that a loop can ask it. One question at a time is on its way, others wait for it.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "common/kafka/admin.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka {

class AdminThread {
 public:
  AdminThread(boost::asio::io_context& loop, Properties properties);
  /// Waits for nothing: what is being asked ends beside the loop (endings.hpp), and is answered to no one.
  ~AdminThread();
  AdminThread(const AdminThread&) = delete;
  AdminThread& operator=(const AdminThread&) = delete;

  using Then = std::function<void()>;
  /// Gets an error where the properties are refused. The connection is kept from one question to the next.
  using Ask = std::function<Then(Result<Admin*>)>;
  /// `ask` runs on that thread, and may outlive this object and its owner: it must own what it uses. What it returns
  /// runs on the loop, unless this object is gone by then.
  void ask(Ask ask);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tokenrail::kafka
