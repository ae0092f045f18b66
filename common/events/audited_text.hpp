// A text that arrives in pieces, as the audit log will keep it: its beginning, and the SHA-256 and size of the whole.
// Holds a few KiB however long the text gets (all of it only where the policy is `full`, up to its bound).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/events/audit.hpp"

namespace tokenrail::events {

class AuditedText {
 public:
  AuditedText(ContentPolicy policy, std::size_t text_bytes_max);
  ~AuditedText();
  AuditedText(AuditedText&&) noexcept;
  AuditedText& operator=(AuditedText&&) noexcept;

  void append(std::string_view piece);
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  /// As audited() says it of the whole text. May be called once.
  [[nodiscard]] AuditedContent finish(const RedactionPatterns& patterns = {});

 private:
  struct Hash;
  void hash_pending();

  ContentPolicy policy_;
  std::size_t kept_max_;
  std::size_t window_max_;
  std::string head_;
  std::string pending_;  ///< not hashed yet: hashing token by token would cost more than the rest of a chunk
  std::int64_t bytes_ = 0;
  std::unique_ptr<Hash> hash_;
};

}  // namespace tokenrail::events
