// An HTTP server on loopback that does what a test orders and nothing else: the test sees each connection and each
// byte that came in, and says what goes out and when. Runs on the loop that the client under test runs on.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>

namespace tokenrail::http {

class ScriptedServer {
 public:
  using tcp = boost::asio::ip::tcp;

  /// One accepted connection.
  struct Connection : std::enable_shared_from_this<Connection> {
    explicit Connection(tcp::socket accepted) : socket(std::move(accepted)) {}

    tcp::socket socket;
    std::string received{};
    bool ended = false;  ///< the client closed it
    std::size_t sent_bytes = 0;

    void read() {
      auto self = shared_from_this();
      socket.async_read_some(boost::asio::buffer(chunk_), [self](boost::system::error_code error, std::size_t size) {
        if (error) {
          self->ended = true;
          return;
        }
        self->received.append(self->chunk_.data(), size);
        self->read();
      });
    }

    void send(std::string text) {
      outgoing_.push_back(std::move(text));
      if (outgoing_.size() == 1) write();
    }

    /// One chunk of a chunked body.
    void send_chunk(const std::string& text) {
      std::array<char, 20> size{};
      std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
      send(size.data() + text + "\r\n");
    }

    void close() { socket.close(); }

    /// Ends the connection with a reset instead of an orderly close.
    void reset() {
      socket.set_option(boost::asio::socket_base::linger(true, 0));
      socket.close();
    }

    /// The body of the one request received so far; empty until all of it is there.
    [[nodiscard]] bool has_request() const { return received.find("\r\n\r\n") != std::string::npos; }

   private:
    void write() {
      auto self = shared_from_this();
      socket.async_write_some(boost::asio::buffer(outgoing_.front()), [self](auto error, std::size_t size) {
        if (error) return;
        self->sent_bytes += size;
        std::string& front = self->outgoing_.front();
        front.erase(0, size);
        if (front.empty()) self->outgoing_.pop_front();
        if (!self->outgoing_.empty()) self->write();
      });
    }

    std::array<char, 16 * 1024> chunk_{};
    std::deque<std::string> outgoing_{};
  };

  explicit ScriptedServer(boost::asio::io_context& loop)
      : acceptor_(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    accept();
  }
  ~ScriptedServer() {
    for (auto& connection : connections) connection->socket.close();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }
  void stop_listening() { acceptor_.close(); }

  std::vector<std::shared_ptr<Connection>> connections{};

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      connections.push_back(std::make_shared<Connection>(std::move(socket)));
      connections.back()->read();
      accept();
    });
  }

  tcp::acceptor acceptor_;
};

}  // namespace tokenrail::http
