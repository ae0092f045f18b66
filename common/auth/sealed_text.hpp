// A text that a browser keeps for us and can neither read nor alter, in characters that a cookie may hold.
// docs/explanation/authorisation.md.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/crypto/key_ring.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {

class TextSealer {
 public:
  /// `ring` outlives the sealer. Its primary key seals, and each key that is not disabled opens what it sealed. Null: a
  /// random key of this process. `purpose` separates the key from every other one that comes from the ring.
  TextSealer(const crypto::KeyRing* ring, std::string purpose);

  /// Errors (unavailable): the ring has no key.
  [[nodiscard]] Result<std::string> seal(std::string_view text) const;

  /// Takes any bytes. The error says why they are not a text that was sealed for this purpose.
  [[nodiscard]] std::expected<Secret, std::string> open(std::string_view sealed) const;

 private:
  [[nodiscard]] std::optional<std::string> key_of(std::string_view id) const;
  [[nodiscard]] std::string additional_data(std::string_view key_id) const;

  const crypto::KeyRing* ring_;
  std::string purpose_;
  Secret own_key_{};
};

}  // namespace tokenrail::auth
