// Secrets in the body of a request: of a credential, or of a connection that is tested before it is stored.
#pragma once

#include "common/crypto/credential_text.hpp"
#include "workers/registry_api/call.hpp"

namespace tokenrail::registry_api {

/// Takes `secret` and `headers` out of the request, and zeroes the copies that they came in.
[[nodiscard]] crypto::CredentialText take_secrets(Call& call);

/// The error of crypto::to_text(): no request to a provider can carry the secret or the headers.
[[nodiscard]] Problem unusable_secrets(const Error& error);

}  // namespace tokenrail::registry_api
