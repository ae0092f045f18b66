// A name server for tests: the first label of a name says what becomes of a question about it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>

namespace tokenrail::simulator {

/// The packet that answers `question`; nothing: there is no answer, or it is no question. A name whose first label
/// begins with "silent" gets none, "nxdomain" does not exist, "servfail" and "refused" fail; every other name has
/// `address`. Pure.
[[nodiscard]] std::optional<std::string> name_reply(std::string_view question,
                                                    const boost::asio::ip::address_v4& address);

class NameServer {
 public:
  /// Listens for UDP at once; port 0 is any free one. Names lead to `host`, an IPv4 address. Throws
  /// boost::system::system_error where it cannot.
  NameServer(boost::asio::io_context& loop, const std::string& host, std::uint16_t port);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  [[nodiscard]] std::string address() const;  ///< HOST:PORT
  /// The loop runs out of work. On the loop's thread.
  void stop();

 private:
  class Socket;
  std::shared_ptr<Socket> socket_;
};

}  // namespace tokenrail::simulator
