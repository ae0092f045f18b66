#include "tests/simulator/server.hpp"

#include <unordered_map>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include "tests/simulator/session.hpp"

namespace tokenrail::simulator {

namespace asio = boost::asio;
using asio::ip::tcp;

class Server::Sockets : public std::enable_shared_from_this<Server::Sockets> {
 public:
  Sockets(asio::io_context& loop, const std::string& host, std::uint16_t port, HubOptions options)
      : hub_(std::move(options)), pacer_(loop), acceptor_(loop), retry_(loop) {
    const tcp::endpoint endpoint(asio::ip::make_address(host), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(4096);
  }

  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
      if (self->stopped_) return;
      if (error) {
        // Out of file descriptors, say: the connection waits in the kernel until one is free again.
        self->retry_.expires_after(std::chrono::milliseconds(50));
        self->retry_.async_wait([self](const boost::system::error_code& cancelled) {
          if (!cancelled && !self->stopped_) self->accept();
        });
        return;
      }
      // A session uses the hub until it is gone, which may be when the loop is.
      auto session = std::make_shared<Session>(std::move(socket), self->hub_, self->pacer_,
                                               [self](Session* gone) { self->sessions_.erase(gone); });
      self->sessions_.emplace(session.get(), session);
      session->start();
      self->accept();
    });
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    const auto sessions = std::exchange(sessions_, {});
    for (const auto& [key, weak] : sessions) {
      if (const auto session = weak.lock()) session->stop();
    }
    pacer_.clear();
  }

 private:
  Hub hub_;
  Pacer pacer_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::unordered_map<Session*, std::weak_ptr<Session>> sessions_{};
  bool stopped_ = false;
};

Server::Server(asio::io_context& loop, const std::string& host, std::uint16_t port, HubOptions options)
    : sockets_(std::make_shared<Sockets>(loop, host, port, std::move(options))) {
  sockets_->accept();
}

Server::~Server() {
  stop();
}

std::uint16_t Server::port() const {
  return sockets_->endpoint().port();
}

std::string Server::url() const {
  const auto endpoint = sockets_->endpoint();
  const auto host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("http://[{}]:{}", host, endpoint.port())
                                    : fmt::format("http://{}:{}", host, endpoint.port());
}

void Server::stop() {
  sockets_->stop();
}

}  // namespace tokenrail::simulator
