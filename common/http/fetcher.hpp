// Small HTTP questions whose whole answer is wanted: bounded in time and size. One thread: the loop's.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/http/client.hpp"

namespace tokenrail::registry_sync {

struct Fetched {
  http::End end;
  http::ResponseHead head{};  ///< status 0: no response arrived
  std::string body{};
};

class Fetcher {
 public:
  Fetcher(boost::asio::io_context& loop, http::Client& client) : loop_(loop), client_(client) {}

  boost::asio::awaitable<Fetched> fetch(http::Request request, http::Clocks clocks, http::Limits limits);
  /// Ends what runs (Ending::cancelled) and everything that is asked for until begin().
  void stop();
  void begin() { stopped_ = false; }

 private:
  class Transfer;
  boost::asio::io_context& loop_;
  http::Client& client_;
  std::set<Transfer*> running_;
  bool stopped_ = false;
};

}  // namespace tokenrail::registry_sync
