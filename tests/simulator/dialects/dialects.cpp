// Which path is whose, and what the dialects share.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "tests/simulator/dialects/dialect.hpp"
#include "tests/simulator/words.hpp"

namespace tokenrail::simulator {

namespace {

using Kind = Endpoint::Kind;

struct PathRow {
  std::string_view method;
  std::string_view inside;  ///< of the path; empty: anything
  std::string_view end;     ///< of the path
  Kind kind;
  const Dialect& (*dialect)();
};
/// The first that fits counts.
constexpr PathRow paths[] = {
    {"POST", "", "/api/chat", Kind::chat, ollama_dialect},
    {"GET", "", "/api/tags", Kind::models, ollama_dialect},
    {"POST", "/openai/deployments/", "/chat/completions", Kind::chat, azure_dialect},
    {"POST", "/openai/v1/", "/chat/completions", Kind::chat, azure_dialect},
    {"POST", "", "/v1/chat/completions", Kind::chat, openai_dialect},
    {"POST", "", "/v1/responses", Kind::chat, responses_dialect},
    {"POST", "", "/v1/messages", Kind::chat, anthropic_dialect},
    {"POST", "/models/", ":generateContent", Kind::chat, gemini_dialect},
    {"POST", "/models/", ":streamGenerateContent", Kind::chat, gemini_dialect},
    {"POST", "", "/v2/chat", Kind::chat, cohere_dialect},
    {"GET", "", "/v1beta/models", Kind::models, gemini_dialect},
    {"GET", "", "/openai/models", Kind::models, azure_dialect},
    {"GET", "", "/openai/v1/models", Kind::models, azure_dialect},
    {"GET", "", "/v1/models", Kind::models, openai_dialect},
};

}  // namespace

std::optional<Endpoint> find_endpoint(std::string_view method, std::string_view path, std::string_view query,
                                      bool anthropic) {
  const auto* const row = std::ranges::find_if(paths, [&](const PathRow& candidate) {
    return candidate.method == method && path.ends_with(candidate.end) && path.contains(candidate.inside);
  });
  if (row == std::ranges::end(paths)) return std::nullopt;
  const auto* dialect = &row->dialect();
  if (row->end == "/v1/models") {
    if (anthropic) dialect = &anthropic_dialect();
    // Only Cohere's has this word for the length of a page.
    if (!anthropic && !query_value(query, "page_size").empty()) dialect = &cohere_dialect();
  }
  return Endpoint{.kind = row->kind, .dialect = dialect};
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return percent_decoded(pair.substr(name.size() + 1));
    }
    query = end == std::string_view::npos ? "" : query.substr(end + 1);
  }
  return "";
}

std::uint64_t query_number(std::string_view query, std::string_view name, std::uint64_t otherwise) {
  const auto text = query_value(query, name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

std::string_view piece_of(std::string_view text, std::size_t part, std::size_t parts) {
  const auto begin = text.size() * part / parts;
  return text.substr(begin, (text.size() * (part + 1) / parts) - begin);
}

std::string json_string(std::string_view text) {
  std::string out;
  events::append_json_string(out, text);
  return out;
}

std::string id_of(const ChatCall& call, std::string_view prefix, int digits) {
  std::string out(prefix);
  for (std::uint64_t part = 0; out.size() < prefix.size() + static_cast<std::size_t>(digits); ++part) {
    out += fmt::format("{:016x}", mixed_hash(call.message, part));
  }
  out.resize(prefix.size() + static_cast<std::size_t>(digits));
  return out;
}

Page page_of(std::size_t size, std::size_t first, std::size_t limit) {
  const auto begin = std::min(first, size);
  const auto end = begin + std::min(limit, size - begin);
  return {.first = begin, .last = end, .more = end < size};
}

ProblemWords words_of(const ProblemRow* rows, std::size_t size, const Problem& problem) {
  const auto* row = rows;
  while (row + 1 < rows + size && ((row->status != 0 && row->status != problem.status) || row->why != problem.why)) {
    ++row;
  }
  std::string text(row->text);
  if (const auto place = text.find("{}"); place != std::string::npos) text.replace(place, 2, problem.text);
  if (text.empty()) text = problem.text;
  if (text.empty()) text = fmt::format("simulated status {}", problem.status);
  return {.type = std::string(row->type), .code = std::string(row->code), .text = std::move(text)};
}

}  // namespace tokenrail::simulator
