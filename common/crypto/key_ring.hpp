// The keys that wrap the keys of stored credentials (key-encryption keys). A ring holds several, so that they can be
// replaced while everything runs: docs/explanation/credentials.md.
//
// Its text form is JSON:
//
//   {"keys":[{"id":"2026-11","state":"primary","key":"<base64 of 32 bytes>"}]}
//
// Guarantees: exactly one key is primary, ids and keys are unique, no key is well-known or guessable. No message holds
// any part of a key or of a text that is not a valid ring. Immutable but for the functions that change it; may be read
// from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::crypto {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t key_id_bytes_max = 64;
inline constexpr std::size_t ring_keys_max = 256;
inline constexpr std::size_t ring_text_bytes_max = 1 << 20;

enum class KeyState {
  primary,   ///< Seals, and opens what it sealed.
  decrypt,   ///< Opens what it sealed.
  disabled,  ///< Does nothing; it can be enabled again by hand.
};
[[nodiscard]] std::string_view to_text(KeyState state);

/// 1 to 64 characters out of A-Z, a-z, 0-9, dot, underscore and dash.
[[nodiscard]] bool is_key_id(std::string_view id);

class KeyRing {
 public:
  /// Errors (invalid_input) say which key is wrong, why, and what to do.
  [[nodiscard]] static Result<KeyRing> parse(std::string_view text);

  /// Reads a file that only its owner may read or write (mode 0600 or 0400), of at most 1 MiB. Errors name the
  /// file: not_found where it is not there; invalid_input where it is no file, is open to others, or is no key ring.
  [[nodiscard]] static Result<KeyRing> load(const std::string& path);

  /// A ring with one random primary key. invalid_input: the id is none.
  [[nodiscard]] static Result<KeyRing> create(std::string_view id);

  struct KeyInfo {
    std::string id;
    KeyState state;
  };
  /// In the order of the text.
  [[nodiscard]] std::vector<KeyInfo> keys() const;
  [[nodiscard]] const std::string& primary_id() const;

  /// The primary key, which seals.
  [[nodiscard]] const Secret& primary_key() const;
  /// The key that opens what the key `id` sealed; valid as long as the ring. not_found, with the id: the ring does not
  /// have it, or it is disabled.
  [[nodiscard]] Result<const Secret*> opening_key(std::string_view id) const;

  /// Adds a random key that opens only: distribute the ring to all programs, then promote the key. invalid_input: the
  /// id is none, or is taken, or the ring is full.
  [[nodiscard]] Result<void> add(std::string_view id);
  /// Makes a key the primary one; the primary one before it opens from then on. not_found, or invalid_input where it is
  /// disabled.
  [[nodiscard]] Result<void> promote(std::string_view id);
  /// Nothing that the key sealed can be opened from then on. not_found, or invalid_input where it is the primary one.
  [[nodiscard]] Result<void> disable(std::string_view id);

  /// The text form, keys included: only for the program that writes the file.
  [[nodiscard]] Secret to_text() const;

 private:
  struct Key {
    std::string id;
    KeyState state;
    Secret bytes;
  };
  KeyRing() = default;
  [[nodiscard]] const Key* find(std::string_view id) const;
  [[nodiscard]] Key* find(std::string_view id);
  [[nodiscard]] const Key& primary() const;
  [[nodiscard]] Result<void> judge() const;

  std::vector<Key> keys_;
};

}  // namespace tokenrail::crypto
