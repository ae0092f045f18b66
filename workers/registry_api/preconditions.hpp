// ETags and what a request makes of them (RFC 9110, section 13). A resource's ETag is "v{version}". Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

[[nodiscard]] std::string etag_of(std::int64_t version);

/// If-Match of a request that changes something.
class IfMatch {
 public:
  /// Problems: invalid_header, for what is neither "*" nor a list of ETags; precondition_required, where `required` and
  /// there is no header. Weak ETags never match.
  static std::expected<IfMatch, Problem> parse(std::optional<std::string_view> header, bool required);

  /// The request has the header.
  [[nodiscard]] bool given() const { return given_; }
  /// Nothing: the change may go on. `current`: the version that is there; nothing: the resource is not.
  [[nodiscard]] std::optional<Problem> check(std::optional<std::int64_t> current) const;
  /// The version that the change may be made to, so that the database can hold it against its own in one transaction.
  /// Nothing: any. Called after check().
  [[nodiscard]] std::optional<std::int64_t> expected_version(std::int64_t current) const;

 private:
  bool given_ = false;
  bool any_ = false;
  std::vector<std::string> tags_{};
};

/// The problem of a change that met another version.
[[nodiscard]] Problem precondition_failed(std::optional<std::int64_t> current);

/// True: the client has this version already, so that GET is answered with 304. Weak ETags match here. A header that
/// cannot be read matches nothing.
[[nodiscard]] bool not_modified(std::optional<std::string_view> if_none_match, std::int64_t version);

/// True: the request is only to be carried out where nothing is there yet (If-None-Match: *).
[[nodiscard]] bool only_if_absent(std::optional<std::string_view> if_none_match);

}  // namespace tokenrail::registry_api
