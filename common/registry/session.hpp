// A PostgreSQL session that repairs itself: SOCI's exceptions become Error values, a broken connection is dropped, and
// the next use connects again. Private to this module's .cpp files, since it includes SOCI. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include "common/registry/database.hpp"

namespace tokenrail::registry {

/// Statements that SOCI cannot send: several in one text. Throws soci_error.
void execute_script(soci::session& sql, const std::string& script);

class Session {
 public:
  explicit Session(DatabaseOptions options) : options_(std::move(options)) {}

  /// Runs `work(soci::session&)` and returns what it returns (a Result). A transaction that it left open is rolled
  /// back.
  template <class Work>
  auto run(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
    try {
      if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
      return std::forward<Work>(work)(*session_);
    } catch (const soci::soci_error& error) {
      return std::unexpected(translate(error));
    }
  }

  /// run(), within one transaction: committed if `work` returns a value, rolled back if it returns an error or throws,
  /// or without `keep`. Called by such a `work`, it is a part of the transaction that runs, which an error has to end.
  template <class Work>
  auto transact(Work&& work, bool keep = true) -> std::invoke_result_t<Work, soci::session&> {
    if (in_transaction_) return std::forward<Work>(work)(*session_);
    return run([&](soci::session& sql) -> std::invoke_result_t<Work, soci::session&> {
      soci::transaction transaction(sql);
      const Within within(in_transaction_);
      auto result = work(sql);
      if (result && keep) transaction.commit();
      return result;
    });
  }

  /// A part of the transaction that runs: what `work` wrote is taken back where it returns an error or the database
  /// refuses it, and the transaction goes on. Not within another part.
  template <class Work>
  auto part(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
    execute_script(*session_, "SAVEPOINT part");
    try {
      auto result = std::forward<Work>(work)(*session_);
      execute_script(*session_, result ? "RELEASE SAVEPOINT part" : part_taken_back);
      return result;
    } catch (const soci::soci_error& error) {
      // Throws where the connection is lost, and the transaction with it.
      execute_script(*session_, part_taken_back);
      return std::unexpected(translate(error));
    }
  }

  /// The connection that is open now is still the one that was opened last (session-level locks live with it).
  [[nodiscard]] bool connected() const { return session_ != nullptr; }
  void close() { session_.reset(); }

 private:
  static constexpr auto part_taken_back = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";

  /// Sets a flag while it lives.
  class Within {
   public:
    explicit Within(bool& flag) : flag_(flag) { flag_ = true; }
    ~Within() { flag_ = false; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    bool& flag_;
  };

  Result<void> open();
  Error translate(const soci::soci_error& error);
  DatabaseOptions options_;
  std::unique_ptr<soci::session> session_;
  bool in_transaction_ = false;
};

/// What PostgreSQL said, in one line of bounded length, without the statement, what was bound to it and what rows hold.
/// The password of the URL may still be in it: see without_password().
std::string message_of(const soci::soci_error& error);

/// Error `rejected`: migrations that this binary needs are pending.
Result<void> check_schema(soci::session& sql);

// ---- values in and out ------------------------------------------------------------------------------------------

/// A value to bind that may be NULL. SOCI keeps references until the statement has run, so it must be a named local.
template <class T>
struct Nullable {
  T value{};
  mutable soci::indicator indicator = soci::i_null;  ///< SOCI wants it writable, also for what it only sends
  Nullable() = default;
  explicit Nullable(const std::optional<T>& from)
      : value(from.value_or(T{})), indicator(from ? soci::i_ok : soci::i_null) {}
};
/// Empty text as NULL.
inline Nullable<std::string> text_or_null(const std::string& text) {
  return Nullable<std::string>(text.empty() ? std::nullopt : std::optional(text));
}
inline Nullable<long long> number_or_null(const std::optional<std::int64_t>& number) {
  return Nullable<long long>(number ? std::optional<long long>(*number) : std::nullopt);
}

inline std::string text(const soci::row& row, const char* name) {
  return row.get<std::string>(name, std::string());
}
inline std::int64_t number(const soci::row& row, const char* name) {
  return row.get<long long>(name, 0);
}
inline bool truth(const soci::row& row, const char* name) {
  return row.get<int>(name, 0) != 0;
}
inline std::optional<std::int64_t> maybe_number(const soci::row& row, const char* name) {
  if (row.get_indicator(name) == soci::i_null) return std::nullopt;
  return row.get<long long>(name);
}

}  // namespace tokenrail::registry
