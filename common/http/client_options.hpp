// What the settings `providers.*` say of HTTP clients: certificates, and who is asked for host names.
#pragma once

#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::config {
class Values;
}

namespace tokenrail::http {

/// Name servers that cannot be read are left out; see check_client_options().
[[nodiscard]] ClientOptions client_options_from(const config::Values& values);

/// Errors: invalid_input, with the setting's name, for files that cannot be used and for what is no name server.
[[nodiscard]] Result<void> check_client_options(const config::Values& values);

}  // namespace tokenrail::http
