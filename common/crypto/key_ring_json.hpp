// The JSON of a key ring, read by jansson. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::crypto {

struct KeyEntry {
  std::string id;
  KeyState state;
  Secret bytes;
};

/// The entries of `{"keys":[…]}` in their order. Each has a valid id, a state and 32 bytes; the rules of a whole ring
/// are not checked. Errors (invalid_input) hold no part of the text.
[[nodiscard]] Result<std::vector<KeyEntry>> read_key_entries(std::string_view text);

}  // namespace tokenrail::crypto
