// The simulator's sockets: accepts connections on the loop and answers each call as the hub says. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "tests/simulator/hub.hpp"

namespace tokenrail::simulator {

class Server {
 public:
  /// Listens at once; port 0 is any free one. Throws boost::system::system_error where it cannot.
  Server(boost::asio::io_context& loop, const std::string& host, std::uint16_t port, HubOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const;

  /// Stops listening and drops every connection; the loop runs out of work. On the loop's thread.
  void stop();

 private:
  class Sockets;
  std::shared_ptr<Sockets> sockets_;
};

}  // namespace tokenrail::simulator
