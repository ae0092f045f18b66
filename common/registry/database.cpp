#include "common/registry/database.hpp"

#include <map>
#include <memory>
#include <optional>

#include <fmt/core.h>
#include <libpq-fe.h>

namespace tokenrail::registry {

namespace {

using Parameters = std::map<std::string, std::string>;

std::optional<Parameters> parse(std::string_view url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(std::string(url).c_str(), nullptr), &PQconninfoFree);
  if (!options) return std::nullopt;
  Parameters parameters;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  // libpq ends the password at its first '@'; what comes after is then taken for the host, and would be shown.
  if (const auto host = parameters.find("host"); host != parameters.end() && host->second.contains('@'))
    return std::nullopt;
  return parameters;
}

std::string sql_quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

Result<std::string> connection_parameters(const DatabaseOptions& options) {
  auto parameters = parse(options.url);
  // libpq's own text about what it could not parse repeats parts of the URL, the password among them.
  if (options.url.empty() || !parameters) {
    return fail(ErrorKind::invalid_input,
                "The database URL cannot be read. Write it as postgresql://user:password@host:5432/database, with "
                "special characters of the password percent-encoded.");
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.connect_time_max).count();
  // emplace(): what the URL says stays.
  parameters->emplace("connect_timeout", std::to_string(seconds));
  parameters->emplace("application_name", options.application);
  parameters->emplace("client_encoding", "UTF8");
  // A database host that vanishes without a word is noticed in half a minute, not in two hours.
  parameters->emplace("keepalives_idle", "10");
  parameters->emplace("keepalives_interval", "5");
  parameters->emplace("keepalives_count", "3");
  parameters->emplace("tcp_user_timeout", "30000");
  std::string text;
  for (const auto& [keyword, value] : *parameters) text += fmt::format("{}={} ", keyword, sql_quoted(value));
  return text;
}

std::string database_place(std::string_view url) {
  const auto parameters = parse(url);
  if (!parameters) return "(an unreadable URL)";
  const auto value = [&](const char* keyword, const char* otherwise) {
    const auto at = parameters->find(keyword);
    return at == parameters->end() || at->second.empty() ? std::string(otherwise) : at->second;
  };
  return fmt::format("{}:{}/{}", value("host", "localhost"), value("port", "5432"),
                     value("dbname", value("user", "").c_str()));
}

std::optional<std::string_view> refused_part(std::string_view text) {
  // libpq's own text, where the URL has no password and the server wants one.
  if (text.contains("no password supplied")) return "user or the password";
  const auto fatal = text.find("FATAL:");
  if (fatal == std::string_view::npos) return std::nullopt;
  const auto said = text.substr(fatal);
  const bool missing = said.contains("does not exist");
  if (missing && said.contains("role \"")) return "user";
  if (missing && said.contains("database \"")) return "database";
  if (said.contains("authentication failed for user")) return "user or the password";
  if (said.contains("is not permitted to log in")) return "user";
  if (said.contains("permission denied for database") || said.contains("no pg_hba.conf entry"))
    return "user or the database";
  return std::nullopt;
}

std::string without_password(std::string text, std::string_view url) {
  const auto parameters = parse(url);
  if (!parameters) return text;
  const auto password = parameters->find("password");
  if (password == parameters->end() || password->second.empty()) return text;
  for (auto at = text.find(password->second); at != std::string::npos; at = text.find(password->second, at + 3))
    text.replace(at, password->second.size(), "***");
  return text;
}

}  // namespace tokenrail::registry
