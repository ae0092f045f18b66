// model_registry.credential: a sealed credential, as the compacted topic `model_registry.credentials` carries it
// (schemas/model-registry-credential.schema.json). Only a process that holds the key ring can open it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::events {

inline constexpr std::string_view credential_upserted_type = "model_registry.credential";
inline constexpr std::string_view credential_revoked = "model_registry.credential.revoked";

struct SealedCredential {
  std::string id;
  std::string org_id{};         ///< empty: the platform's
  std::string owner_user_id{};  ///< empty: not personal
  std::string provider;
  std::int64_t secret_version = 1;  ///< grows with each new secret; bound into the seal
  std::int64_t version = 0;         ///< grows with each record
  std::string key_id;               ///< of the key ring
  std::string sealed;               ///< base64
  std::optional<std::int64_t> expires_ms{};
};

/// The record key: {org or _}/{user or _}/{id}, with '/' and '%' of the first two percent-encoded.
[[nodiscard]] std::string credential_key(const SealedCredential& credential);
[[nodiscard]] std::string to_json(const SealedCredential& credential);
/// Errors: invalid_input, for what is not JSON, is of another type, or lacks id, version, key id or sealed text.
[[nodiscard]] Result<SealedCredential> parse_sealed_credential(std::string_view value);

}  // namespace tokenrail::events
