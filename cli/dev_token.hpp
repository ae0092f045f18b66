// What `tokenrail auth token` signs, from its flags. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/arguments.hpp"
#include "common/auth/dev_issuer.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// `user`: the subject unless --subject names one. Errors (invalid_input): a role that is missing or unknown, no
/// organisation where the role needs one, a lifetime that cannot be read or is out of bounds.
[[nodiscard]] Result<auth::DevIssuer::Claims> dev_token_claims(const Call& call, const std::string& audience,
                                                               std::string_view user);

}  // namespace tokenrail::cli
