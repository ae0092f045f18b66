#include "tests/simulator/tls_front.hpp"

#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tests/support/own_certificate.hpp"

namespace tokenrail::simulator {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket>;

namespace {

/// One client: bytes go both ways until either side ends.
class Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  Bridge(tcp::socket socket, asio::ssl::context& context, tcp::endpoint plain, std::shared_ptr<TlsCounts> counts)
      : client_(std::move(socket), context),
        plain_(client_.get_executor()),
        endpoint_(std::move(plain)),
        counts_(std::move(counts)) {}

  void start() {
    client_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](const error_code& error) {
      if (error) return self->close();
      ++self->counts_->handshakes;
      if (SSL_session_reused(self->client_.native_handle()) == 1) ++self->counts_->resumed;
      self->plain_.async_connect(self->endpoint_, [self](const error_code& failed) {
        if (failed) return self->close();
        self->pump(self->client_, self->plain_, self->upwards_);
        self->pump(self->plain_, self->client_, self->downwards_);
      });
    });
  }

 private:
  using Bytes = std::array<char, 16 * 1024>;

  template <class From, class To>
  void pump(From& from, To& to, Bytes& bytes) {
    from.async_read_some(asio::buffer(bytes), [this, self = shared_from_this(), &from, &to, &bytes](
                                                  const error_code& error, std::size_t size) {
      if (error) return end(to);
      asio::async_write(to, asio::buffer(bytes, size),
                        [this, self, &from, &to, &bytes](const error_code& failed, std::size_t) {
                          if (failed) return close();
                          pump(from, to, bytes);
                        });
    });
  }

  /// The sender has ended: what it sent is with the other side, which hears of the end.
  void end(tcp::socket& /*plain*/) { close(); }
  void end(TlsStream& client) {
    client.async_shutdown([self = shared_from_this()](const error_code&) { self->close(); });
  }
  void close() {
    error_code ignored;
    client_.lowest_layer().close(ignored);
    plain_.close(ignored);
  }

  TlsStream client_;
  tcp::socket plain_;
  const tcp::endpoint endpoint_;
  const std::shared_ptr<TlsCounts> counts_;
  Bytes upwards_{};
  Bytes downwards_{};
};

OwnCertificate certificate_for(const std::string& host, TlsFault fault) {
  const auto name = fault == TlsFault::wrong_host ? std::string("DNS:another.example") : "IP:" + host;
  return OwnCertificate(name, fault == TlsFault::expired ? -1 : 1);
}

}  // namespace

std::optional<TlsFault> tls_fault_from(std::string_view name) {
  if (name == "good") return TlsFault::none;
  if (name == "expired") return TlsFault::expired;
  if (name == "wrong-host") return TlsFault::wrong_host;
  return std::nullopt;
}

class TlsFront::Sockets : public std::enable_shared_from_this<TlsFront::Sockets> {
 public:
  Sockets(asio::io_context& loop, const std::string& host, std::uint16_t port, std::uint16_t plain_port, TlsFault fault,
          std::shared_ptr<TlsCounts> counts)
      : own_(certificate_for(host, fault)),
        acceptor_(loop),
        plain_(asio::ip::make_address(host), plain_port),
        counts_(std::move(counts)) {
    context_.use_private_key(asio::buffer(own_.key), asio::ssl::context::pem);
    context_.use_certificate(asio::buffer(own_.certificate), asio::ssl::context::pem);
    const tcp::endpoint endpoint(asio::ip::make_address(host), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(4096);
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Bridge>(std::move(socket), self->context_, self->plain_, self->counts_)->start();
      self->accept();
    });
  }
  void stop() {
    error_code ignored;
    acceptor_.close(ignored);
  }
  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  [[nodiscard]] const std::string& certificate() const { return own_.certificate; }

 private:
  const OwnCertificate own_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
  const tcp::endpoint plain_;
  const std::shared_ptr<TlsCounts> counts_;
};

TlsFront::TlsFront(asio::io_context& loop, const std::string& host, std::uint16_t port, std::uint16_t plain_port,
                   TlsFault fault, std::shared_ptr<TlsCounts> counts)
    : sockets_(std::make_shared<Sockets>(loop, host, port, plain_port, fault, std::move(counts))) {
  sockets_->accept();
}

TlsFront::~TlsFront() {
  stop();
}

std::string TlsFront::url() const {
  const auto endpoint = sockets_->endpoint();
  const auto host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("https://[{}]:{}", host, endpoint.port())
                                    : fmt::format("https://{}:{}", host, endpoint.port());
}

const std::string& TlsFront::certificate() const {
  return sockets_->certificate();
}

void TlsFront::stop() {
  sockets_->stop();
}

}  // namespace tokenrail::simulator
