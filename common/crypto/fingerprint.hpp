// What may be shown of a secret. Pure.
#pragma once

#include <string>

#include "common/crypto/key_ring.hpp"
#include "common/secret.hpp"

namespace tokenrail::crypto {

/// 16 hexadecimal digits of an HMAC-SHA-256 whose key is derived from the ring's primary key: without the ring,
/// guesses cannot be tried against it. Equal secrets have equal fingerprints as long as the same key is primary.
[[nodiscard]] std::string fingerprint(const KeyRing& ring, const Secret& secret);

/// The last four characters; empty where the secret has fewer than 12, or these four are not all printable ASCII.
[[nodiscard]] std::string last4(const Secret& secret);

}  // namespace tokenrail::crypto
