// What of a text may stand in the audit log.
#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "common/events/audit.hpp"
#include "common/events/redaction.hpp"
#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  // Fails only where the library itself is broken; an empty hash then says that there is none.
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    return {};
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * length);
  for (unsigned int index = 0; index < length; ++index) {
    hex += digits[digest[index] >> 4U];
    hex += digits[digest[index] & 0xFU];
  }
  return hex;
}

}  // namespace

AuditedContent audited(std::string_view text, ContentPolicy policy, std::size_t text_bytes_max,
                       std::span<const std::string> secret_literals) {
  AuditedContent content{.sha256 = sha256_hex(text), .bytes = static_cast<std::int64_t>(text.size())};
  if (policy == ContentPolicy::none) {
    return content;
  }

  const auto kept_max =
      policy == ContentPolicy::truncated ? std::min(text_bytes_max, audit_excerpt_bytes_max) : text_bytes_max;
  // Secrets are looked for a little beyond the cut, so that one which the cut would split is found whole; not in all of
  // a text of megabytes of which a page is kept.
  constexpr std::size_t lookahead_bytes = 4096;
  const auto window = utf8_prefix(text, kept_max > text.size() ? text.size() : kept_max + lookahead_bytes);
  auto redacted = redact_secrets(window, secret_literals);
  const auto kept = utf8_prefix(redacted.text, kept_max);
  content.truncated = window.size() < text.size() || kept.size() < redacted.text.size();
  content.redacted = redacted.redacted;
  redacted.text.resize(kept.size());
  content.text = std::move(redacted.text);
  return content;
}

}  // namespace tokenrail::events
