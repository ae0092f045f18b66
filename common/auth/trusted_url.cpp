#include "common/auth/trusted_url.hpp"

#include <string>

#include <boost/asio/ip/address.hpp>

#include "common/url.hpp"

namespace tokenrail::auth {

std::string_view host_of(std::string_view host_port) {
  if (host_port.starts_with('[')) {
    const auto end = host_port.find(']');
    return end == std::string_view::npos ? std::string_view() : host_port.substr(1, end - 1);
  }
  return host_port.substr(0, host_port.rfind(':'));
}

bool is_loopback(std::string_view host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  if (error) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

bool is_trusted_url(std::string_view url) {
  const auto parts = split_url(url);
  const auto host = host_of(parts.host_port);
  if (host.empty()) return false;
  return parts.scheme == "https" || (parts.scheme == "http" && (host == "localhost" || is_loopback(host)));
}

}  // namespace tokenrail::auth
