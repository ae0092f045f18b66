// Service tokens: `trk_<id>_<secret>`. Only the SHA-256 of a token is stored, which is enough because the secret has
// 256 random bits. The id finds the row; it is no secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {

using Digest = std::array<std::uint8_t, 32>;

inline constexpr std::string_view api_token_prefix = "trk_";
inline constexpr std::size_t api_token_id_bytes = 12;      ///< random bytes; two hexadecimal digits each in the text
inline constexpr std::size_t api_token_secret_bytes = 32;  ///< as above

struct NewApiToken {
  std::string id;
  Secret token;   ///< shown to its owner once, then forgotten
  Digest sha256;  ///< of the whole text: what is stored
};

/// Errors: unavailable, where the system gives no random bytes.
[[nodiscard]] Result<NewApiToken> make_api_token();
/// Pure.
[[nodiscard]] NewApiToken api_token_from(std::span<const std::uint8_t, api_token_id_bytes> id,
                                         std::span<const std::uint8_t, api_token_secret_bytes> secret);

struct PresentedApiToken {
  std::string id;
  Digest sha256;
};
/// Nothing where the text has not exactly the form of a service token.
[[nodiscard]] std::optional<PresentedApiToken> read_api_token(std::string_view text);

/// In constant time.
[[nodiscard]] bool same_digest(const Digest& a, const Digest& b);

}  // namespace tokenrail::auth
