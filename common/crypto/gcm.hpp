// AES-256-GCM of one message, as the envelope uses it. The caller chooses the nonce and must never use one twice with a
// key. Throws std::runtime_error where OpenSSL offers no AES-256-GCM, or where a size is not as required.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/secret.hpp"

namespace tokenrail::crypto {

inline constexpr std::size_t gcm_key_bytes = 32;
inline constexpr std::size_t gcm_nonce_bytes = 12;
inline constexpr std::size_t gcm_tag_bytes = 16;

struct GcmContext {
  std::string_view key;    ///< gcm_key_bytes
  std::string_view nonce;  ///< gcm_nonce_bytes
  std::string_view aad;    ///< authenticated, not encrypted
};

/// The ciphertext, which is as long as `plain`, and behind it the tag.
[[nodiscard]] std::string gcm_encrypt(const GcmContext& context, std::string_view plain);

/// Nothing where key, nonce, additional data, ciphertext or tag are not those of one encryption.
[[nodiscard]] std::optional<Secret> gcm_decrypt(const GcmContext& context, std::string_view ciphertext_and_tag);

}  // namespace tokenrail::crypto
