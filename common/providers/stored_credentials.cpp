#include "common/providers/stored_credentials.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/crypto/credential_binding.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/crypto/envelope.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers {

namespace {

constexpr std::size_t key_ids_shown = 3;

/// A platform's connection serves every model; one of an organisation, or of a user, its own models only.
bool sees(const ModelScope& model, const events::DeploymentState& deployment) {
  if (deployment.connection_org_id.empty()) return true;
  if (model.org_id != deployment.connection_org_id) return false;
  return deployment.connection_owner_user_id.empty() || model.user_id == deployment.connection_owner_user_id;
}

/// Names of query parameters that need no encoding.
bool is_parameter_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
  });
}

struct Authentication {
  AuthType type = AuthType::none;
  std::string name{};
};

Result<Authentication> authentication_of(const events::DeploymentState& deployment) {
  const auto type = auth_type_from(deployment.auth_type);
  if (!type) {
    return fail(ErrorKind::not_found,
                fmt::format("The connection {} authenticates by '{}', which this router does not know. Use a router "
                            "that does, or another authType.",
                            deployment.connection_name, deployment.auth_type));
  }
  Authentication how{.type = *type, .name = deployment.auth_name};
  const auto* const profile = find_profile(deployment.provider);
  if (how.name.empty() && profile != nullptr && profile->auth == *type) how.name = profile->auth_name;
  const bool fit = *type == AuthType::header  ? crypto::is_secret_header_name(how.name)
                   : *type == AuthType::query ? is_parameter_name(how.name)
                   : *type == AuthType::basic ? !how.name.contains(':')
                                              : true;
  if (!fit) {
    return fail(ErrorKind::not_found,
                fmt::format("The connection {} authenticates by '{}' with a name that cannot be used. Change its "
                            "authName.",
                            deployment.connection_name, deployment.auth_type));
  }
  return how;
}

}  // namespace

StoredCredentials::Applied StoredCredentials::apply(std::string_view key, std::optional<std::string_view> value) {
  if (key == events::registry_mark_key) return Applied::mark;
  const auto held = held_.find(key);
  if (!value) {
    if (held == held_.end()) return Applied::unchanged;
    held_.erase(held);
    return Applied::removed;
  }
  auto credential = events::parse_sealed_credential(*value);
  if (!credential || events::credential_key(*credential) != key) return Applied::malformed;
  if (held == held_.end()) {
    held_.emplace(std::string(key), std::move(*credential));
    return Applied::changed;
  }
  if (credential->version <= held->second.version) return Applied::unchanged;
  held->second = std::move(*credential);
  return Applied::changed;
}

std::size_t StoredCredentials::keep_only(const std::set<std::string, std::less<>>& keys) {
  return std::erase_if(held_, [&](const auto& held) { return !keys.contains(held.first); });
}

Result<Credential> StoredCredentials::open(const events::DeploymentState& deployment, const ModelScope& model,
                                           std::int64_t now_ms) const {
  const auto& connection = deployment.connection_name;
  const auto id = deployment.credential_id.value_or(std::string());
  if (!ring_) {
    return fail(ErrorKind::not_found,
                fmt::format("The connection {} has a stored credential, and this process has no key ring to open it. "
                            "Set keyring.file (TOKENRAIL_KEYRING_FILE) and start it again.",
                            connection));
  }
  if (!sees(model, deployment)) {
    return fail(ErrorKind::not_found,
                fmt::format("The connection {} is of another scope than the model. Serve the model by a connection of "
                            "its own scope or of the platform.",
                            connection));
  }
  // The key of the record holds the scope, so another scope's credential is not found.
  events::SealedCredential wanted;
  wanted.id = id;
  wanted.org_id = deployment.connection_org_id;
  wanted.owner_user_id = deployment.connection_owner_user_id;
  const auto held = held_.find(events::credential_key(wanted));
  if (held == held_.end()) {
    return fail(ErrorKind::not_found,
                fmt::format("The credential {} of the connection {} was revoked, or is not published for its scope. "
                            "Give the connection another credential.",
                            id, connection));
  }
  const auto& credential = held->second;
  if (credential.expires_ms && *credential.expires_ms <= now_ms) {
    return fail(ErrorKind::not_found,
                fmt::format("The credential {} of the connection {} has expired. Give it a new secret, or give the "
                            "connection another credential.",
                            id, connection));
  }
  if (credential.provider != deployment.provider) {
    return fail(
        ErrorKind::not_found,
        fmt::format("The credential {} is for the provider {}, the connection {} is for {}. Give the connection "
                    "a credential of its own provider.",
                    id, credential.provider, connection, deployment.provider));
  }
  auto how = authentication_of(deployment);
  if (!how) return std::unexpected(std::move(how.error()));
  const auto cannot = [&](const Error& error) {
    return fail(ErrorKind::not_found, fmt::format("The credential {} of the connection {} cannot be opened: {}.", id,
                                                  connection, error.detail));
  };
  const auto sealed = crypto::sealed_from_text(credential.sealed);
  if (!sealed) return cannot(sealed.error());
  const auto text = crypto::open(*ring_, *sealed,
                                 crypto::binding_of({.id = credential.id,
                                                     .org_id = credential.org_id,
                                                     .owner_user_id = credential.owner_user_id,
                                                     .provider = credential.provider,
                                                     .secret_version = credential.secret_version}));
  if (!text) return cannot(text.error());
  auto opened = crypto::credential_from_text(*text);
  if (!opened) return cannot(opened.error());
  return Credential{.type = how->type,
                    .name = std::move(how->name),
                    .secret = std::move(opened->secret),
                    .extra_headers = std::move(opened->headers)};
}

std::string StoredCredentials::trouble() const {
  if (held_.empty()) return {};
  if (!ring_) {
    return fmt::format(
        "{} stored credentials cannot be opened without a key ring; set keyring.file "
        "(TOKENRAIL_KEYRING_FILE)",
        held_.size());
  }
  std::set<std::string_view> unknown;
  std::size_t count = 0;
  for (const auto& [key, credential] : held_) {
    if (ring_->opening_key(credential.key_id)) continue;
    unknown.insert(credential.key_id);
    ++count;
  }
  if (unknown.empty()) return {};
  std::string names;
  std::size_t shown = 0;
  for (const auto name : unknown) {
    if (shown++ == key_ids_shown) {
      names += " and others";
      break;
    }
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return fmt::format(
      "{} stored credentials cannot be opened: the key ring does not have the key {}, or it is disabled; "
      "give the router the current key ring",
      count, names);
}

}  // namespace tokenrail::providers
