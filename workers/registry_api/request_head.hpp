// What a request's and a reply's headers are checked for and given. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/server.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// The x-request-id of a client, where it is 1 to 128 characters out of letters, digits and -_.:/+=; else nothing.
[[nodiscard]] std::optional<std::string> accepted_request_id(std::optional<std::string_view> header);

/// Nothing: the Content-Type is JSON. `patch`: application/merge-patch+json is too.
[[nodiscard]] std::optional<Problem> check_content_type(std::optional<std::string_view> header, bool patch);

/// Adds what every reply has and the reply lacks: x-request-id, nosniff, no-store, a content security policy that
/// allows nothing.
void add_common_headers(http::Reply& reply, std::string_view request_id);

/// Headers for a browser whose page has that origin; none where the origin is not allowed.
[[nodiscard]] std::vector<http::Field> cors_headers(std::optional<std::string_view> origin,
                                                    const std::vector<std::string>& allowed);

}  // namespace tokenrail::registry_api
