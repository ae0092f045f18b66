// Whether what comes from an address, or is sent to it, can be replaced or read on its way. Pure.
#pragma once

#include <string_view>

namespace tokenrail::auth {

/// The host of "host:port" or "[address]:port", without brackets.
[[nodiscard]] std::string_view host_of(std::string_view host_port);

/// An address of this machine; not a name.
[[nodiscard]] bool is_loopback(std::string_view host);

/// https, or http to `localhost` or an address of this machine.
[[nodiscard]] bool is_trusted_url(std::string_view url);

}  // namespace tokenrail::auth
