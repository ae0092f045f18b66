// The file of a key ring, as the commands write it. A reader sees the old ring or the new one, never a part, also after
// a crash. Errors name the file and hold no key.
#pragma once

#include <functional>
#include <string>

#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// Whether the ring is kept, or everything is only checked.
enum class Keep { yes, no };

/// A new file with mode 0600. rejected: there is one already, which is left as it is.
[[nodiscard]] Result<void> create_key_ring_file(const std::string& path, const crypto::KeyRing& ring,
                                                Keep keep = Keep::yes);

/// Reads the ring, lets `change` change it, and replaces the file; owner and mode stay. Nothing is written where
/// `change` fails. Two changes at the same time do not lose a key: the second one is refused (unavailable). `path` may
/// be a symbolic link, which stays one. Returns the ring as it is now, or would be.
[[nodiscard]] Result<crypto::KeyRing> change_key_ring_file(const std::string& path,
                                                           const std::function<Result<void>(crypto::KeyRing&)>& change,
                                                           Keep keep = Keep::yes);

}  // namespace tokenrail::cli
