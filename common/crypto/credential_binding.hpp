// What the secret of a stored credential is bound to. The program that seals it, the one that opens it and the one that
// rewraps it must agree, so it is written once. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "common/crypto/envelope.hpp"

namespace tokenrail::crypto {

/// A row of the table `credential`, as far as the seal covers it.
struct CredentialPlace {
  std::string id;
  std::string org_id;         ///< empty: the platform's
  std::string owner_user_id;  ///< empty: not personal
  std::string provider;
  std::int64_t secret_version = 0;  ///< grows with each new secret
};

[[nodiscard]] inline Binding binding_of(const CredentialPlace& place) {
  Binding binding{.table = "credential",
                  .row_id = place.id,
                  .org_id = place.org_id,
                  .owner_user_id = {},
                  .provider = place.provider,
                  .field = "secret",
                  .version = place.secret_version};
  if (!place.owner_user_id.empty()) binding.owner_user_id = place.owner_user_id;
  return binding;
}

}  // namespace tokenrail::crypto
