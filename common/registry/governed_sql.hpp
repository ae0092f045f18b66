// How the governed part of the registry talks to PostgreSQL. Private to this module's .cpp files.
//
// Every statement takes one bound value, a JSON object of arguments: in its text @name is the argument as text and
// @@name as jsonb. So a statement reads like SQL, nothing from outside gets into its text, and NULL needs no indicator.
#pragma once

#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/events/json_writer.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/session.hpp"

namespace tokenrail::registry {

/// The arguments of a statement.
class Arguments {
 public:
  Arguments& text(std::string_view name, std::string_view value);
  /// Empty text becomes NULL.
  Arguments& text_or_null(std::string_view name, std::string_view value);
  Arguments& number(std::string_view name, std::int64_t value);
  Arguments& number(std::string_view name, const std::optional<std::int64_t>& value);
  Arguments& flag(std::string_view name, bool value);
  /// `json`: one valid JSON value.
  Arguments& json(std::string_view name, std::string_view json);
  Arguments& scope(const Scope& scope) {
    return text_or_null("org", scope.org_id).text_or_null("owner", scope.user_id);
  }
  [[nodiscard]] std::string object() const { return "{" + members_ + "}"; }

 private:
  void name(std::string_view name);
  std::string members_;
};

/// Words as a JSON array, for Arguments::json().
[[nodiscard]] std::string json_array(const std::vector<std::string>& words);

/// The statement with its arguments put in their places: members of the value that `value` names.
[[nodiscard]] std::string with_arguments(std::string_view statement, std::string_view value = ":p");

/// Rows with the columns id, version and document. `after`, where the statement has it: the place for the next page.
std::vector<Document> read_documents(soci::session& sql, std::string_view statement, const Arguments& arguments);
std::optional<Document> read_document(soci::session& sql, std::string_view statement, const Arguments& arguments);
/// Rows affected, or read.
long long run_statement(soci::session& sql, std::string_view statement, const Arguments& arguments);
/// The first column of the first row as text; nothing: there is no row, or it is NULL.
std::optional<std::string> read_text(soci::session& sql, std::string_view statement, const Arguments& arguments);
std::vector<std::string> read_texts(soci::session& sql, std::string_view statement, const Arguments& arguments);

/// A statement that a connection keeps prepared; see kept_statements.hpp. Not for lists: its plan is for any arguments.
class KeptStatement {
 public:
  explicit KeptStatement(std::string_view statement) : text_(with_arguments(statement, "$1")) {}
  /// As the functions above of these names.
  std::optional<Document> read_document(soci::session& sql, const Arguments& arguments) const;
  std::optional<std::string> read_text(soci::session& sql, const Arguments& arguments) const;

 private:
  std::string text_;
};

/// A page of documents: `select` gives id, version, document and `place` (the text that the order is by); it must not
/// end in ORDER BY or LIMIT. `from`: the same rows, to be counted.
DocumentPage read_page(soci::session& sql, const std::string& select, Arguments arguments, const PageRequest& page);

/// From here to the end of the transaction the statements are the actor's.
void assume(soci::session& sql, const Actor& actor);

/// One transaction as that actor; of a dry run nothing stays.
template <class Work>
auto transact_as(GovernedDatabase& database, const Actor& actor, Work&& work)
    -> std::invoke_result_t<Work, soci::session&> {
  return database.session().transact(
      [&](soci::session& sql) -> std::invoke_result_t<Work, soci::session&> {
        assume(sql, actor);
        return work(sql);
      },
      !actor.dry_run);
}
/// A transaction of that actor that only reads a page.
Result<DocumentPage> page_as(GovernedDatabase& database, const Actor& actor, const std::string& select,
                             const Arguments& arguments, const PageRequest& page);

struct AuditEntry {
  std::string action;  ///< "model.changed"
  std::string target_type;
  std::string target_id;
  std::string target_name{};
  std::string before{};  ///< JSON; empty: none
  std::string after{};
  std::int64_t version = 0;
  std::optional<std::string> org_id{};  ///< nothing: the actor's scope
};
void write_audit(soci::session& sql, const Actor& actor, const AuditEntry& entry);
void write_audit(soci::session& sql, const Actor& actor, std::span<const AuditEntry> entries);

/// Error `conflict`, where a version was expected and the row has another one, or is not there. With no_row: where it
/// is there.
Result<void> expect_version(const std::optional<std::int64_t>& expected, const Document& now, std::string_view what);
Result<void> expect_version(const std::optional<std::int64_t>& expected, const std::optional<Document>& now,
                            std::string_view what);
/// SQL: whether the row has the version @expected, if one is expected. Behind ON CONFLICT DO UPDATE it keeps a row that
/// another writer has just made: nothing is written then.
[[nodiscard]] std::string as_expected(std::string_view table);
/// Error `conflict`, where as_expected() did not hold.
std::unexpected<Error> changed_meanwhile(std::string_view what);

/// Checks that the actor may write rows of that scope; the database would refuse it too, with a message of its own.
Result<void> may_write(const Actor& actor, const Scope& scope);

/// SQL: a number above those of all sessions of (@issuer, @subject) that have begun.
[[nodiscard]] std::string next_generation();
/// Ends all sessions of the actor that have begun.
void end_sessions_of(soci::session& sql, const std::string& issuer, const std::string& subject);

/// All grants of an organisation are one record, with a new version.
void publish_grants(soci::session& sql, const Actor& actor, const std::string& org_id);
/// Removes the grants of an alias that is gone, in every organisation.
void remove_grants_of_alias(soci::session& sql, const Actor& actor, const std::string& alias_id);

/// Id of the row that a model's name (id, slug or provider/name) leads to: the scope's own, else the platform's.
std::optional<std::string> visible_model(soci::session& sql, const Scope& scope, const std::string& name);

/// Whether the rest of the actor's transaction sees the rows of every scope, or those of the actor only.
void see_all_rows(soci::session& sql, const Actor& actor, bool all);
/// Does `work` with the rows of every scope: for what an actor's change brings about in rows that the actor does not
/// see, as those of the organisation's users.
template <class Work>
auto with_all_rows(soci::session& sql, const Actor& actor, Work work) {
  see_all_rows(sql, actor, true);
  auto result = work();  // where it throws, the transaction is over, and the setting with it
  see_all_rows(sql, actor, false);
  return result;
}

/// Gives the models of the changes a new version each, and publishes them (revision and outbox row). `now`: their rows,
/// read since they were changed in this transaction. These get the versions.
void publish_rows(soci::session& sql, const Actor& actor, std::vector<Change> changes, std::vector<ModelRow>& now);
/// The same of rows that have been changed in this transaction; `before`: as they were, in the order of lock_models().
/// Those whose state is the same are left out.
void publish_models(soci::session& sql, const Actor& actor, const std::vector<ModelRow>& before);

}  // namespace tokenrail::registry
