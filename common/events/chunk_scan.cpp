#include "common/events/chunk_scan.hpp"

#include <charconv>

#include "common/events/chunk.hpp"

namespace tokenrail::events {
namespace {

bool take(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}

/// Up to and with the closing quote.
bool take_plain_string(std::string_view& rest) {
  const auto end = rest.find_first_of("\"\\");
  if (end == std::string_view::npos || rest[end] == '\\') return false;
  rest.remove_prefix(end + 1);
  return true;
}

bool take_integer(std::string_view& rest, std::int64_t& value) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

}  // namespace

std::optional<ChunkPrefix> scan_chunk_prefix(std::string_view value) {
  auto rest = value;
  std::int64_t attempt = 0;
  if (!take(rest, R"({"requestId":")") || !take_plain_string(rest) || !take(rest, R"(,"orgId":")") ||
      !take_plain_string(rest) || !take(rest, R"(,"attempt":)") || !take_integer(rest, attempt) ||
      !take(rest, R"(,"seq":)"))
    return std::nullopt;
  ChunkPrefix prefix{.attempt_prefix = value.substr(0, value.size() - rest.size())};
  // Anything but a comma, "1.5" say, is no seq of ours.
  if (!take_integer(rest, prefix.seq) || !rest.starts_with(',')) return std::nullopt;
  return prefix;
}

std::optional<ChunkPlace> place_of(std::string_view value) {
  const auto chunk = parse_chunk(value);
  if (!chunk) return std::nullopt;
  const ChunkWriter writer(chunk->request_id, chunk->org_id, chunk->attempt);
  return ChunkPlace{.attempt_prefix = std::string(writer.attempt_prefix()), .seq = chunk->seq};
}

}  // namespace tokenrail::events
