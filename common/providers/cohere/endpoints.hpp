// Where Cohere's endpoints are, seen from a base URL. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "common/http/client.hpp"
#include "common/providers/target.hpp"

namespace tokenrail::providers::cohere {

/// `path` has its version ("/v2/chat"), because one base URL serves both versions. A base URL that ends in a version is
/// taken without it; any other path of it stays.
[[nodiscard]] std::string endpoint(std::string_view base_url, std::string_view path);

/// A request with the credential and a JSON body.
[[nodiscard]] http::Request post(const Target& target, std::string_view path, std::string body);

}  // namespace tokenrail::providers::cohere
