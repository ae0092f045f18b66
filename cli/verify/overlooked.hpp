// The commit's auditOffset against llm.audit: a successor reads from there, and nothing about a request at or above the
// committed offset may precede it. If chat.requests was created again, that offset had another request, or none: the
// request that is there now shows which. Pure. Bounded by the offsets that are not committed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "cli/verify/options.hpp"
#include "cli/verify/subject.hpp"

namespace tokenrail::verify {

class Overlooked {
 public:
  /// An event about a request that the commit may pass by.
  struct Event {
    std::int64_t at = -1;  ///< offset in llm.audit
    std::int64_t broker_ms = -1;
    const Subject* about = nullptr;
  };

  /// `options` outlives it.
  explicit Overlooked(const CheckOptions& options);

  /// An event about the request at that source offset. Whether one has to look what is there.
  bool note(std::int64_t source_offset, const Event& event);
  /// The log has that request there.
  void is_there(std::int64_t source_offset, const Subject& about, const Asked& asked);
  /// Whatever is there has been looked at.
  void forget(std::int64_t source_offset) { waiting_.erase(source_offset); }

  /// The first event that a successor passes by; nothing: none.
  [[nodiscard]] std::optional<std::int64_t> first() const { return first_; }

 private:
  struct Waiting {
    std::int64_t at = -1;
    std::int64_t broker_ms = -1;
    std::string org_id;
    std::string request_id;
  };
  const CheckOptions& options_;
  std::int64_t below_ = 0;  // the audit offset at which a successor begins to read
  std::optional<std::int64_t> first_{};
  std::map<std::int64_t, Waiting> waiting_{};  // about requests that have not been read yet, by their offset
};

}  // namespace tokenrail::verify
