// The commit metadata of chat.requests: ASCII, `tr1 <epoch> <auditOffset> <chunkOffset>`. Later versions append fields
// and never change these, so every version reads the prefix. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::events {

struct CommitMetadata {
  std::int64_t epoch = 0;
  std::int64_t audit_offset = 0;  ///< where a successor starts to read llm.audit
  std::int64_t chunk_offset = 0;  ///< where a successor starts to read chat.chunks
  bool operator==(const CommitMetadata&) const = default;
};

[[nodiscard]] std::string encode(const CommitMetadata& metadata);

/// Nothing for text that another program wrote, that is empty or that is damaged: the offset beside it still stands.
[[nodiscard]] std::optional<CommitMetadata> decode_commit_metadata(std::string_view text);

}  // namespace tokenrail::events
