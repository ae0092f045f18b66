#include "tests/simulator/name_server.hpp"

#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <fmt/format.h>

namespace tokenrail::simulator {

namespace {

using boost::asio::ip::udp;

constexpr std::size_t header_bytes = 12;
constexpr std::size_t label_bytes_max = 63;
constexpr unsigned type_a = 1;
constexpr char format_error = 1;
constexpr char server_failure = 2;
constexpr char no_such_name = 3;
constexpr char refused = 5;

/// Of the question that follows the header.
struct Question {
  std::string_view first_label;
  unsigned type = 0;
  std::size_t end = 0;  ///< of it in the packet
};

std::optional<Question> read_question(std::string_view packet) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(packet[at]); };
  if (packet.size() < header_bytes || (byte(2) & 0x80U) != 0 || byte(4) != 0 || byte(5) != 1) return std::nullopt;
  Question question;
  std::size_t at = header_bytes;
  while (at < packet.size() && byte(at) != 0) {
    const std::size_t length = byte(at);
    if (length > label_bytes_max || at + 1 + length >= packet.size()) return std::nullopt;
    if (question.first_label.empty()) question.first_label = packet.substr(at + 1, length);
    at += 1 + length;
  }
  if (at + 5 > packet.size()) return std::nullopt;
  question.type = (static_cast<unsigned>(byte(at + 1)) << 8U) | byte(at + 2);
  question.end = at + 5;
  return question;
}

/// Nothing: silence.
std::optional<char> code_for(std::string_view label) {
  if (label.starts_with("silent")) return std::nullopt;
  if (label.starts_with("nxdomain")) return no_such_name;
  if (label.starts_with("servfail")) return server_failure;
  if (label.starts_with("refused")) return refused;
  return 0;
}

}  // namespace

std::optional<std::string> name_reply(std::string_view question, const boost::asio::ip::address_v4& address) {
  const auto asked = read_question(question);
  if (!asked) return std::nullopt;
  const auto code = asked->first_label.empty() ? format_error : code_for(asked->first_label);
  if (!code) return std::nullopt;
  std::string reply(question.substr(0, asked->end));
  const bool found = *code == 0 && asked->type == type_a;
  reply[2] = '\x81';  // an answer; recursion was asked for
  reply[3] = static_cast<char>(0x80U | static_cast<unsigned char>(*code));
  for (const std::size_t at : {6U, 7U, 8U, 9U, 10U, 11U}) reply[at] = '\0';
  if (!found) return reply;
  reply[7] = '\1';
  constexpr std::string_view record("\xc0\x0c\0\1\0\1\0\0\0\1\0\4", 12);  // the same name, A, one second, four bytes
  reply += record;
  for (const auto part : address.to_bytes()) reply += static_cast<char>(part);
  return reply;
}

class NameServer::Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(boost::asio::io_context& loop, const boost::asio::ip::address_v4& host, std::uint16_t port)
      : host_(host), socket_(loop, udp::endpoint(host, port)) {}

  void receive() {
    socket_.async_receive_from(boost::asio::buffer(packet_), from_,
                               [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                                 if (!self->socket_.is_open()) return;
                                 if (!error) self->answer(size);
                                 self->receive();
                               });
  }
  void stop() { socket_.close(); }
  [[nodiscard]] std::string address() const {
    return fmt::format("{}:{}", host_.to_string(), socket_.local_endpoint().port());
  }

 private:
  void answer(std::size_t size) {
    const auto reply = name_reply({packet_.data(), size}, host_);
    boost::system::error_code gone;
    if (reply) socket_.send_to(boost::asio::buffer(*reply), from_, 0, gone);
  }

  const boost::asio::ip::address_v4 host_;
  std::array<char, 1'500> packet_{};
  udp::endpoint from_{};
  udp::socket socket_;
};

NameServer::NameServer(boost::asio::io_context& loop, const std::string& host, std::uint16_t port)
    : socket_(std::make_shared<Socket>(loop, boost::asio::ip::make_address_v4(host), port)) {
  socket_->receive();
}

NameServer::~NameServer() {
  stop();
}

std::string NameServer::address() const {
  return socket_->address();
}

void NameServer::stop() {
  socket_->stop();
}

}  // namespace tokenrail::simulator
