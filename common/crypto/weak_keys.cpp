#include "common/crypto/weak_keys.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>

#include "common/crypto/bytes.hpp"

namespace tokenrail::crypto {
namespace {

// 32 random bytes hold some 30 different ones, and fewer than these with a probability of about 2^-50.
constexpr std::size_t distinct_bytes_min = 16;
// A random key ends in this many zeros with a probability of 2^-64.
constexpr std::size_t padding_bytes_min = 8;

/// SHA-256 of keys that are printed where everybody can read them: that of NIST SP 800-38A, and the example in
/// docs/explanation/credentials.md.
constexpr std::array<std::string_view, 2> printed_keys{
    "b93c72b74bc8487d29827005f80d635918f91bc22b14d7ed05714d58f96702dd",
    "0e60ae8a5376d2246985fc15b30f58735eedf9f7b8db43fbf48528ab5a19b544",
};

/// What people put through SHA-256 to get 32 bytes.
constexpr std::array<std::string_view, 18> hashed_words{
    "",        "0",   "1234",   "123456",   "12345678", "admin",     "changeme", "change-me", "change_me",
    "default", "key", "master", "password", "secret",   "secretkey", "sk-1234",  "test",      "tokenrail"};

unsigned char at(std::string_view key, std::size_t index) {
  return static_cast<unsigned char>(key[index]);
}

bool steps_are_equal(std::string_view key) {
  const auto step = static_cast<unsigned char>(at(key, 1) - at(key, 0));
  for (std::size_t i = 2; i < key.size(); ++i)
    if (static_cast<unsigned char>(at(key, i) - at(key, i - 1)) != step) return false;
  return true;
}

bool repeats_itself(std::string_view key) {
  for (std::size_t period = 1; period <= key.size() / 2; ++period)
    if (key.substr(period) == key.substr(0, key.size() - period)) return true;
  return false;
}

bool is_text(std::string_view key) {
  return std::ranges::all_of(key, [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; });
}

std::size_t distinct_bytes(std::string_view key) {
  std::bitset<256> seen;
  for (const char c : key) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

}  // namespace

std::optional<std::string_view> weakness_of(std::string_view key) {
  if (std::ranges::count(key, key.front()) == std::ssize(key)) return "all its bytes are equal";
  if (steps_are_equal(key)) return "its bytes are a counting sequence";
  if (repeats_itself(key)) return "it is a short pattern that repeats";
  const auto text = key.substr(0, key.find_last_not_of('\0') + 1);
  if ((text.size() == key.size() || key.size() - text.size() >= padding_bytes_min) && is_text(text))
    return "it is printable text, not random bytes";
  if (distinct_bytes(key) < distinct_bytes_min) return "it has too few different bytes to be random";
  if (key.substr(key.size() - padding_bytes_min).find_first_not_of('\0') == std::string_view::npos ||
      key.substr(0, padding_bytes_min).find_first_not_of('\0') == std::string_view::npos)
    return "it is padded with zeros";
  if (std::ranges::find(printed_keys, sha256_hex(key)) != printed_keys.end())
    return "it is printed in public documentation";
  for (const auto word : hashed_words)
    if (equal_in_constant_time(sha256(word), key)) return "it is the SHA-256 of a well-known word";
  return std::nullopt;
}

}  // namespace tokenrail::crypto
