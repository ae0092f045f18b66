#include "common/auth/api_token.hpp"

#include <algorithm>
#include <stdexcept>

#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

template <std::size_t Count>
std::span<const std::uint8_t, Count> bytes_of(std::string_view text) {
  return std::span<const std::uint8_t, Count>(reinterpret_cast<const std::uint8_t*>(text.data()), Count);
}

std::string_view view_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_hex(std::string_view text, std::size_t bytes) {
  return text.size() == 2 * bytes && std::ranges::all_of(text, [](char c) { return hex_digits.contains(c); });
}

Digest sha256_of(std::string_view text) {
  Digest digest{};
  std::ranges::copy(crypto::sha256(text), digest.begin());
  return digest;
}

}  // namespace

NewApiToken api_token_from(std::span<const std::uint8_t, api_token_id_bytes> id,
                           std::span<const std::uint8_t, api_token_secret_bytes> secret) {
  auto id_text = crypto::to_hex(view_of(id));
  auto secret_text = crypto::to_hex(view_of(secret));
  std::string token;
  token.reserve(api_token_prefix.size() + id_text.size() + 1 + secret_text.size());
  token.append(api_token_prefix).append(id_text).append("_").append(secret_text);
  crypto::cleanse(secret_text);
  const auto digest = sha256_of(token);
  return {.id = std::move(id_text), .token = Secret(std::move(token)), .sha256 = digest};
}

Result<NewApiToken> make_api_token() {
  try {
    const auto id = crypto::random_public_bytes(api_token_id_bytes);
    const auto secret = crypto::random_bytes(api_token_secret_bytes);
    return api_token_from(bytes_of<api_token_id_bytes>(id), bytes_of<api_token_secret_bytes>(secret.reveal()));
  } catch (const std::runtime_error&) {
    return fail(ErrorKind::unavailable, "no token was made, because the system gave no random bytes");
  }
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
  return crypto::equal_in_constant_time(view_of(a), view_of(b));
}

}  // namespace tokenrail::auth
