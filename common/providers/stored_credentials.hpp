// The sealed credentials of the topic `model_registry.credentials` as a process holds them, and the key ring that opens
// them. Pure: records in, credentials out. What is kept is sealed; a credential is opened for each call, and what was
// opened is the caller's. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/crypto/key_ring.hpp"
#include "common/events/credential_event.hpp"
#include "common/events/model_event.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

/// The scope of the model's row that a call uses. Empty: the platform's, not personal.
struct ModelScope {
  std::string_view org_id{};
  std::string_view user_id{};
};

class StoredCredentials {
 public:
  /// Without a key ring nothing can be opened.
  StoredCredentials() = default;
  explicit StoredCredentials(std::optional<crypto::KeyRing> ring) : ring_(std::move(ring)) {}

  enum class Applied {
    changed,
    unchanged,  ///< an older version than the one held, or the same
    removed,    ///< a tombstone
    mark,       ///< `_registry`
    malformed,  ///< the record could not be read, or belongs under another key; what was held stays
  };
  Applied apply(std::string_view key, std::optional<std::string_view> value);
  /// Forgets every credential whose record key is not among these. Returns how many.
  std::size_t keep_only(const std::set<std::string, std::less<>>& keys);

  /// The credential that the deployment names. It is used only for a connection of its own scope and provider, and only
  /// for a model that is in the scope of that connection. `now_ms`: Unix.
  /// Errors (not_found), each with what to do: no key ring; the ring lacks the key; the credential was revoked, has
  /// expired or is of another scope or provider; its sealed text was altered; the deployment authenticates in an
  /// unknown way.
  [[nodiscard]] Result<Credential> open(const events::DeploymentState& deployment, const ModelScope& model,
                                        std::int64_t now_ms) const;

  [[nodiscard]] std::size_t size() const { return held_.size(); }
  /// What keeps credentials from being opened, and what to do; empty: nothing.
  [[nodiscard]] std::string trouble() const;

 private:
  std::optional<crypto::KeyRing> ring_{};
  std::map<std::string, events::SealedCredential, std::less<>> held_{};  ///< by record key
};

}  // namespace tokenrail::providers
