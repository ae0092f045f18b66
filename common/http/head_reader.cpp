#include "common/http/head_reader.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace tokenrail::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// "HTTP/1.1 200 OK" -> 200; 0 where there is no number.
int status_of(std::string_view status_line) {
  const auto space = status_line.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::string_view rest = status_line.substr(space + 1);
  int status = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), status);
  return status;
}

}  // namespace

std::optional<std::string_view> ResponseHead::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Header::name);
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

HeadReader::Step HeadReader::line(std::string_view line) {
  if (line.size() > bytes_max_ - bytes_)
    return Step::too_large;  // trailers count too: they are read, although they are not kept
  bytes_ += line.size();
  if (done_) return Step::more;
  if (line.starts_with("HTTP/")) {
    head_ = {.status = status_of(line)};
    return Step::more;
  }
  const std::string_view content = trimmed(line);
  if (content.empty()) {
    const bool interim = head_.status >= 100 && head_.status < 200;
    if (interim) return Step::more;
    done_ = true;
    return Step::complete;
  }
  const bool folded = line.front() == ' ' || line.front() == '\t';
  if (folded) {
    if (!head_.headers.empty()) head_.headers.back().value += " " + std::string(content);
    return Step::more;
  }
  const auto colon = content.find(':');
  if (colon == std::string_view::npos) return Step::more;
  head_.headers.push_back(
      {.name = lower(trimmed(content.substr(0, colon))), .value = std::string(trimmed(content.substr(colon + 1)))});
  return Step::more;
}

}  // namespace tokenrail::http
