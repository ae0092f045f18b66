// RS256 and ES256 by cjose. It has no Ed25519, so EdDSA is verified by OpenSSL.
#include "common/auth/public_key.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include <cjose/cjose.h>
#include <openssl/evp.h>

namespace tokenrail::auth {
namespace {

constexpr std::size_t p256_signature_bytes = 64;
constexpr std::size_t ed25519_signature_bytes = 64;

struct ReleaseJwk {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
struct ReleaseKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ReleaseContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Jwk = std::unique_ptr<cjose_jwk_t, ReleaseJwk>;

/// cjose takes its input as pointers to what it could change, and copies it.
std::uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

class CjoseKey final : public PublicKey {
 public:
  CjoseKey(Jwk key, Algorithm algorithm, std::size_t signature_bytes)
      : key_(std::move(key)), algorithm_(algorithm), signature_bytes_(signature_bytes) {}

  [[nodiscard]] Algorithm algorithm() const override { return algorithm_; }
  [[nodiscard]] bool verifies(const CompactJws& jws) const override {
    // cjose halves an ECDSA signature of any size, so that one with more zeros would be another text of the same.
    if (jws.signature.size() != signature_bytes_) return false;
    cjose_err error{};
    const std::unique_ptr<cjose_jws_t, ReleaseJws> parsed(cjose_jws_import(jws.token.data(), jws.token.size(), &error));
    return parsed && cjose_jws_verify(parsed.get(), key_.get(), &error);
  }

 private:
  Jwk key_;
  Algorithm algorithm_;
  std::size_t signature_bytes_;
};

class Ed25519Key final : public PublicKey {
 public:
  explicit Ed25519Key(EVP_PKEY* key) : key_(key) {}

  [[nodiscard]] Algorithm algorithm() const override { return Algorithm::eddsa; }
  [[nodiscard]] bool verifies(const CompactJws& jws) const override {
    if (jws.signature.size() != ed25519_signature_bytes) return false;
    const std::unique_ptr<EVP_MD_CTX, ReleaseContext> context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(std::string_view(jws.signature)), jws.signature.size(),
                            bytes_of(jws.signing_input), jws.signing_input.size()) == 1;
  }

 private:
  std::unique_ptr<EVP_PKEY, ReleaseKey> key_;
};

}  // namespace

std::shared_ptr<const PublicKey> rsa_key(std::string_view modulus, std::string_view exponent) {
  std::string n(modulus);
  std::string e(exponent);
  cjose_jwk_rsa_keyspec spec{};
  spec.n = bytes_of(n);
  spec.nlen = n.size();
  spec.e = bytes_of(e);
  spec.elen = e.size();
  cjose_err error{};
  Jwk key(cjose_jwk_create_RSA_spec(&spec, &error));
  if (!key) return nullptr;
  return std::make_shared<CjoseKey>(std::move(key), Algorithm::rs256, modulus.size());
}

std::shared_ptr<const PublicKey> p256_key(std::string_view x, std::string_view y) {
  std::string x_bytes(x);
  std::string y_bytes(y);
  cjose_jwk_ec_keyspec spec{};
  spec.crv = CJOSE_JWK_EC_P_256;
  spec.x = bytes_of(x_bytes);
  spec.xlen = x_bytes.size();
  spec.y = bytes_of(y_bytes);
  spec.ylen = y_bytes.size();
  cjose_err error{};
  Jwk key(cjose_jwk_create_EC_spec(&spec, &error));
  if (!key) return nullptr;
  return std::make_shared<CjoseKey>(std::move(key), Algorithm::es256, p256_signature_bytes);
}

std::shared_ptr<const PublicKey> ed25519_key(std::string_view x) {
  auto* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size());
  if (key == nullptr) return nullptr;
  return std::make_shared<Ed25519Key>(key);
}

}  // namespace tokenrail::auth
