// How this project reaches PostgreSQL: an URL, made into connection parameters with limits, and texts that help without
// ever holding the password. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::registry {

struct DatabaseOptions {
  std::string url;          ///< postgresql://user:password@host:port/database?…, or libpq's keyword form
  std::string application;  ///< shown in pg_stat_activity: "tokenrail-registry-sync"
  std::chrono::milliseconds connect_time_max{5'000};
  std::chrono::milliseconds statement_time_max{30'000};
};

/// Checks the URL and adds what it leaves open (connect time-out, keep-alives, application name). Errors
/// (invalid_input) say what is wrong without the password.
[[nodiscard]] Result<std::string> connection_parameters(const DatabaseOptions& options);

/// The URL's host, port and database for messages: "127.0.0.1:5432/tokenrail".
[[nodiscard]] std::string database_place(std::string_view url);

/// Which part of the URL a server refuses, out of what it says when it rejects a login: "user", "database",
/// "user or the password". Nothing: it says something else, or says it in another language than English (a failed
/// connection has no error code to go by).
[[nodiscard]] std::optional<std::string_view> refused_part(std::string_view text);

/// `text` without any occurrence of the URL's password.
[[nodiscard]] std::string without_password(std::string text, std::string_view url);

}  // namespace tokenrail::registry
