// Signs whatever a test wants, by OpenSSL alone: an issuer that is honest or not.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::auth::testing {

class Signer {
 public:
  static Signer rsa(unsigned bits) { return Signer("RS256", EVP_RSA_gen(bits)); }
  static Signer p256() { return Signer("ES256", EVP_EC_gen("P-256")); }
  static Signer p384() { return Signer("ES384", EVP_EC_gen("P-384")); }
  static Signer ed25519() { return Signer("EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

  [[nodiscard]] const std::string& algorithm() const { return algorithm_; }

  /// As a JWS has it.
  [[nodiscard]] std::string signature(std::string_view input) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const auto* digest = algorithm_ == "EdDSA" ? nullptr : algorithm_ == "ES384" ? EVP_sha384() : EVP_sha256();
    EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get());
    const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, bytes, input.size());
    std::vector<unsigned char> out(size);
    EVP_DigestSign(context.get(), out.data(), &size, bytes, input.size());
    out.resize(size);
    return algorithm_.starts_with("ES") ? raw_of_der(out) : std::string(out.begin(), out.end());
  }

  /// A whole token.
  [[nodiscard]] std::string token(std::string_view header, std::string_view payload) const {
    const auto input = crypto::to_base64url(header) + "." + crypto::to_base64url(payload);
    return input + "." + crypto::to_base64url(signature(input));
  }

  /// The members that make the public key, without braces.
  [[nodiscard]] std::string public_members() const {
    if (algorithm_ == "RS256")
      return fmt::format(R"("kty":"RSA","n":"{}","e":"{}")", number(OSSL_PKEY_PARAM_RSA_N),
                         number(OSSL_PKEY_PARAM_RSA_E));
    if (algorithm_ == "EdDSA") {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
      return fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")", crypto::to_base64url(raw));
    }
    return fmt::format(R"("kty":"EC","crv":"{}","x":"{}","y":"{}")", algorithm_ == "ES256" ? "P-256" : "P-384",
                       number(OSSL_PKEY_PARAM_EC_PUB_X), number(OSSL_PKEY_PARAM_EC_PUB_Y));
  }
  [[nodiscard]] std::string private_member() const {
    return fmt::format(R"("d":"{}")", number(algorithm_ == "RS256" ? OSSL_PKEY_PARAM_RSA_D : OSSL_PKEY_PARAM_PRIV_KEY));
  }
  [[nodiscard]] std::string jwk(std::string_view kid, std::string_view more = "") const {
    return fmt::format(R"({{"kid":"{}",{}{}}})", kid, public_members(), more);
  }

 private:
  Signer(std::string algorithm, EVP_PKEY* key) : algorithm_(std::move(algorithm)), key_(key, &EVP_PKEY_free) {}

  [[nodiscard]] std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(value, &BN_free);
    // Coordinates keep their leading zeros (RFC 7518, section 6.2.1.2).
    const bool fixed = algorithm_.starts_with("ES");
    const int width = fixed ? (algorithm_ == "ES256" ? 32 : 48) : BN_num_bytes(value);
    std::string bytes(static_cast<std::size_t>(width), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), width);
    return crypto::to_base64url(bytes);
  }

  [[nodiscard]] std::string raw_of_der(const std::vector<unsigned char>& der) const {
    const auto* at = der.data();
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parsed(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
    const int half = algorithm_ == "ES256" ? 32 : 48;
    std::string raw(2 * static_cast<std::size_t>(half), '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + half, half);
    return raw;
  }

  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// HMAC-SHA256, for tokens that are signed with what is public.
inline std::string hmac_sha256(std::string_view key, std::string_view input) {
  std::string out(32, '\0');
  unsigned size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(input.data()),
       input.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

/// Keys that are made once for all tests: RSA takes its time.
struct Keyring {
  Signer rsa = Signer::rsa(2048);
  Signer short_rsa = Signer::rsa(1024);
  Signer p256 = Signer::p256();
  Signer other_p256 = Signer::p256();
  Signer p384 = Signer::p384();
  Signer ed25519 = Signer::ed25519();
};
inline const Keyring& keyring() {
  static const Keyring keys;
  return keys;
}

inline std::string jwks(const std::vector<std::string>& keys) {
  return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

}  // namespace tokenrail::auth::testing
