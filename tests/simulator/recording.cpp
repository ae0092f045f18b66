#include "tests/simulator/recording.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

namespace tokenrail::simulator {

namespace {

std::optional<std::string> file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool decided_by_transfer(const std::string& name) {
  constexpr std::array<std::string_view, 5> names = {"content-length", "content-encoding", "transfer-encoding",
                                                     "connection", "content-type"};
  return std::ranges::find(names, name) != names.end();
}

/// The path of "http://host:1/api/chat?x=1".
std::string path_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (path == std::string_view::npos) return "/";
  return std::string(url.substr(path, url.find('?', path) - path));
}

/// The query of "http://host:1/api/chat?x=1".
std::string query_of(std::string_view url) {
  const auto mark = url.find('?');
  return mark == std::string_view::npos ? "" : std::string(url.substr(mark + 1));
}

/// The stream that payloads, one a line, were taken from.
std::string as_events(std::string_view payloads) {
  simdjson::dom::parser parser;
  std::string out;
  while (!payloads.empty()) {
    const auto end = std::min(payloads.find('\n'), payloads.size());
    const auto line = payloads.substr(0, end);
    payloads.remove_prefix(std::min(end + 1, payloads.size()));
    if (line.empty()) continue;
    std::string_view type;
    if (parser.parse(line.data(), line.size())["type"].get_string().get(type) == simdjson::SUCCESS)
      out += fmt::format("event: {}\n", type);
    out += fmt::format("data: {}\n\n", line);
  }
  return out;
}

}  // namespace

Result<Recording> load_recording(const std::filesystem::path& root, std::string_view name) {
  if (name.empty() || name.find("..") != std::string_view::npos || name.front() == '/') {
    return fail(ErrorKind::invalid_input, fmt::format("{} is no name of a recording (provider/case)", name));
  }
  const auto folder = root / name;
  auto body = file_text(folder / "response.body");
  const auto payloads = body ? std::nullopt : file_text(folder / "response.chunks.jsonl");
  if (payloads) body = as_events(*payloads);
  const auto meta_text = file_text(folder / "response.meta.json");
  const auto request_text = file_text(folder / "request.json");
  if (!body || !meta_text || !request_text) {
    return fail(ErrorKind::not_found,
                fmt::format("there is no recording {} with a response.body or response.chunks.jsonl below {}", name,
                            root.string()));
  }
  Recording recording;
  recording.body = std::move(*body);

  simdjson::dom::parser parser;
  simdjson::dom::element meta;
  std::int64_t status = 0;
  if (parser.parse(*meta_text).get(meta) != simdjson::SUCCESS || meta["status"].get(status) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("response.meta.json of {} cannot be read", name));
  }
  recording.status = static_cast<int>(status);
  std::string_view framing;
  if (meta["framing"].get_string().get(framing) == simdjson::SUCCESS) {
    recording.lines = framing == "ndjson";
    recording.events = framing == "sse" || payloads.has_value();
  }
  simdjson::dom::array headers;
  if (meta["headers"].get_array().get(headers) == simdjson::SUCCESS) {
    for (const auto header : headers) {
      std::string_view key;
      std::string_view value;
      if (header.at(0).get(key) != simdjson::SUCCESS || header.at(1).get(value) != simdjson::SUCCESS) continue;
      const auto lowered = lower(std::string(key));
      if (lowered == "content-type") recording.content_type = value;
      if (!decided_by_transfer(lowered)) recording.headers.emplace_back(key, value);
    }
  }

  simdjson::dom::parser request_parser;
  simdjson::dom::element request;
  std::string_view text;
  if (request_parser.parse(*request_text).get(request) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("request.json of {} cannot be read", name));
  }
  if (request["method"].get_string().get(text) == simdjson::SUCCESS) recording.method = text;
  if (request["url"].get_string().get(text) == simdjson::SUCCESS) {
    recording.path = path_of(text);
    recording.query = query_of(text);
  }
  if (request["path"].get_string().get(text) == simdjson::SUCCESS) recording.path = text;
  simdjson::dom::element request_body;
  if (request["body"].get(request_body) == simdjson::SUCCESS && !request_body.is_null()) {
    recording.request = simdjson::minify(request_body);
  }
  return recording;
}

}  // namespace tokenrail::simulator
