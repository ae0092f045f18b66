// Recorded exchanges: what to answer when one is replayed. See the recordings' own INDEX for the files of a folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::simulator {

struct Recording {
  std::string method{};
  std::string path{};     ///< "/api/chat"
  std::string query{};    ///< "alt=sse"; empty: none, or not recorded
  std::string request{};  ///< body as JSON text; empty: not recorded
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< without those that the transfer itself decides
  std::string content_type{};
  std::string body{};
  bool lines = false;   ///< NDJSON
  bool events = false;  ///< server-sent events
};

/// The recorder kept only the payloads of a stream (`response.chunks.jsonl`, no `response.body`): the body is then each
/// of them as a server-sent event, with its own `type` as the event's where it has one.
/// Reads `<root>/<name>`, name being "<provider>/<case>". Errors: not_found, invalid_input.
[[nodiscard]] Result<Recording> load_recording(const std::filesystem::path& root, std::string_view name);

}  // namespace tokenrail::simulator
