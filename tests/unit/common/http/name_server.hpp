// A name server on loopback, on the loop of the test: it answers as the test says, and nothing for the names that it
// must be silent about. Knows A and AAAA, and one question a packet.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <unistd.h>

#include "common/http/resolver.hpp"

namespace tokenrail::http {

class NameServer {
 public:
  using udp = boost::asio::ip::udp;

  explicit NameServer(boost::asio::io_context& loop)
      : socket_(loop, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    std::string name = "/tmp/tokenrail-resolv-XXXXXX";
    const int fd = ::mkstemp(name.data());
    if (fd < 0) throw std::runtime_error("no temporary file");
    ::close(fd);
    resolv_conf_ = name;
    configure("nameserver 127.0.0.1\n");
    receive();
  }
  ~NameServer() { ::unlink(resolv_conf_.c_str()); }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// What resolv.conf contains from now on.
  void configure(const std::string& text) const { std::ofstream(resolv_conf_) << text; }

  /// A resolver that asks this server.
  [[nodiscard]] ResolverOptions options() const {
    return {.resolv_conf = resolv_conf_, .port = socket_.local_endpoint().port()};
  }

  std::map<std::string, std::vector<std::string>> names{};  ///< addresses; a name that is not here does not exist
  std::set<std::string> silent_about{};
  bool silent = false;  ///< about everything
  std::uint32_t ttl_seconds = 60;
  std::vector<std::string> questions{};  ///< names asked for, once a packet

  [[nodiscard]] std::size_t asked(const std::string& name) const {
    return static_cast<std::size_t>(std::ranges::count(questions, name));
  }

 private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(packet_), from_,
                               [this](boost::system::error_code error, std::size_t size) {
                                 if (error) return;
                                 answer(size);
                                 receive();
                               });
  }

  void answer(std::size_t size) {
    std::string name;
    std::size_t at = 12;
    while (at < size && packet_[at] != 0) {
      const std::size_t length = packet_[at];
      if (!name.empty()) name += '.';
      for (std::size_t i = 1; i <= length; ++i) name += static_cast<char>(packet_[at + i]);
      at += length + 1;
    }
    const unsigned type = (static_cast<unsigned>(packet_[at + 1]) << 8U) | packet_[at + 2];
    const std::size_t question_end = at + 5;
    questions.push_back(name);
    if (silent || silent_about.contains(name)) return;

    const auto found = names.find(name);
    std::string out(packet_.begin(), packet_.begin() + static_cast<std::ptrdiff_t>(question_end));
    std::uint8_t count = 0;
    if (found != names.end()) {
      for (const auto& text : found->second) {
        const auto address = boost::asio::ip::make_address(text);
        if (type != (address.is_v6() ? 28U : 1U)) continue;
        ++count;
        out += {'\xc0', '\x0c', '\0', static_cast<char>(type), '\0', '\1'};
        for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(ttl_seconds >> shift);
        out += '\0';
        out += static_cast<char>(address.is_v6() ? 16 : 4);
        if (address.is_v6()) {
          for (const auto byte : address.to_v6().to_bytes()) out += static_cast<char>(byte);
        } else {
          for (const auto byte : address.to_v4().to_bytes()) out += static_cast<char>(byte);
        }
      }
    }
    out[2] = '\x81';                                  // an answer, recursion desired
    out[3] = found == names.end() ? '\x83' : '\x80';  // NXDOMAIN, or none
    out[6] = '\0';
    out[7] = static_cast<char>(count);
    for (const std::size_t i : {8U, 9U, 10U, 11U}) out[i] = '\0';
    socket_.send_to(boost::asio::buffer(out), from_);
  }

  std::string resolv_conf_{};
  std::array<std::uint8_t, 1'500> packet_{};
  udp::endpoint from_{};
  udp::socket socket_;
};

}  // namespace tokenrail::http
