// Logging in: the last step, whatever came before it.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "common/auth/principal.hpp"
#include "workers/registry_api/call.hpp"

namespace tokenrail::registry_api {

/// Begins a session of the principal: answers as GET /v1/session and sets the cookie. `name`: for people.
boost::asio::awaitable<Answer> log_in(Call* call, auth::Principal principal, std::string name);

}  // namespace tokenrail::registry_api
