// Connections that variables of the environment make: a key, another base URL, or both, under the names that the
// providers' own tools use. Each becomes a connection of the platform, named "env-" and the provider. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/settings.hpp"
#include "common/events/model_event.hpp"
#include "common/providers/profile.hpp"
#include "common/providers/stored_credentials.hpp"

namespace tokenrail::providers {

/// The variables as settings ("openai.api_key", OPENAI_API_KEY), for the table of a program that calls providers. A
/// connection may have up to nine keys: further ones are OPENAI_API_KEY_2 to OPENAI_API_KEY_9.
[[nodiscard]] std::span<const config::Setting> environment_settings();

struct EnvironmentConnection {
  const Profile* profile = nullptr;  ///< never null
  std::string name{};                ///< "env-openai"
  std::string base_url{};            ///< regular; see normal_base_url()
  struct Key {
    std::string variable{};  ///< that it came from: "OPENAI_API_KEY_2"
    Secret secret{};
  };
  std::vector<Key> keys{};  ///< in the order of their variables; empty: none was given, and none is needed
};

/// Those that the environment names: with a key, or with a base URL other than the provider's own, where a server of
/// one's own may ask for no key. Ollama's is not among them: it is there in any case.
/// Errors: invalid_input, for a key where it is not known what to call.
[[nodiscard]] Result<std::vector<EnvironmentConnection>> environment_connections(const config::Values& values);

/// Models that TOKENRAIL_MODELS adds by hand: "provider/name", comma-separated. Errors: invalid_input, for an entry
/// that is not of that form or whose provider has no connection here. Ollama has one in any case.
struct NamedModel {
  std::string provider{};
  std::string name{};
};
[[nodiscard]] Result<std::vector<NamedModel>> models_by_hand(const config::Values& values,
                                                             std::span<const EnvironmentConnection> connections);

/// The credentials that a process holds, for the deployments that may use them.
class Credentials {
 public:
  Credentials() = default;
  /// `stored`: those that deployments name by their id. They outlive this object; null: the process reads none.
  explicit Credentials(std::vector<EnvironmentConnection> connections, const StoredCredentials* stored = nullptr)
      : connections_(std::move(connections)), stored_(stored) {}

  /// What a call of that deployment is to carry. A key of the environment is handed out only for the platform's
  /// connection that it was given for, and only to that connection's own base URL: a person who may write deployments
  /// must not be able to have a key sent elsewhere. A stored credential: see StoredCredentials::open(). Errors:
  /// not_found, with what to do, where the provider needs a key and none is there. `key`: which one, below key_count(),
  /// where a connection has several. `model`: whose model is called. `now_ms`: Unix.
  [[nodiscard]] Result<Credential> open(const events::DeploymentState& deployment, std::size_t key,
                                        const ModelScope& model, std::int64_t now_ms) const;
  /// How many keys there are for calls of that deployment. A stored credential is one.
  [[nodiscard]] std::size_t key_count(const events::DeploymentState& deployment) const;
  /// The variable that a key came from; empty: there is no such key.
  [[nodiscard]] std::string_view key_variable(const events::DeploymentState& deployment, std::size_t key) const;

 private:
  [[nodiscard]] const EnvironmentConnection* find(const events::DeploymentState& deployment) const;

  std::vector<EnvironmentConnection> connections_{};
  const StoredCredentials* stored_ = nullptr;
};

}  // namespace tokenrail::providers
