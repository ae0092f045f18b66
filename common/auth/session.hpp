// The session of a browser: who was logged in, sealed into the value of a cookie. The server keeps only which sessions
// ended before their time, so that every process with the same key ring knows the sessions of the others.
// docs/explanation/authorisation.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/auth/claims.hpp"
#include "common/auth/principal.hpp"
#include "common/auth/sealed_text.hpp"
#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"

namespace tokenrail::auth {

struct Session {
  std::string name{};  ///< of the user, for people; may be empty
  /// What a page has to send with each changing request, to prove that it can read the session.
  std::string csrf_token{};
  std::chrono::sys_seconds expires_at{};
  std::string id{};             ///< what is kept of it where it ends before its time
  std::int64_t generation = 0;  ///< the highest one of the user that had been ended when it began
};

/// Who asks, and the session that says so; without one, a bearer token did.
struct Identity {
  Principal principal{};
  std::optional<Session> session{};
};

/// Browsers keep cookies of up to 4 KiB, the name and the attributes included.
inline constexpr std::size_t session_bytes_max = 3'800;

/// A random CSRF token.
[[nodiscard]] std::string new_csrf_token();
/// A random id of a session.
[[nodiscard]] std::string new_session_id();

class SessionSealer {
 public:
  /// `ring` outlives the sealer. Its primary key seals, and each key that is not disabled opens what it sealed, so that
  /// a rotation ends no session. Null: a random key of this process, so that sessions end with it.
  explicit SessionSealer(const crypto::KeyRing* ring);

  /// Characters that a cookie may hold. Errors (invalid_input): more organisations than fit into session_bytes_max, or
  /// a text that is not UTF-8.
  [[nodiscard]] Result<std::string> seal(const Principal& principal, const Session& session) const;

  /// Takes any bytes. Refused: invalid_session, expired.
  [[nodiscard]] std::expected<Identity, Refused> open(std::string_view sealed, std::chrono::sys_seconds now) const;

 private:
  TextSealer sealer_;
};

/// The value of the cookie of that name in a header Cookie; empty: it is not there.
[[nodiscard]] std::string_view cookie_value(std::string_view cookie_header, std::string_view name);

}  // namespace tokenrail::auth
