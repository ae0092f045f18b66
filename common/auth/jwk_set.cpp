#include "common/auth/jwk_set.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <expected>
#include <utility>

#include <fmt/format.h>

#include "common/auth/json.hpp"
#include "common/auth/public_key.hpp"
#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::array<std::pair<Algorithm, std::string_view>, 3> algorithms{
    {{Algorithm::rs256, "RS256"}, {Algorithm::es256, "ES256"}, {Algorithm::eddsa, "EdDSA"}}};

constexpr std::size_t rsa_bits_min = 2048;
constexpr std::size_t rsa_bits_max = 8192;
constexpr std::size_t rsa_exponent_bytes_max = 8;  // OpenSSL's own bound for large keys
constexpr std::size_t coordinate_bytes = 32;

using Key = std::shared_ptr<const PublicKey>;
using KeyOrReason = std::expected<Key, std::string>;

std::unexpected<std::string> unusable(std::string reason) {
  return std::unexpected(std::move(reason));
}

std::optional<std::string> bytes_member(JsonValue key, const char* name) {
  const auto text = key.find(name).string();
  return text ? crypto::from_base64url(*text) : std::nullopt;
}

std::string without_leading_zeros(std::string bytes) {
  bytes.erase(0, std::min(bytes.find_first_not_of('\0'), bytes.size()));
  return bytes;
}

bool is_odd(std::string_view number) {
  return !number.empty() && (static_cast<unsigned char>(number.back()) & 1U) != 0;
}

std::size_t bits_of(std::string_view number) {
  if (number.empty()) return 0;
  return (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(static_cast<unsigned char>(number.front())));
}

KeyOrReason read_rsa(JsonValue key) {
  auto n = bytes_member(key, "n");
  auto e = bytes_member(key, "e");
  if (!n || !e) return unusable("its n or e cannot be read");
  const auto modulus = without_leading_zeros(std::move(*n));
  const auto exponent = without_leading_zeros(std::move(*e));
  const auto bits = bits_of(modulus);
  if (bits < rsa_bits_min || bits > rsa_bits_max)
    return unusable(fmt::format("an RSA key of {} bits, allowed are {} to {}", bits, rsa_bits_min, rsa_bits_max));
  // With an exponent of 1 every text is its own signature.
  if (!is_odd(modulus) || !is_odd(exponent) || bits_of(exponent) < 2 || exponent.size() > rsa_exponent_bytes_max)
    return unusable("its n or e is no RSA key");
  if (auto made = rsa_key(modulus, exponent)) return made;
  return unusable("its n or e is no RSA key");
}

KeyOrReason read_ec(JsonValue key) {
  if (key.find("crv").string() != "P-256") return unusable("another curve than P-256");
  const auto x = bytes_member(key, "x");
  const auto y = bytes_member(key, "y");
  if (!x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes)
    return unusable("its x or y cannot be read");
  if (auto made = p256_key(*x, *y)) return made;
  return unusable("its x and y are no point of P-256");
}

KeyOrReason read_okp(JsonValue key) {
  if (key.find("crv").string() != "Ed25519") return unusable("another curve than Ed25519");
  const auto x = bytes_member(key, "x");
  if (!x || x->size() != coordinate_bytes) return unusable("its x cannot be read");
  if (auto made = ed25519_key(*x)) return made;
  return unusable("its x is no Ed25519 key");
}

/// `use` and `key_ops`, where the issuer gives them.
bool is_for_signatures(JsonValue key) {
  const auto use = key.find("use");
  if (use.exists() && use.string() != "sig") return false;
  const auto operations = key.find("key_ops");
  if (!operations.exists()) return true;
  for (std::size_t i = 0; operations.is_array() && i < operations.size(); ++i)
    if (operations.at(i).string() == "verify") return true;
  return false;
}

KeyOrReason read_key(JsonValue key) {
  // Such a key is known to more than its issuer: every reader of the set can sign.
  for (const char* const secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    if (key.find(secret).exists()) return unusable("a private or symmetric key");
  if (!is_for_signatures(key)) return unusable("no key for signatures");

  const auto type = key.find("kty").string().value_or("");
  auto made = type == "RSA"   ? read_rsa(key)
              : type == "EC"  ? read_ec(key)
              : type == "OKP" ? read_okp(key)
                              : KeyOrReason(unusable("another type than RSA, EC or OKP"));
  const auto algorithm = key.find("alg");
  if (made && algorithm.exists() && algorithm.string() != name_of((*made)->algorithm()))
    return unusable("another algorithm than RS256, ES256 or EdDSA");
  return made;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  return std::ranges::find(algorithms, algorithm, &std::pair<Algorithm, std::string_view>::first)->second;
}

std::optional<Algorithm> algorithm_of(std::string_view name) {
  const auto* const found = std::ranges::find(algorithms, name, &std::pair<Algorithm, std::string_view>::second);
  if (found == algorithms.end()) return std::nullopt;
  return found->first;
}

Result<JwkSet> JwkSet::parse(std::string_view json) {
  if (json.size() > bytes_max)
    return fail(ErrorKind::invalid_input, fmt::format("the JWK set is larger than {} KiB", bytes_max / 1024));
  const auto text = JsonText::parse(json);
  if (!text) return fail(ErrorKind::invalid_input, "the JWK set is not a JSON object");
  const auto keys = text->root().find("keys");
  if (!keys.is_array()) return fail(ErrorKind::invalid_input, "the JWK set has no array 'keys'");
  if (keys.size() > keys_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("the JWK set has {} keys, at most {} are read", keys.size(), keys_max));

  Contents contents;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto key = keys.at(i);
    const auto kid = key.find("kid").string().value_or("");
    if (kid.empty() || kid.size() > kid_bytes_max) {
      contents.ignored.push_back(fmt::format("key {}: its kid is missing or longer than {} bytes", i, kid_bytes_max));
      continue;
    }
    auto read = read_key(key);
    if (read && contents.keys.contains(kid)) read = unusable("the second key of this kid");
    if (read) {
      contents.keys.emplace(kid, std::move(*read));
    } else {
      contents.ignored.push_back(fmt::format("key {} ('{}'): {}", i, kid, read.error()));
    }
  }
  JwkSet set;
  set.contents_ = std::make_shared<const Contents>(std::move(contents));
  return set;
}

std::size_t JwkSet::size() const {
  return contents_->keys.size();
}

const std::vector<std::string>& JwkSet::ignored() const {
  return contents_->ignored;
}

const PublicKey* JwkSet::find(std::string_view kid) const {
  const auto found = contents_->keys.find(kid);
  return found == contents_->keys.end() ? nullptr : found->second.get();
}

}  // namespace tokenrail::auth
