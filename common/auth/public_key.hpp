// Public keys from their numbers; for this module only. Each function gives null where the library refuses the key.
#pragma once

#include <memory>
#include <string_view>

#include "common/auth/jwk_set.hpp"

namespace tokenrail::auth {

/// Big-endian bytes without leading zeros.
[[nodiscard]] std::shared_ptr<const PublicKey> rsa_key(std::string_view modulus, std::string_view exponent);
/// Coordinates on P-256, 32 bytes each.
[[nodiscard]] std::shared_ptr<const PublicKey> p256_key(std::string_view x, std::string_view y);
/// The 32 bytes of an Ed25519 key.
[[nodiscard]] std::shared_ptr<const PublicKey> ed25519_key(std::string_view x);

}  // namespace tokenrail::auth
