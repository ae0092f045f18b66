// What endpoints work with. Made by the worker; outlives every call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/auth/oidc_client.hpp"
#include "common/auth/session.hpp"
#include "common/auth/settings.hpp"
#include "common/crypto/key_ring.hpp"
#include "common/telemetry/health.hpp"
#include "workers/registry_api/browser.hpp"
#include "workers/registry_api/page.hpp"
#include "workers/registry_api/settings.hpp"
#include "workers/registry_api/web_files.hpp"

namespace tokenrail::registry_api {

class Chats;
class ConnectionTester;
class DatabasePool;
class KnownCallers;
class LiveRegistry;

/// How people log in with a browser.
struct Logins {
  auth::Mode mode = auth::Mode::jwt;
  std::shared_ptr<const auth::SessionSealer> sealer{};
  Site site{};
  auth::OidcClient* oidc = nullptr;  ///< null: there is no provider to log in at
  std::shared_ptr<const auth::LoginSealer> attempts{};
};

struct Context {
  Options options{};
  PageTokens page_tokens;
  DatabasePool* database = nullptr;
  KnownCallers* known_callers = nullptr;
  ConnectionTester* connection_tester = nullptr;
  const LiveRegistry* live_registry = nullptr;
  std::optional<crypto::KeyRing> key_ring{};                        ///< nothing: credentials cannot be stored
  std::string openapi{};                                            ///< the document, written once
  std::function<std::vector<telemetry::Condition>()> conditions{};  ///< as /readyz has them
  Logins logins{};
  std::optional<WebFiles> web_files{};  ///< nothing: there is no web page
  Chats* chats = nullptr;
  bool stopping = false;  ///< streams that could go on for long end
};

}  // namespace tokenrail::registry_api
