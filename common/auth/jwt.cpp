#include "common/auth/jwt.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/auth/json.hpp"
#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

std::unexpected<Refused> refuse(Refusal why, std::string detail) {
  return std::unexpected(Refused{why, std::move(detail)});
}

struct Parts {
  std::string header{};   ///< JSON
  std::string payload{};  ///< JSON, not trusted yet
  CompactJws jws{};
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto header = crypto::from_base64url(token.substr(0, first));
  auto payload = crypto::from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = crypto::from_base64url(token.substr(second + 1));  // a third dot is no digit of base64url
  if (!header || !payload || !signature) return std::nullopt;
  return Parts{.header = std::move(*header),
               .payload = std::move(*payload),
               .jws = {.token = token, .signing_input = token.substr(0, second), .signature = std::move(*signature)}};
}

/// Media types are compared without regard to case, and "application/" may be left out (RFC 7515, section 4.1.9).
bool is_token_type(std::string_view type) {
  std::string lower;
  for (const char c : type) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view prefix = "application/";
  if (lower.starts_with(prefix)) lower.erase(0, prefix.size());
  return lower == "jwt" || lower == "at+jwt";
}

struct Header {
  Algorithm algorithm{};
  std::string kid{};
};

std::expected<Header, Refused> read_header(std::string_view json) {
  const auto text = JsonText::parse(json);
  if (!text) return refuse(Refusal::invalid_header, "the header is not one JSON object with unique names");
  const auto header = text->root();
  const auto algorithm = algorithm_of(header.find("alg").string().value_or(""));
  if (!algorithm) return refuse(Refusal::algorithm_refused, "alg is not RS256, ES256 or EdDSA");
  if (header.find("crit").exists()) return refuse(Refusal::critical_header, "the header has crit");
  const auto type = header.find("typ");
  if (type.exists() && !is_token_type(type.string().value_or("")))
    return refuse(Refusal::wrong_type, "typ is not JWT or at+jwt");
  const auto kid = header.find("kid").string().value_or("");
  if (kid.empty() || kid.size() > JwkSet::kid_bytes_max)
    return refuse(Refusal::no_key_id, "kid is missing, empty or too long");
  return Header{.algorithm = *algorithm, .kid = std::string(kid)};
}

}  // namespace

std::expected<std::string, Refused> verified_payload(std::string_view token, const JwkSet& keys) {
  if (token.size() > token_bytes_max)
    return refuse(Refusal::too_large, fmt::format("{} bytes, at most {} are read", token.size(), token_bytes_max));
  auto parts = split(token);
  if (!parts) return refuse(Refusal::not_a_jwt, "not three parts in base64url");
  const auto header = read_header(parts->header);
  if (!header) return std::unexpected(header.error());

  const auto* const key = keys.find(header->kid);
  if (key == nullptr) return refuse(Refusal::unknown_key, fmt::format("the issuer has no key '{}'", header->kid));
  if (key->algorithm() != header->algorithm)
    return refuse(Refusal::wrong_algorithm_for_key,
                  fmt::format("key '{}' is for {}", header->kid, name_of(key->algorithm())));
  if (!key->verifies(parts->jws)) return refuse(Refusal::bad_signature, fmt::format("not signed by '{}'", header->kid));
  return std::move(parts->payload);
}

std::expected<VerifiedToken, Refused> verify_jwt(std::string_view token, const JwkSet& keys, const JwtRules& rules,
                                                 std::chrono::sys_seconds now) {
  const auto payload = verified_payload(token, keys);
  if (!payload) return std::unexpected(payload.error());
  return read_claims(*payload, rules, now);
}

}  // namespace tokenrail::auth
