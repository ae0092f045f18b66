// Everything of common/auth that reads foreign bytes: tokens, claims, key sets, service tokens. The signature is what
// keeps most inputs from the claims, so they are read on their own too.
#include <string>

#include "common/auth/api_token.hpp"
#include "common/auth/claims.hpp"
#include "common/auth/jwk_set.hpp"
#include "common/auth/jwt.hpp"
#include "common/crypto/bytes.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

// The keys of RFC 7515 (appendix A.3) and RFC 8037 (appendix A.2); what signs with them is published there.
constexpr std::string_view published_keys =
    R"({"keys":[{"kid":"e","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kid":"o","kty":"OKP","crv":"Ed25519",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

void check_principal(const auth::VerifiedToken& token) {
  fuzz::expect(!token.principal.subject.empty() && token.principal.subject.size() <= auth::subject_bytes_max);
  fuzz::expect(token.principal.roles.size() <= auth::memberships_max + 1);
  for (const auto& [org, role] : token.principal.roles)
    fuzz::expect(!org.empty() && org.size() <= auth::org_bytes_max && auth::role_of(auth::name_of(role)) == role);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto keys = *auth::JwkSet::parse(published_keys);
  static const auth::JwtRules rules{.issuer = "i", .audience = "a"};
  const std::chrono::sys_seconds now{std::chrono::seconds(1'000'000'000)};
  const auto text = fuzz::text_of(bytes, size);

  if (const auto token = auth::verify_jwt(text, keys, rules, now)) check_principal(*token);
  // The input as the payload of a token that names a key, and as a whole header.
  for (const auto& [header, payload] :
       {std::pair<std::string_view, std::string_view>(R"({"alg":"ES256","kid":"e"})", text),
        {R"({"alg":"EdDSA","kid":"o"})", text},
        {text, "{}"}}) {
    const auto token = crypto::to_base64url(header) + "." + crypto::to_base64url(payload) + "." +
                       crypto::to_base64url(std::string(64, '\1'));
    fuzz::expect(!auth::verify_jwt(token, keys, rules, now));
  }
  if (const auto token = auth::read_claims(text, rules, now)) check_principal(*token);
  if (const auto set = auth::JwkSet::parse(text))
    fuzz::expect(set->size() + set->ignored().size() <= auth::JwkSet::keys_max);
  if (const auto decoded = crypto::from_base64url(text)) fuzz::expect(crypto::to_base64url(*decoded) == text);
  if (const auto token = auth::read_api_token(text)) fuzz::expect(token->id.size() == 2 * auth::api_token_id_bytes);
  return 0;
}
