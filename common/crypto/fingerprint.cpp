#include "common/crypto/fingerprint.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "common/crypto/bytes.hpp"

namespace tokenrail::crypto {
namespace {

constexpr std::size_t shown_bytes = 8;
constexpr std::size_t shown_end = 4;
constexpr std::size_t characters_min = 12;

/// UTF-8: every byte but those that continue a character.
std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string fingerprint(const KeyRing& ring, const Secret& secret) {
  const Secret key(hmac_sha256(ring.primary_key().reveal(), "tokenrail fingerprint v1"));
  return to_hex(std::string_view(hmac_sha256(key.reveal(), secret.reveal())).substr(0, shown_bytes));
}

std::string last4(const Secret& secret) {
  const std::string_view text = secret.reveal();
  if (characters_of(text) < characters_min) return {};
  const auto end = text.substr(text.size() - shown_end);
  if (!std::ranges::all_of(end, [](char c) { return c > ' ' && c <= '~'; })) return {};
  return std::string(end);
}

}  // namespace tokenrail::crypto
