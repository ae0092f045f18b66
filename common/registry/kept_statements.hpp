// Statements that a connection keeps prepared, so that PostgreSQL parses and plans them once and not with each call.
// For large statements that find rows by a key: a kept plan does not know the values. Private to this module's .cpp
// files.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "common/registry/session.hpp"

namespace tokenrail::registry {

/// What a statement found. Columns are found by their names, as in a soci::row.
class KeptRows {
 public:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;
  explicit KeptRows(Result result) : result_(std::move(result)) {}
  [[nodiscard]] int count() const { return PQntuples(result_.get()); }
  /// How many rows the statement wrote, or read.
  [[nodiscard]] long long affected() const;

  class Row {
   public:
    Row(const PGresult* result, int row) : result_(result), row_(row) {}
    /// Nothing: NULL.
    [[nodiscard]] std::optional<std::string_view> value(const char* column) const;
    [[nodiscard]] std::optional<std::string_view> value(int column) const;

   private:
    const PGresult* result_;
    int row_;
  };
  [[nodiscard]] Row row(int at) const { return {result_.get(), at}; }

 private:
  Result result_;
};

/// How many statements a connection keeps; others run without being kept.
inline constexpr std::size_t kept_statements_max = 64;

/// Runs a statement with its values for $1, $2, …; nothing is NULL. Throws soci_error.
KeptRows run_kept(soci::session& sql, const std::string& statement,
                  const std::vector<std::optional<std::string>>& values);
/// The same without being kept: one message to the server and one back.
KeptRows run_once(soci::session& sql, const std::string& statement,
                  const std::vector<std::optional<std::string>>& values);

inline std::string text(const KeptRows::Row& row, const char* name) {
  return std::string(row.value(name).value_or(""));
}
inline std::optional<std::int64_t> maybe_number(const KeptRows::Row& row, const char* name) {
  const auto value = row.value(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(value->data(), value->data() + value->size(), number);
  return number;
}
inline std::int64_t number(const KeptRows::Row& row, const char* name) {
  return maybe_number(row, name).value_or(0);
}
inline bool truth(const KeptRows::Row& row, const char* name) {
  return row.value(name) == "t";
}

}  // namespace tokenrail::registry
