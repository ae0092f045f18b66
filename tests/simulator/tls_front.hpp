// HTTPS in front of the simulator: takes TLS off and passes the bytes on, so that clients are tested and measured over
// TLS, and meet certificates that they must not accept. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "tests/simulator/tls_counts.hpp"

namespace tokenrail::simulator {

/// What is wrong with the certificate. Each is its own CA: a client that is not given it does not trust it.
enum class TlsFault : std::uint8_t { none, expired, wrong_host };
[[nodiscard]] std::optional<TlsFault> tls_fault_from(std::string_view name);

class TlsFront {
 public:
  /// Listens at once on `host`, which is an address, and connects to `plain_port` there. Port 0 is any free one. Throws
  /// boost::system::system_error where it cannot.
  TlsFront(boost::asio::io_context& loop, const std::string& host, std::uint16_t port, std::uint16_t plain_port,
           TlsFault fault, std::shared_ptr<TlsCounts> counts);
  ~TlsFront();
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  [[nodiscard]] std::string url() const;
  /// The certificate as PEM, for clients that are to trust it.
  [[nodiscard]] const std::string& certificate() const;

  /// Stops listening; connections end with the plain ones. On the loop's thread.
  void stop();

 private:
  class Sockets;
  std::shared_ptr<Sockets> sockets_;
};

}  // namespace tokenrail::simulator
