// Dev mode: tokens signed with a key of this machine's own, for trying things out. The API and `tokenrail auth token`
// share the key through a file that only their user can read. ES256, by cjose.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "common/auth/jwk_set.hpp"
#include "common/result.hpp"

namespace tokenrail::auth {

inline constexpr std::string_view dev_issuer_name = "tokenrail-dev";
inline constexpr std::chrono::seconds dev_token_lifetime = std::chrono::hours(8);  ///< unless another is asked for
inline constexpr std::chrono::seconds dev_token_lifetime_max = std::chrono::days(30);

/// `tokenrail/dev-auth-key.json` below `xdg_state_home`, else below `home`/.local/state. Empty where both are. Pure.
[[nodiscard]] std::string default_dev_key_file(std::string_view xdg_state_home, std::string_view home);

class DevIssuer {
 public:
  /// Reads the key, or makes the file where there is none. Of several processes that make it at the same time one
  /// succeeds, and the others read its key. Errors say what is wrong with the file and what to do: it cannot be made or
  /// read, others than its owner may read it, it belongs to another user, or it holds no ES256 key.
  [[nodiscard]] static Result<DevIssuer> open(const std::string& file);
  DevIssuer(DevIssuer&&) noexcept;
  DevIssuer& operator=(DevIssuer&&) noexcept;
  ~DevIssuer();

  /// The public half.
  [[nodiscard]] const JwkSet& keys() const;
  [[nodiscard]] const std::string& kid() const;

  struct Claims {
    std::string audience{};
    std::string subject{};
    std::string org{};   ///< empty: none
    std::string role{};  ///< as the claim has it; empty: none
    std::chrono::seconds lifetime = dev_token_lifetime;
  };
  /// Errors: invalid_input, for claims that verify_jwt() would refuse: an unknown role, a role without an organisation.
  [[nodiscard]] Result<std::string> issue(const Claims& claims, std::chrono::sys_seconds now) const;

 private:
  struct Key;
  explicit DevIssuer(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

}  // namespace tokenrail::auth
