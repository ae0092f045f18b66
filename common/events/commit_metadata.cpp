#include "common/events/commit_metadata.hpp"

#include <charconv>

#include <fmt/format.h>

namespace tokenrail::events {

std::string encode(const CommitMetadata& metadata) {
  return fmt::format("tr1 {} {} {}", metadata.epoch, metadata.audit_offset, metadata.chunk_offset);
}

std::optional<CommitMetadata> decode_commit_metadata(std::string_view text) {
  constexpr std::string_view magic = "tr1 ";
  if (!text.starts_with(magic)) return std::nullopt;
  text.remove_prefix(magic.size());

  CommitMetadata metadata;
  std::int64_t* const fields[] = {&metadata.epoch, &metadata.audit_offset, &metadata.chunk_offset};
  for (std::size_t i = 0; i < std::size(fields); ++i) {
    if (i > 0) {
      if (!text.starts_with(' ')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *fields[i]);
    if (error != std::errc{} || *fields[i] < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  // What a later version appended starts with a blank; anything else is damage.
  if (!text.empty() && !text.starts_with(' ')) return std::nullopt;
  return metadata;
}

}  // namespace tokenrail::events
