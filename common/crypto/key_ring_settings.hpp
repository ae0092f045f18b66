// Where a program gets its key ring from.
#pragma once

#include <optional>
#include <span>

#include "common/config/settings.hpp"
#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"

namespace tokenrail::crypto {

/// keyring.file (TOKENRAIL_KEYRING_FILE) and keyring.keys (TOKENRAIL_KEYRING): for programs that seal or open
/// credentials.
[[nodiscard]] std::span<const config::Setting> key_ring_settings();

/// Nothing where neither setting has a value. Errors as KeyRing::load() and KeyRing::parse(), with the setting's name;
/// invalid_input also where both are set.
[[nodiscard]] Result<std::optional<KeyRing>> load_key_ring(const config::Values& values);

}  // namespace tokenrail::crypto
