// An HTTPS server on loopback that answers every request with an empty 200 and closes. It counts its handshakes, and
// those that resumed a session. Runs on the loop that the client under test runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/own_certificate.hpp"

namespace tokenrail::http {

class TlsServer {
 public:
  using tcp = boost::asio::ip::tcp;

  TlsServer(boost::asio::io_context& loop, const OwnCertificate& own)
      : acceptor_(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    context_.use_private_key(boost::asio::buffer(own.key), boost::asio::ssl::context::pem);
    context_.use_certificate(boost::asio::buffer(own.certificate), boost::asio::ssl::context::pem);
    const unsigned char id[] = "test";
    SSL_CTX_set_session_id_context(context_.native_handle(), id, sizeof id);
    accept();
  }

  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(acceptor_.local_endpoint().port()) + "/";
  }

  std::size_t handshakes = 0;
  std::size_t resumed = 0;

 private:
  using Stream = boost::asio::ssl::stream<tcp::socket>;
  struct Connection {
    Connection(tcp::socket socket, boost::asio::ssl::context& context) : stream(std::move(socket), context) {}
    Stream stream;
    boost::asio::streambuf received{};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      auto connection = std::make_shared<Connection>(std::move(socket), context_);
      connection->stream.async_handshake(boost::asio::ssl::stream_base::server,
                                         [this, connection](boost::system::error_code failed) {
                                           if (!failed) answer(connection);
                                         });
      accept();
    });
  }

  void answer(const std::shared_ptr<Connection>& connection) {
    ++handshakes;
    if (SSL_session_reused(connection->stream.native_handle()) == 1) ++resumed;
    boost::asio::async_read_until(
        connection->stream, connection->received, "\r\n\r\n",
        [connection](boost::system::error_code error, std::size_t) {
          if (error) return;
          static constexpr std::string_view reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
          boost::asio::async_write(connection->stream, boost::asio::buffer(reply),
                                   [connection](boost::system::error_code, std::size_t) {
                                     connection->stream.async_shutdown([connection](boost::system::error_code) {});
                                   });
        });
  }

  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
};

}  // namespace tokenrail::http
