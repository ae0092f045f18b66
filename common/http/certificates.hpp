// Certificates for connections to providers: private CAs, and what is shown to a server that asks who is calling.
//
// Files are read by libcurl when a connection is opened; check() says at the start what would fail then.
#pragma once

#include <string>

#include "common/result.hpp"

namespace tokenrail::config {
class Values;
}

namespace tokenrail::http {

/// Paths of PEM files; empty: not used.
struct Certificates {
  std::string ca_file{};             ///< CAs that count beside the system's
  std::string client_certificate{};  ///< with its chain; needs client_key
  std::string client_key{};
};

/// From `providers.ca_file`, `providers.client_certificate` and `providers.client_key`.
[[nodiscard]] Certificates certificates_from(const config::Values& values);

/// Errors: invalid_input for a file that cannot be read, and for a certificate or key without the other.
[[nodiscard]] Result<void> check(const Certificates& certificates);

}  // namespace tokenrail::http
