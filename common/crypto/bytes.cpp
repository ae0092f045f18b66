#include "common/crypto/bytes.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace tokenrail::crypto {
namespace {

constexpr std::size_t digest_bytes = 32;
constexpr std::uint8_t no_digit = 0xff;

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

unsigned char* data_of(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

int random_size(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::runtime_error("too many random bytes at once");
  return static_cast<int>(count);
}

constexpr std::array<std::uint8_t, 256> digits_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return digits;
}

std::string encode(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += alphabet[(bits >> (held - 6)) & 0x3f];
    bits &= (1U << held) - 1;
  }
  if (held > 0) text += alphabet[(bits << (6 - held)) & 0x3f];
  if (padded) text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

/// `text` without its padding.
std::optional<std::string> decode(std::string_view text, const std::array<std::uint8_t, 256>& digits) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char letter : text) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(letter)];
    if (digit == no_digit) {
      cleanse(bytes);
      return std::nullopt;
    }
    bits = (bits << 6) | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(static_cast<unsigned char>(bits >> held));
    bits &= (1U << held) - 1;
  }
  if (bits == 0) return bytes;
  cleanse(bytes);
  return std::nullopt;
}

}  // namespace

Secret random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_priv_bytes(data_of(bytes), random_size(count)) != 1)
    throw std::runtime_error("OpenSSL has no random bytes to give");
  return Secret(std::move(bytes));
}

std::string random_public_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(data_of(bytes), random_size(count)) != 1)
    throw std::runtime_error("OpenSSL has no random bytes to give");
  return bytes;
}

Secret random_token(std::size_t bytes) {
  return Secret(to_base64url(random_bytes(bytes).reveal()));
}

std::string sha256(std::string_view bytes) {
  std::string digest(digest_bytes, '\0');
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), data_of(digest), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest_bytes)
    throw std::runtime_error("OpenSSL offers no SHA-256");
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(sha256(bytes));
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(digest_bytes, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), random_size(key.size()), data_of(bytes), bytes.size(), data_of(digest), &size) ==
          nullptr ||
      size != digest_bytes)
    throw std::runtime_error("OpenSSL offers no HMAC with SHA-256");
  return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += hex[static_cast<unsigned char>(byte) >> 4];
    text += hex[static_cast<unsigned char>(byte) & 0x0f];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  return encode(bytes, base64_alphabet, true);
}

std::string to_base64url(std::string_view bytes) {
  return encode(bytes, base64url_alphabet, false);
}

std::optional<std::string> from_base64(std::string_view text) {
  static constexpr auto digits = digits_of(base64_alphabet);
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with("==")) {
    text.remove_suffix(2);
  } else if (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  return decode(text, digits);
}

std::optional<std::string> from_base64url(std::string_view text) {
  static constexpr auto digits = digits_of(base64url_alphabet);
  return decode(text, digits);
}

void cleanse(std::string& bytes) noexcept {
  bytes.resize(bytes.capacity());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace tokenrail::crypto
