// A credential at rest. Each version of a secret is encrypted with a random key of its own (the data key), and that key
// with the primary key of the key ring: AES-256-GCM both times. Pure, but for the random bytes.
//
// The sealed bytes, version 1, without gaps:
//
//   "v1" | n, one byte | id of the wrapping key, n bytes (1..64) | nonce, 12 | wrapped data key, 32 | tag, 16
//        | nonce, 12 | ciphertext, as long as the secret (1..32768) | tag, 16
//
// Both tags also cover the binding, and the first one the id of the wrapping key. So sealed bytes open only in the row,
// organisation and version for which they were made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::crypto {

inline constexpr std::size_t secret_bytes_max = 32 * 1024;

/// What sealed bytes belong to. Every field counts, and so does its absence. The parts are written with their lengths,
/// so that no two bindings give the same bytes.
struct Binding {
  std::string table;
  std::string row_id;
  std::string org_id;  ///< empty: the platform's
  std::optional<std::string> owner_user_id{};
  std::string provider;
  std::string field;
  std::int64_t version = 0;  ///< of the secret: it grows with each new secret in this field of this row
};

/// Not secret: it cannot be opened without the key ring.
struct SealedSecret {
  std::string bytes;
};

/// Errors (invalid_input): the secret is empty or longer than secret_bytes_max.
[[nodiscard]] Result<SealedSecret> seal(const KeyRing& ring, const Secret& plain, const Binding& binding);

/// Errors: not_found, with the key's id, where the ring does not have the key or has it disabled; invalid_input where
/// the sealed bytes were altered or cut, or belong to another binding. No error holds a byte of key or secret.
[[nodiscard]] Result<Secret> open(const KeyRing& ring, const SealedSecret& sealed, const Binding& binding);

/// The same secret, wrapped by the primary key of the ring. Neither decrypts the secret nor changes its ciphertext.
/// Errors as open(); only the wrapping is checked.
[[nodiscard]] Result<SealedSecret> rewrap(const KeyRing& ring, const SealedSecret& sealed, const Binding& binding);

/// The id of the key that wraps it. invalid_input: these are no sealed bytes. Not authenticated.
[[nodiscard]] Result<std::string> key_id(const SealedSecret& sealed);

/// For JSON and topics: base64 with padding. Reading is strict, and refuses (invalid_input) what is no sealed secret.
[[nodiscard]] std::string to_text(const SealedSecret& sealed);
[[nodiscard]] Result<SealedSecret> sealed_from_text(std::string_view text);

}  // namespace tokenrail::crypto
