// Idempotency-Key: the same request sent twice takes effect once, and both get the same answer. What a key is, which
// requests are the same, and which answers are kept. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// The key of a request, without quotes; nothing: it has none. Problems: invalid_header, for what is not 1 to 255
/// visible ASCII characters.
[[nodiscard]] std::expected<std::optional<std::string>, Problem> idempotency_key(
    std::optional<std::string_view> header);

/// The same for the same request: method, path, query and body by their meaning.
[[nodiscard]] std::string request_fingerprint(std::string_view method, std::string_view path, std::string_view query,
                                              std::string_view canonical_body);

/// Whether an answer is kept: one that says nothing about the request itself (429, 5xx, a conflict that passes) is not,
/// so that the same key can be tried again.
[[nodiscard]] bool worth_storing(int status);

}  // namespace tokenrail::registry_api
