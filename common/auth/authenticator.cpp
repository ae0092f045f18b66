#include "common/auth/authenticator.hpp"

#include <algorithm>
#include <expected>
#include <utility>

#include <spdlog/spdlog.h>
#include <strings.h>

#include "common/auth/dev_issuer.hpp"
#include "common/auth/jwks_cache.hpp"
#include "common/auth/jwt.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::auth {
namespace {

using boost::asio::awaitable;
using Need = JwksSchedule::Need;

/// The token of "Bearer TOKEN"; the scheme's case is of no matter. Empty: there is none.
std::string_view bearer_token(std::string_view header) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() < scheme.size() || strncasecmp(header.data(), scheme.data(), scheme.size()) != 0) return {};
  header.remove_prefix(std::min(header.find_first_not_of(' ', scheme.size()), header.size()));
  return header;
}

/// Where the keys come from.
class Keys {
 public:
  virtual ~Keys() = default;
  virtual awaitable<Result<JwkSet>> get(Need need) = 0;
  [[nodiscard]] virtual std::string problem() const = 0;
};

class IssuerKeys final : public Keys {
 public:
  IssuerKeys(boost::asio::io_context& loop, http::Client& client, JwksCache::Options options)
      : cache_(loop, client, std::move(options)) {
    cache_.start();
  }
  awaitable<Result<JwkSet>> get(Need need) override { return cache_.keys(need); }
  [[nodiscard]] std::string problem() const override { return cache_.problem(); }

 private:
  JwksCache cache_;
};

/// The key of dev mode. The file is read again when a token names another key: it may have been deleted and made again.
class DevKeys final : public Keys {
 public:
  DevKeys(std::string file, JwkSet keys, std::function<JwksSchedule::Time()> now)
      : file_(std::move(file)), keys_(std::move(keys)), now_(std::move(now)), read_(now_()) {}

  awaitable<Result<JwkSet>> get(Need need) override {
    constexpr auto pause = std::chrono::seconds(1);
    if (need == Need::unknown_key && now_() - read_ >= pause) {
      read_ = now_();
      if (auto issuer = DevIssuer::open(file_)) {
        keys_ = issuer->keys();
      } else {
        spdlog::warn("{}", telemetry::one_line(issuer.error().detail));
      }
    }
    co_return keys_;
  }
  [[nodiscard]] std::string problem() const override { return {}; }

 private:
  std::string file_;
  JwkSet keys_;
  std::function<JwksSchedule::Time()> now_;
  JwksSchedule::Time read_;
};

class TheAuthenticator final : public Authenticator {
 public:
  TheAuthenticator(Options options, std::unique_ptr<Keys> keys)
      : options_(std::move(options)), rules_(options_.settings.rules()), keys_(std::move(keys)) {}

  awaitable<Result<Identity>> authenticate(Presented presented) override {
    if (presented.authorization.empty() && options_.sessions != nullptr) {
      const auto cookie = cookie_value(presented.cookie, options_.session_cookie);
      if (!cookie.empty()) co_return with_session(cookie);
    }
    const auto token = bearer_token(presented.authorization);
    if (token.empty()) co_return refused({Refusal::no_token, "no bearer token"});
    auto principal =
        token.starts_with(api_token_prefix) ? co_await with_service_token(token) : co_await with_jwt(token);
    if (!principal) co_return std::unexpected(std::move(principal.error()));
    co_return Identity{.principal = std::move(*principal)};
  }

  [[nodiscard]] std::string problem() const override { return keys_->problem(); }

 private:
  std::unexpected<Error> refused(const Refused& refusal) {
    spdlog::info("authentication refused: {} ({})", name_of(refusal.why), telemetry::one_line(refusal.detail));
    if (options_.on_refused) options_.on_refused(refusal.why);
    return fail(ErrorKind::rejected, std::string(unauthenticated_text));
  }

  Result<Identity> with_session(std::string_view cookie) {
    auto identity = options_.sessions->open(cookie, options_.now());
    if (!identity) return refused(identity.error());
    return std::move(*identity);
  }

  awaitable<Result<Principal>> with_service_token(std::string_view token) {
    auto presented = read_api_token(token);
    if (!presented || !options_.service_tokens)
      co_return refused({Refusal::invalid_service_token, "not the form of a service token, or none are accepted"});
    auto found = co_await options_.service_tokens(presented->id, presented->sha256);
    if (!found) co_return std::unexpected(std::move(found.error()));
    if (!*found) co_return refused({Refusal::unknown_service_token, "id " + presented->id});
    co_return std::move(**found);
  }

  awaitable<Result<Principal>> with_jwt(std::string_view token) {
    const auto keys = co_await keys_->get(Need::keys);
    if (!keys) co_return std::unexpected(keys.error());
    auto verified = verify_jwt(token, *keys, rules_, options_.now());
    if (!verified && verified.error().why == Refusal::unknown_key) {
      const auto newer = co_await keys_->get(Need::unknown_key);
      if (!newer) co_return std::unexpected(newer.error());
      verified = verify_jwt(token, *newer, rules_, options_.now());
    }
    if (!verified) co_return refused(verified.error());
    co_return std::move(verified->principal);
  }

  Options options_;
  JwtRules rules_;
  std::unique_ptr<Keys> keys_;
};

}  // namespace

std::string_view challenge(std::string_view authorization_header) {
  return authorization_header.empty() ? R"(Bearer realm="tokenrail")"
                                      : R"(Bearer realm="tokenrail", error="invalid_token")";
}

Result<std::unique_ptr<Authenticator>> Authenticator::make(boost::asio::io_context& loop, http::Client& client,
                                                           Options options) {
  const auto& settings = options.settings;
  std::unique_ptr<Keys> keys;
  if (settings.mode == Mode::dev) {
    const auto issuer = DevIssuer::open(settings.dev_key_file);
    if (!issuer) return std::unexpected(issuer.error());
    keys = std::make_unique<DevKeys>(settings.dev_key_file, issuer->keys(), options.steady_now);
  } else {
    keys = std::make_unique<IssuerKeys>(loop, client,
                                        JwksCache::Options{.url = settings.jwks_url, .now = options.steady_now});
  }
  return std::make_unique<TheAuthenticator>(std::move(options), std::move(keys));
}

}  // namespace tokenrail::auth
