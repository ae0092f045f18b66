// The beginning of a chunk, read without its answer: which attempt it belongs to, and its place there. For readers that
// look at thousands of chunks a second and need a few of them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::events {

struct ChunkPlace {
  std::string attempt_prefix{};  ///< ChunkWriter::attempt_prefix() of its attempt
  std::int64_t seq = 0;
};

/// What a chunk in the form of ChunkWriter begins with, up to its seq. Valid as long as the value. Nothing: the value
/// has another form, or its ids contain an escape, which can be written in several ways; place_of() reads those.
struct ChunkPrefix {
  std::string_view attempt_prefix{};
  std::int64_t seq = 0;
};
[[nodiscard]] std::optional<ChunkPrefix> scan_chunk_prefix(std::string_view value);

/// The same for any chunk, by parsing it. Nothing: parse_chunk() refuses it.
[[nodiscard]] std::optional<ChunkPlace> place_of(std::string_view value);

}  // namespace tokenrail::events
