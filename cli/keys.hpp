// The keys of a key ring as people and programs get to see them; never a key itself. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/key_ring.hpp"

namespace tokenrail::cli {

/// An id for a new key: the day, as "2026-11-29", with "-2", "-3", … where the ring has that id already.
[[nodiscard]] std::string new_key_id(const std::vector<crypto::KeyRing::KeyInfo>& keys, std::string_view day);

/// KEY, STATE.
[[nodiscard]] std::string key_table(const std::vector<crypto::KeyRing::KeyInfo>& keys);
/// One key as one line of JSON.
[[nodiscard]] std::string key_json(const crypto::KeyRing::KeyInfo& key);

}  // namespace tokenrail::cli
