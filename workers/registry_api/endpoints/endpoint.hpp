// What endpoints have in common: work on the database, answers out of documents, and changes under a precondition.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "workers/registry_api/call.hpp"
#include "workers/registry_api/context.hpp"
#include "workers/registry_api/database_pool.hpp"

namespace tokenrail::registry_api {

/// What a model, connection, … that is not there is answered with.
enum class Kind { model, other };
[[nodiscard]] Problem problem_of(const Error& error, Kind kind);

/// The problem with another fault where it has `from`: a conflict of a creation is a name that is taken.
[[nodiscard]] Problem as(Problem problem, Fault from, Fault to);

[[nodiscard]] registry::PageRequest page_request(const ListPage& page);
[[nodiscard]] Answer page_answer(const Call& call, const ListPage& page, const Result<registry::DocumentPage>& found,
                                 Kind kind = Kind::other);
[[nodiscard]] Answer document_answer(const Call& call, const Result<registry::Document>& found,
                                     Kind kind = Kind::other);
/// The moment that the body's expiresInDays means, Unix time in ms; nothing: it has none.
[[nodiscard]] std::optional<std::int64_t> expiry_of(const Json& body);
/// "/v1/orgs/{org}/{collection}/{id}".
[[nodiscard]] std::string location_of(const Call& call, std::string_view collection, std::string_view id);

/// What is wrong with the body's baseUrl; nothing: it has none, or a good one. A key belongs into a credential: a URL
/// is shown to everyone who may read the connection.
[[nodiscard]] std::optional<Problem> check_base_url(const Json& body);

/// 202 with an operation that has begun, and Location.
[[nodiscard]] Answer operation_reply(std::string_view kind, const std::string& id, std::string location);

/// A page of what `read(database, page request)` finds.
template <class Read>
boost::asio::awaitable<Answer> answer_page(Call& call, Read read, Kind kind = Kind::other) {
  const auto page = call.page();
  if (!page) co_return std::unexpected(page.error());
  const auto found = co_await call.context->database->run(
      [read = std::move(read), wanted = page_request(*page)](registry::GovernedDatabase& database) {
        return read(database, wanted);
      });
  co_return page_answer(call, *page, found, kind);
}

/// One document that `read(database)` finds.
template <class Read>
boost::asio::awaitable<Answer> answer_document(Call& call, Read read, Kind kind = Kind::other) {
  const auto found = co_await call.context->database->run(std::move(read));
  co_return document_answer(call, found, kind);
}

/// What a version that is to match, of something that is not there, is answered with.
enum class IfMissing { not_found, precondition_failed };

/// Carries out `write(expected version)` where the precondition lets it: `read()` gives what is there now. A change
/// that another one was faster than is a failed precondition where the request has one.
template <class Read, class Write>
auto write_if_matching(const Precondition& match, Kind kind, const Read& read, const Write& write,
                       IfMissing missing = IfMissing::not_found)
    -> std::expected<typename std::invoke_result_t<Write, std::optional<std::int64_t>>::value_type, Problem> {
  using Written = typename std::invoke_result_t<Write, std::optional<std::int64_t>>::value_type;
  std::optional<std::int64_t> expected;
  if (match.absent()) {
    // Only the write sees whether the row of this very scope is there, and a row that another one makes meanwhile.
    expected = match.expected_version(std::nullopt);
  } else if (match.given()) {
    const Result<registry::Document> now = read();
    if (!now && now.error().kind == ErrorKind::not_found && missing == IfMissing::precondition_failed)
      return std::unexpected(precondition_failed(std::nullopt));
    if (!now) return std::unexpected(problem_of(now.error(), kind));
    if (auto failed = match.check(now->version)) return std::unexpected(std::move(*failed));
    expected = match.expected_version(now->version);
  }
  auto written = write(expected);
  if (written) {
    if constexpr (std::is_void_v<Written>) {
      return {};
    } else {
      return std::move(*written);
    }
  }
  if (expected && written.error().kind == ErrorKind::conflict) {
    const Result<registry::Document> now = read();
    if (now && now->version != *expected) return std::unexpected(precondition_failed(now->version));
  }
  return std::unexpected(problem_of(written.error(), kind));
}

/// The same for a write that makes what is not there.
template <class Read, class Write>
auto set_if_matching(const Precondition& match, Kind kind, const Read& read, const Write& write) {
  return write_if_matching(match, kind, read, write, IfMissing::precondition_failed);
}

}  // namespace tokenrail::registry_api
