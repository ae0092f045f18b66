// HTTP requests whose whole answer is wanted, for coroutines: bounded in time and size. One thread: the loop's.
#pragma once

#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/http/client.hpp"

namespace tokenrail::http {

/// What came of a request.
struct Fetched {
  End end;
  ResponseHead head{};  ///< status 0: no response arrived
  std::string body{};   ///< as far as it arrived
};

class Fetcher {
 public:
  /// `client` outlives the fetcher, and the fetcher every coroutine that waits for it. `step`: what the loop does with
  /// an answer (telemetry::loop_step()); a string literal.
  Fetcher(boost::asio::io_context& loop, Client& client, const char* step)
      : loop_(loop), client_(client), step_(step) {}

  /// Never throws for what a network does: `end` says it. Destroying the coroutine cancels the transfer.
  boost::asio::awaitable<Fetched> fetch(Request request, Clocks clocks, Limits limits);
  /// Ends what runs (Ending::cancelled) and everything that is asked for until begin().
  void stop();
  void begin() { stopped_ = false; }

 private:
  class Transfer;
  boost::asio::io_context& loop_;
  Client& client_;
  const char* step_;
  std::set<Transfer*> running_;
  bool stopped_ = false;
};

}  // namespace tokenrail::http
