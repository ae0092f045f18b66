// An HTTPS server on loopback that answers every request with an empty 200 and closes. It counts its handshakes, and those
// that resumed a session. Runs on the loop that the client under test runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
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
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace tokenrail::http {

/// A key and a certificate that it signed itself, for that name ("IP:127.0.0.1", "DNS:localhost").
struct OwnCertificate {
  std::string key{};
  std::string certificate{};

  /// `days`: until it expires; negative: it has.
  explicit OwnCertificate(const std::string& name, int days = 1) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), &X509_free);
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    constexpr long day = 24L * 3600;
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -30 * day);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), days * day);
    X509_set_pubkey(x509.get(), pair.get());
    auto* const subject = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), subject);
    const auto extend = [&](int nid, const std::string& value) {
      auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
      X509_add_ext(x509.get(), extension, -1);
      X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, "critical,CA:TRUE");
    extend(NID_subject_alt_name, name);
    if (X509_sign(x509.get(), pair.get(), EVP_sha256()) == 0) throw std::runtime_error("the certificate is not signed");
    key = pem([&](BIO* to) { PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    certificate = pem([&](BIO* to) { PEM_write_bio_X509(to, x509.get()); });
  }

 private:
  template <class Write>
  static std::string pem(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    write(memory.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
};

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
        connection->stream, connection->received, "\r\n\r\n", [connection](boost::system::error_code error, std::size_t) {
          if (error) return;
          static constexpr std::string_view reply =
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
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
