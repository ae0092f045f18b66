#include "common/auth/api_token.hpp"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace tokenrail::auth {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  for (const auto byte : bytes) {
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 0xfU];
  }
}

bool is_hex(std::string_view text, std::size_t bytes) {
  return text.size() == 2 * bytes && std::ranges::all_of(text, [](char c) { return hex_digits.contains(c); });
}

Digest sha256_of(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

}  // namespace

NewApiToken api_token_from(std::span<const std::uint8_t, api_token_id_bytes> id,
                           std::span<const std::uint8_t, api_token_secret_bytes> secret) {
  std::string id_text;
  append_hex(id_text, id);
  std::string token;
  token.reserve(api_token_prefix.size() + id_text.size() + 1 + 2 * api_token_secret_bytes);
  token.append(api_token_prefix).append(id_text).append("_");
  append_hex(token, secret);
  const auto digest = sha256_of(token);
  return {.id = std::move(id_text), .token = Secret(std::move(token)), .sha256 = digest};
}

Result<NewApiToken> make_api_token() {
  std::array<std::uint8_t, api_token_id_bytes> id{};
  std::array<std::uint8_t, api_token_secret_bytes> secret{};
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1 ||
      RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    return fail(ErrorKind::unavailable, "no token was made, because the system gave no random bytes");
  auto made = api_token_from(id, secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  return made;
}

std::optional<PresentedApiToken> read_api_token(std::string_view text) {
  if (!text.starts_with(api_token_prefix)) return std::nullopt;
  const auto rest = text.substr(api_token_prefix.size());
  const auto end_of_id = rest.find('_');
  if (end_of_id == std::string_view::npos) return std::nullopt;
  const auto id = rest.substr(0, end_of_id);
  if (!is_hex(id, api_token_id_bytes) || !is_hex(rest.substr(end_of_id + 1), api_token_secret_bytes))
    return std::nullopt;
  return PresentedApiToken{.id = std::string(id), .sha256 = sha256_of(text)};
}

bool same_digest(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tokenrail::auth
