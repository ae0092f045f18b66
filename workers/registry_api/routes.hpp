// Which operation a request asks for: method and path against one table, which the OpenAPI document is written from
// too.
//
// A pattern's segments are literal, or a parameter with an optional custom verb: "/v1/orgs/{org}/models/{model}:test",
// "/v1/orgs/{org}/models:batch". A parameter takes one segment as it was sent and is decoded after that, so a name that
// holds a slash has it encoded (%2F). A name that ends like a verb of the same method has its colon encoded (%3A).
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/http/server.hpp"
#include "workers/registry_api/problem.hpp"
#include "workers/registry_api/query.hpp"
#include "workers/registry_api/schema.hpp"

namespace tokenrail::registry_api {

struct Call;

/// What a handler gives back: a reply, or why there is none.
using Answer = std::expected<http::Reply, Problem>;
using Handler = boost::asio::awaitable<Answer> (*)(Call& call);

/// What a caller needs for an operation beside a valid token.
enum class Access {
  open,      ///< not even a token
  caller,    ///< a valid token
  platform,  ///< `permission` on the platform, whatever the path says
  org,       ///< `permission` in an organisation: see Route::Org
};

struct Route {
  std::string_view method;
  std::string_view pattern;
  std::string_view operation;  ///< "models.list": in metrics, logs, and as operationId
  std::string_view summary;
  Access access = Access::org;
  std::string_view permission{};  ///< "org:models:read"
  std::span<const QueryParameter> query{};
  bool other_query = false;        ///< takes parameters that it does not declare, and ignores them
  bool paged = false;              ///< takes the parameters of paging too
  bool conditional = false;        ///< replies with an ETag; a change takes If-Match
  bool takes_absent = false;       ///< takes If-None-Match: * too, for it makes what is not there
  bool idempotent_by_key = false;  ///< takes Idempotency-Key
  bool dry_run = false;            ///< takes `dry_run`: one transaction, of which nothing stays then
  const Schema* body = nullptr;    ///< of the request; null: it takes none
  bool body_optional = false;
  const Schema* reply = nullptr;  ///< of the success; null: it has no JSON
  int status = 200;               ///< of the success
  int other_status = 0;           ///< that the same document comes with too; 0: none
  bool may_create = false;        ///< the success has status 201 where the thing was not there
  bool errors_by_name = false;    ///< its problems have `error` and `details` too
  std::string_view tag{};         ///< groups operations in the document
  Handler handler = nullptr;
  /// Which organisation an operation of Access::org is about.
  enum class Org : std::uint8_t {
    path,      ///< the one that {org} names
    platform,  ///< the platform's own rows
    callers,   ///< the one that the caller is in
  };
  Org org = Org::path;
  bool own_rows = false;  ///< about the caller's own rows, as with owner=me
};

/// Decoded values of the parameters of a path.
class PathParameters {
 public:
  void set(std::string_view name, std::string value) { values_.insert_or_assign(std::string(name), std::move(value)); }
  /// Empty: there is none of that name.
  [[nodiscard]] const std::string& operator[](std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_{};
};

struct Match {
  const Route* route = nullptr;
  PathParameters parameters{};
};

class RouteTable {
 public:
  /// Throws std::logic_error where two routes of one method have patterns that match the same paths equally well.
  explicit RouteTable(std::vector<Route> routes);

  [[nodiscard]] std::span<const Route> routes() const { return routes_; }

  /// Of several patterns the most literal one wins, segment by segment from the left. One trailing slash does not
  /// count. HEAD is answered as GET. Problems: not_found, method_not_allowed (with Allow), invalid_path.
  [[nodiscard]] std::expected<Match, Problem> find(std::string_view method, std::string_view path) const;

  /// The value of Allow for a path: its methods, and HEAD and OPTIONS; empty: nothing is there.
  [[nodiscard]] std::string allowed(std::string_view path) const;

 private:
  struct Segment {
    std::string_view literal;    ///< of a parameter: empty
    std::string_view parameter;  ///< its name
    std::string_view verb;       ///< with its colon
  };
  using Pattern = std::vector<Segment>;
  static Pattern parse(std::string_view pattern);
  static bool matches(const Pattern& pattern, std::span<const std::string_view> path);
  /// Lower is more literal.
  static std::vector<int> rank(const Pattern& pattern);

  std::vector<Route> routes_;
  std::vector<Pattern> patterns_;          ///< of routes_, in the same order
  std::vector<std::vector<int>> ranks_{};  ///< likewise
};

}  // namespace tokenrail::registry_api
