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

/// What a request that changes something expects to find: If-Match names the versions that the change is meant for,
/// If-None-Match: * says that nothing is there yet.
class Precondition {
 public:
  /// Problems: invalid_header, for an If-Match that is neither "*" nor a list of ETags, for an If-None-Match that is
  /// not "*", and for both at once; precondition_required, where `required` and there is neither. Weak ETags never
  /// match.
  static std::expected<Precondition, Problem> parse(std::optional<std::string_view> if_match,
                                                    std::optional<std::string_view> if_none_match, bool required);

  /// The request has one of the headers.
  [[nodiscard]] bool given() const { return given_; }
  /// The change may only make what is not there.
  [[nodiscard]] bool absent() const { return absent_; }
  /// Nothing: the change may go on. `current`: the version that is there; nothing: the resource is not.
  [[nodiscard]] std::optional<Problem> check(std::optional<std::int64_t> current) const;
  /// The version that the change may be made to, so that the database can hold it against its own in one transaction.
  /// registry::no_row: nothing may be there. Nothing: any. Called after check().
  [[nodiscard]] std::optional<std::int64_t> expected_version(std::optional<std::int64_t> current) const;

 private:
  bool given_ = false;
  bool any_ = false;
  bool absent_ = false;
  std::vector<std::string> tags_{};
};

/// The problem of a change that met another version.
[[nodiscard]] Problem precondition_failed(std::optional<std::int64_t> current);

/// True: the client has this version already, so that GET is answered with 304. Weak ETags match here. A header that
/// cannot be read matches nothing.
[[nodiscard]] bool not_modified(std::optional<std::string_view> if_none_match, std::int64_t version);

}  // namespace tokenrail::registry_api
