// The registry API, as the commands that govern work with it: each operation is one request. What a request and an
// answer look like is decided here, who carries it is a parameter.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/governance.hpp"

namespace tokenrail::cli {

struct ApiRequest {
  std::string method;
  std::string path;  ///< with its query; "/v1/…"
  std::string body{};
  std::string if_match{};       ///< the header; empty: none
  std::string if_none_match{};  ///< the header; empty: none
};
struct ApiAnswer {
  int status = 0;
  std::string body{};
};
/// Errors: no answer came.
using ApiExchange = std::function<Result<ApiAnswer>(ApiRequest)>;

/// `org`: whose rows; empty: the platform's. `dry_run`: changes are tried only.
[[nodiscard]] std::unique_ptr<Governance> api_governance(const ApiExchange& exchange, const std::string& org,
                                                         bool dry_run = false);

/// What a problem document (RFC 9457) says. Takes any bytes: a gateway may have answered.
[[nodiscard]] Error error_of(const ApiAnswer& answer);

}  // namespace tokenrail::cli
