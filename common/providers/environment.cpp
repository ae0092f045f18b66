#include "common/providers/environment.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace tokenrail::providers {

namespace {

constexpr std::string_view name_prefix = "env-";
constexpr int keys_max = 9;  ///< of one connection

/// Texts of settings that are made from the profiles; settings view them for as long as the process runs.
struct Table {
  std::deque<std::string> texts{};
  std::vector<config::Setting> settings{};

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  Table() {
    for (const auto& profile : profiles()) {
      if (profile.provider == "ollama") continue;  // a setting of every program
      if (!profile.key_variable.empty()) {
        settings.push_back(
            {.name = keep(setting_name(profile, "api_key")),
             .env = profile.key_variable,
             .kind = config::Kind::secret,
             .help = keep(fmt::format("{0} key of the platform's own connection {1}{2}. Further keys: "
                                      "{3}_2 to {3}_{4}.",
                                      profile.title, name_prefix, profile.provider, profile.key_variable, keys_max))});
        for (int number = 2; number <= keys_max; ++number) {
          settings.push_back({.name = keep(key_setting(profile, number)),
                              .env = keep(key_variable(profile, number)),
                              .kind = config::Kind::secret,
                              .help = settings.back().help,
                              .listed = false});
        }
      }
      if (!profile.url_variable.empty()) {
        settings.push_back({.name = keep(setting_name(profile, "base_url")),
                            .env = profile.url_variable,
                            .kind = config::Kind::url,
                            .default_value = profile.base_url,
                            .help = keep(fmt::format("Where the connection {}{} calls {}.", name_prefix,
                                                     profile.provider, profile.title))});
      }
    }
    settings.push_back({.name = "providers.models",
                        .env = "TOKENRAIL_MODELS",
                        .kind = config::Kind::list,
                        .help = "Models that providers do not list, as provider/name, comma-separated: "
                                "openai/gpt-5-mini."});
  }

  static std::string setting_name(const Profile& profile, std::string_view what) {
    std::string name = fmt::format("{}.{}", profile.provider, what);
    std::ranges::replace(name, '-', '_');
    return name;
  }
  static std::string key_setting(const Profile& profile, int number) {
    return numbered(setting_name(profile, "api_key"), number);
  }
  static std::string key_variable(const Profile& profile, int number) {
    return numbered(std::string(profile.key_variable), number);
  }
  /// The first one has no number.
  static std::string numbered(std::string name, int number) {
    return number == 1 ? name : fmt::format("{}_{}", name, number);
  }
};
const Table& table() {
  static const Table one;
  return one;
}

std::vector<EnvironmentConnection::Key> keys_of(const Profile& profile, const config::Values& values) {
  std::vector<EnvironmentConnection::Key> keys;
  for (int number = 1; number <= keys_max && !profile.key_variable.empty(); ++number) {
    const auto setting = Table::key_setting(profile, number);
    if (!values.is_set(setting)) continue;
    keys.push_back(
        {.variable = Table::key_variable(profile, number), .secret = Secret(std::string_view(values.text(setting)))});
  }
  return keys;
}

}  // namespace

std::span<const config::Setting> environment_settings() {
  return table().settings;
}

Result<std::vector<EnvironmentConnection>> environment_connections(const config::Values& values) {
  std::vector<EnvironmentConnection> connections;
  for (const auto& profile : profiles()) {
    if (profile.provider == "ollama" || profile.url_variable.empty()) continue;  // Ollama: see above
    const auto url_setting = Table::setting_name(profile, "base_url");
    auto keys = keys_of(profile, values);
    const bool has_url = values.is_set(url_setting);
    const bool own_url = has_url && values.text(url_setting) != profile.base_url;
    if (keys.empty() && !own_url) continue;
    if (!has_url) {
      return fail(ErrorKind::invalid_input, fmt::format("{} is set, but it is not known where to call {}: set {} too.",
                                                        keys.front().variable, profile.title, profile.url_variable));
    }
    connections.push_back({.profile = &profile,
                           .name = std::string(name_prefix) + std::string(profile.provider),
                           .base_url = normal_base_url(values.text(url_setting)),
                           .keys = std::move(keys)});
  }
  return connections;
}

Result<std::vector<NamedModel>> models_by_hand(const config::Values& values,
                                               std::span<const EnvironmentConnection> connections) {
  std::vector<NamedModel> models;
  for (const auto& entry : values.list("providers.models")) {
    const auto slash = entry.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == entry.size()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("TOKENRAIL_MODELS: \"{}\" is not provider/name, such as openai/gpt-5-mini.", entry));
    }
    NamedModel model{.provider = entry.substr(0, slash), .name = entry.substr(slash + 1)};
    const auto has = [&](const EnvironmentConnection& one) { return one.profile->provider == model.provider; };
    // Ollama's connection is there in any case.
    if (model.provider != "ollama" && std::ranges::none_of(connections, has)) {
      const auto* const profile = find_profile(model.provider);
      return fail(
          ErrorKind::invalid_input,
          profile == nullptr || profile->url_variable.empty()
              ? fmt::format("TOKENRAIL_MODELS: \"{}\" names a provider that no variable can connect to.", entry)
              : fmt::format("TOKENRAIL_MODELS names \"{}\", but there is no connection to {}: set {}.", entry,
                            profile->title, profile->key_needed ? profile->key_variable : profile->url_variable));
    }
    models.push_back(std::move(model));
  }
  return models;
}

const EnvironmentConnection* Credentials::find(const events::DeploymentState& deployment) const {
  const auto found = std::ranges::find_if(connections_, [&](const EnvironmentConnection& one) {
    return deployment.connection_org_id.empty() && one.name == deployment.connection_name &&
           one.profile->provider == deployment.provider && one.base_url == normal_base_url(deployment.base_url);
  });
  return found == connections_.end() ? nullptr : &*found;
}

std::size_t Credentials::key_count(const events::DeploymentState& deployment) const {
  if (deployment.credential_id) return 1;
  const auto* const found = find(deployment);
  return found == nullptr ? 0 : found->keys.size();
}

std::string_view Credentials::key_variable(const events::DeploymentState& deployment, std::size_t key) const {
  const auto* const found = deployment.credential_id ? nullptr : find(deployment);
  return found == nullptr || key >= found->keys.size() ? std::string_view() : found->keys[key].variable;
}

Result<Credential> Credentials::open(const events::DeploymentState& deployment, std::size_t key,
                                     const ModelScope& model, std::int64_t now_ms) const {
  if (deployment.credential_id) {
    // Never with a key of the environment instead: it belongs to another connection.
    static const StoredCredentials none;
    return (stored_ != nullptr ? *stored_ : none).open(deployment, model, now_ms);
  }
  const auto* const found = find(deployment);
  const auto* const profile = find_profile(deployment.provider);
  if (found == nullptr) {
    if (profile == nullptr || !profile->key_needed) return Credential{};
    return fail(
        ErrorKind::not_found,
        fmt::format("This router holds no key for the connection {} to {}: set {} for it{}.",
                    deployment.connection_name, profile->title,
                    profile->key_variable.empty() ? std::string_view("the provider's key") : profile->key_variable,
                    profile->url_variable.empty()
                        ? std::string()
                        : fmt::format(", and {} as registry-sync has it", profile->url_variable)));
  }
  if (key >= found->keys.size()) return Credential{};
  return Credential{
      .type = profile->auth, .name = std::string(profile->auth_name), .secret = found->keys[key].secret.clone()};
}

}  // namespace tokenrail::providers
