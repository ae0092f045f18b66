// What of a text the audit log may contain.
#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "common/events/audit.hpp"
#include "common/events/audited_text.hpp"
#include "common/events/redaction.hpp"
#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

// Secrets are looked for a little beyond the cut, so that one which the cut would split is found whole; not in all of a
// text of megabytes of which a page is kept.
constexpr std::size_t lookahead_bytes = 4096;
constexpr std::size_t hash_piece_bytes = 1024;

}  // namespace

struct AuditedText::Hash {
  Hash()
      : context(EVP_MD_CTX_new()), well(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1) {}
  ~Hash() { EVP_MD_CTX_free(context); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void update(std::string_view bytes) { well = well && EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1; }
  /// Empty where the library itself is broken: then there is no hash, rather than a wrong one.
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (!well || EVP_DigestFinal_ex(context, digest.data(), &length) != 1) return {};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * length);
    for (unsigned int index = 0; index < length; ++index) {
      text += digits[digest[index] >> 4U];
      text += digits[digest[index] & 0xFU];
    }
    return text;
  }

  EVP_MD_CTX* context;
  bool well;
};

AuditedText::AuditedText(ContentPolicy policy, std::size_t text_bytes_max)
    : policy_(policy),
      kept_max_(policy == ContentPolicy::none        ? 0
                : policy == ContentPolicy::truncated ? std::min(text_bytes_max, audit_excerpt_bytes_max)
                                                     : text_bytes_max),
      window_max_(policy == ContentPolicy::none ? 0 : kept_max_ + lookahead_bytes) {}

AuditedText::~AuditedText() = default;
AuditedText::AuditedText(AuditedText&&) noexcept = default;
AuditedText& AuditedText::operator=(AuditedText&&) noexcept = default;

void AuditedText::append(std::string_view piece) {
  bytes_ += static_cast<std::int64_t>(piece.size());
  if (head_.size() < window_max_) head_.append(piece.substr(0, window_max_ - head_.size()));
  pending_.append(piece);
  if (pending_.size() >= hash_piece_bytes) hash_pending();
}

void AuditedText::hash_pending() {
  if (!hash_) hash_ = std::make_unique<Hash>();
  hash_->update(pending_);
  pending_.clear();
}

AuditedContent AuditedText::finish(const RedactionPatterns& patterns) {
  hash_pending();
  AuditedContent content{.sha256 = hash_->hex(), .bytes = bytes_};
  if (policy_ == ContentPolicy::none) return content;

  const bool all_here = head_.size() == static_cast<std::size_t>(bytes_);
  const auto window = all_here ? std::string_view(head_) : utf8_prefix(head_, head_.size());
  auto redacted = redact_secrets(window);
  if (patterns.take_out(redacted.text)) redacted.redacted = true;
  const auto kept = utf8_prefix(redacted.text, kept_max_);
  content.truncated = !all_here || kept.size() < redacted.text.size();
  content.redacted = redacted.redacted;
  redacted.text.resize(kept.size());
  content.text = std::move(redacted.text);
  return content;
}

AuditedContent audited(std::string_view text, ContentPolicy policy, std::size_t text_bytes_max,
                       const RedactionPatterns& patterns) {
  AuditedText whole(policy, text_bytes_max);
  whole.append(text);
  return whole.finish(patterns);
}

}  // namespace tokenrail::events
