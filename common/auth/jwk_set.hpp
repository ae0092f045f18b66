// The public keys of an issuer (RFC 7517), as far as they may verify a token. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::auth {

/// The algorithms that a token may be signed with; no other is ever accepted.
enum class Algorithm : std::uint8_t { rs256, es256, eddsa };

[[nodiscard]] std::string_view name_of(Algorithm algorithm);
/// As a header's `alg` has it. Nothing for every other, `none` and the HS family among them.
[[nodiscard]] std::optional<Algorithm> algorithm_of(std::string_view name);

/// A token's parts. Views into `token`, except the signature, which is decoded.
struct CompactJws {
  std::string_view token{};
  std::string_view signing_input{};  ///< header and payload with the dot between them, as they were signed
  std::string signature{};
};

/// One key, which verifies signatures of one algorithm.
class PublicKey {
 public:
  virtual ~PublicKey() = default;
  [[nodiscard]] virtual Algorithm algorithm() const = 0;
  [[nodiscard]] virtual bool verifies(const CompactJws& jws) const = 0;
};

/// The keys of an issuer by their `kid`. Cheap to copy.
class JwkSet {
 public:
  static constexpr std::size_t bytes_max = std::size_t{256} * 1024;
  static constexpr std::size_t keys_max = 100;
  static constexpr std::size_t kid_bytes_max = 256;

  /// Errors (invalid_input): no JWK set, or larger than the bounds. A single key that cannot be used, or must not be,
  /// is left out and named in ignored(): private and symmetric keys, RSA below 2,048 bits or above 8,192, other curves,
  /// keys for encryption, keys without a `kid`, and the second key of a `kid`.
  [[nodiscard]] static Result<JwkSet> parse(std::string_view json);

  [[nodiscard]] std::size_t size() const;
  /// Null where there is none. Lives as long as this set.
  [[nodiscard]] const PublicKey* find(std::string_view kid) const;
  /// Why keys were left out, one text each, for the log.
  [[nodiscard]] const std::vector<std::string>& ignored() const;

 private:
  struct Contents {
    std::map<std::string, std::shared_ptr<const PublicKey>, std::less<>> keys{};
    std::vector<std::string> ignored{};
  };
  std::shared_ptr<const Contents> contents_ = std::make_shared<const Contents>();
};

}  // namespace tokenrail::auth
