#include "common/auth/dev_issuer.hpp"

#include <cstring>
#include <utility>

#include <cjose/cjose.h>
#include <fmt/format.h>
#include <strings.h>

#include "common/auth/json.hpp"
#include "common/auth/jwt.hpp"
#include "common/auth/key_file.hpp"
#include "common/crypto/bytes.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {
namespace {

struct ReleaseJwk {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
struct ReleaseHeader {
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
};
using Jwk = std::unique_ptr<cjose_jwk_t, ReleaseJwk>;

enum class Half : bool { public_only, both };

Secret json_of(const cjose_jwk_t& key, Half half) {
  cjose_err error{};
  char* const text = cjose_jwk_to_json(&key, half == Half::both, &error);
  if (text == nullptr) return {};
  Secret json{std::string_view(text)};
  explicit_bzero(text, std::strlen(text));
  cjose_get_dealloc()(text);
  return json;
}

/// RFC 7638: the hash of the members that make the key, in this order.
std::string thumbprint(JsonValue key) {
  const auto members = fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                                   key.find("x").string().value_or(""), key.find("y").string().value_or(""));
  return crypto::to_base64url(crypto::sha256(members));
}

/// A new private key as JSON.
Secret make_key() {
  cjose_err error{};
  const Jwk key(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error));
  if (!key) return {};
  const auto json = JsonText::parse(json_of(*key, Half::public_only).reveal());
  if (!json) return {};
  const auto kid = thumbprint(json->root());
  if (!cjose_jwk_set_kid(key.get(), kid.data(), kid.size(), &error)) return {};
  return json_of(*key, Half::both);
}

std::unexpected<Error> no_key(const std::string& file) {
  return fail(ErrorKind::invalid_input, fmt::format("'{}' holds no ES256 key; delete it, and a new one is made", file));
}

}  // namespace

struct DevIssuer::Key {
  Jwk jwk{};
  std::string kid{};
  JwkSet keys{};
};

DevIssuer::DevIssuer(std::unique_ptr<Key> key) : key_(std::move(key)) {}
DevIssuer::DevIssuer(DevIssuer&&) noexcept = default;
DevIssuer& DevIssuer::operator=(DevIssuer&&) noexcept = default;
DevIssuer::~DevIssuer() = default;

std::string default_dev_key_file(std::string_view xdg_state_home, std::string_view home) {
  constexpr std::string_view name = "tokenrail/dev-auth-key.json";
  // The XDG specification has relative paths ignored.
  if (xdg_state_home.starts_with('/')) return fmt::format("{}/{}", xdg_state_home, name);
  if (home.starts_with('/')) return fmt::format("{}/.local/state/{}", home, name);
  return {};
}

Result<DevIssuer> DevIssuer::open(const std::string& file) {
  auto content = read_key_file(file);
  if (!content && content.error().kind == ErrorKind::not_found) {
    const auto made = make_key();
    if (made.empty()) return fail(ErrorKind::unavailable, "no key was made: OpenSSL refused");
    if (const auto done = make_key_file(file, made.reveal()); !done) return std::unexpected(done.error());
    content = read_key_file(file);
  }
  if (!content) return std::unexpected(content.error());

  auto key = std::make_unique<Key>();
  cjose_err error{};
  key->jwk.reset(cjose_jwk_import(content->reveal().data(), content->size(), &error));
  if (!key->jwk || cjose_jwk_get_kty(key->jwk.get(), &error) != CJOSE_JWK_KTY_EC) return no_key(file);
  const char* const kid = cjose_jwk_get_kid(key->jwk.get(), &error);
  if (kid == nullptr) return no_key(file);
  key->kid = kid;
  auto keys = JwkSet::parse(fmt::format(R"({{"keys":[{}]}})", json_of(*key->jwk, Half::public_only).reveal()));
  if (!keys || keys->find(key->kid) == nullptr) return no_key(file);
  key->keys = std::move(*keys);

  DevIssuer issuer(std::move(key));
  // Fails where the file has the public half only.
  if (!issuer.issue({.audience = "self-test", .subject = "self-test"}, {})) return no_key(file);
  return issuer;
}

const JwkSet& DevIssuer::keys() const {
  return key_->keys;
}

const std::string& DevIssuer::kid() const {
  return key_->kid;
}

Result<std::string> DevIssuer::issue(const Claims& claims, std::chrono::sys_seconds now) const {
  JsonObject payload;
  payload.set("iss", dev_issuer_name).set("aud", claims.audience).set("sub", claims.subject);
  if (!claims.org.empty()) payload.set("org", claims.org);
  if (!claims.role.empty()) payload.set("role", claims.role);
  payload.set("iat", now.time_since_epoch().count()).set("exp", (now + claims.lifetime).time_since_epoch().count());
  const auto text = payload.text();
  if (!text) return fail(ErrorKind::invalid_input, "a claim is not valid UTF-8");

  cjose_err error{};
  const std::unique_ptr<cjose_header_t, ReleaseHeader> header(cjose_header_new(&error));
  const bool set = header && cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &error) &&
                   cjose_header_set(header.get(), CJOSE_HDR_KID, key_->kid.c_str(), &error) &&
                   cjose_header_set(header.get(), "typ", "at+jwt", &error);
  const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(
      set ? cjose_jws_sign(key_->jwk.get(), header.get(), reinterpret_cast<const std::uint8_t*>(text->data()),
                           text->size(), &error)
          : nullptr);
  const char* token = nullptr;  // belongs to jws
  if (!jws || !cjose_jws_export(jws.get(), &token, &error))
    return fail(ErrorKind::unavailable, "the token could not be signed: OpenSSL refused");

  const JwtRules rules{.issuer = std::string(dev_issuer_name), .audience = claims.audience};
  if (const auto verified = verify_jwt(token, key_->keys, rules, now); !verified)
    return fail(ErrorKind::invalid_input, fmt::format("no token was made: {}", verified.error().detail));
  return std::string(token);
}

}  // namespace tokenrail::auth
