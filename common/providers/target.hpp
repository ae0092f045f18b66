// Where a call goes and with which credential. Owned by the caller; views nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http/client.hpp"
#include "common/secret.hpp"

namespace tokenrail::providers {

enum class AuthType { none, bearer, header, query, basic };
[[nodiscard]] std::string_view name_of(AuthType type);
[[nodiscard]] std::optional<AuthType> auth_type_from(std::string_view name);

/// An opened credential. Empty `secret`: none is sent.
struct Credential {
  AuthType type = AuthType::none;
  std::string name{};  ///< of the header or the query parameter; with `basic` the user
  Secret secret{};
  std::vector<std::pair<std::string, Secret>> extra_headers{};  ///< further secret headers, by name
};

struct Target {
  std::string provider{};       ///< of the connection: "groq"; picks the profile
  std::string base_url{};       ///< without trailing slash
  std::string upstream_name{};  ///< the model's name there
  /// An administrator says that the server goes on from an assistant message (see declares_continuing()).
  bool continues = false;
  Credential credential{};
};

/// Puts the credential where its type says. Header values are marked as secret; a query parameter is percent-encoded
/// and makes the URL secret.
void authorise(http::Request& request, const Credential& credential);

/// Replaces the credential's secrets, plain or as authorise() sends them, by a mark. For texts of a provider that are
/// shown or kept: some servers quote the key in their answer. Where such a text was cut already, which "…" shows, the
/// beginning of a secret before the cut is replaced too.
void redact_credential(std::string& text, const Credential& credential);

/// A base URL as people write it, made regular: no surrounding blanks and trailing slashes, `http://` where it has no
/// scheme, scheme and host in lower case.
[[nodiscard]] std::string normal_base_url(std::string_view base_url);

/// `base_url` and `path` joined. A base URL that has no path of its own gets `version_path` ("/v1") first; one that
/// has one is taken as it is, so that gateways with paths of their own can be named.
[[nodiscard]] std::string api_url(std::string_view base_url, std::string_view version_path, std::string_view path);

/// `text` as one part of a path or a query: everything but unreserved characters (RFC 3986) is percent-encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace tokenrail::providers
