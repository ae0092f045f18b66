// The keys of a key ring as people and programs get to see them; never a key itself. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/key_ring.hpp"

namespace tokenrail::cli {

/// An id for a new key: the day, as "2026-11-29", with "-2", "-3", … where the ring has that id already.
[[nodiscard]] std::string new_key_id(const std::vector<crypto::KeyRing::KeyInfo>& keys, std::string_view day);

/// How many stored credentials each key seals, by the key's id.
using SealedCounts = std::map<std::string, std::int64_t, std::less<>>;

/// A key of the ring, or one that the ring lacks and stored credentials name.
struct KeyStatus {
  std::string id;
  std::string state;                          ///< "primary", "decrypt", "disabled", "missing"
  std::optional<std::int64_t> credentials{};  ///< nothing: the database was not asked
};

/// The keys of the ring in its order, and behind them those that are missing. `counts`: nothing where the database was
/// not asked.
[[nodiscard]] std::vector<KeyStatus> key_statuses(const std::vector<crypto::KeyRing::KeyInfo>& keys,
                                                  const std::optional<SealedCounts>& counts);

/// The keys that stored credentials need and that do not open: disabled or missing ones. Empty: all is well.
[[nodiscard]] std::vector<KeyStatus> unusable_keys(const std::vector<KeyStatus>& keys);

/// KEY, STATE, and CREDENTIALS where the database was asked.
[[nodiscard]] std::string key_table(const std::vector<KeyStatus>& keys);
/// One key as one line of JSON.
[[nodiscard]] std::string key_json(const KeyStatus& key);

}  // namespace tokenrail::cli
