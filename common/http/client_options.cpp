#include "common/http/client_options.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "common/config/settings.hpp"
#include "common/http/certificates.hpp"

namespace tokenrail::http {

namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// As the resolver takes it, ADDRESS:PORT or [ADDRESS]:PORT; nothing: it is neither an address nor one with a port.
std::optional<std::string> name_server_from(std::string_view text) {
  std::string_view host = text;
  std::optional<std::uint16_t> port = 53;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (!rest.empty()) port = rest.starts_with(':') ? port_of(rest.substr(1)) : std::nullopt;
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = port_of(text.substr(colon + 1));
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error || !port || (address.is_v4() && text.starts_with('['))) return std::nullopt;
  return address.is_v4() ? fmt::format("{}:{}", address.to_string(), *port)
                         : fmt::format("[{}]:{}", address.to_string(), *port);
}

}  // namespace

ClientOptions client_options_from(const config::Values& values) {
  ClientOptions options{.certificates = certificates_from(values)};
  for (const auto& text : values.list("providers.name_servers"))
    if (auto server = name_server_from(text)) options.names.servers.push_back(std::move(*server));
  return options;
}

Result<void> check_client_options(const config::Values& values) {
  if (auto checked = check(certificates_from(values)); !checked) return checked;
  for (const auto& text : values.list("providers.name_servers")) {
    if (name_server_from(text)) continue;
    return fail(ErrorKind::invalid_input,
                fmt::format("providers.name_servers: '{}' is not allowed; give an address with or without a port, such "
                            "as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53",
                            text));
  }
  return {};
}

}  // namespace tokenrail::http
