// A URL taken apart as far as checking, masking and leaving out its credentials need it; no more of the standard than
// that. Pure.
#pragma once

#include <algorithm>
#include <string_view>

namespace tokenrail {

/// Views into the URL. Put together again in this order, with what is between them, they are the URL.
struct UrlParts {
  std::string_view scheme{};    ///< without "://"; empty: there is none
  std::string_view userinfo{};  ///< without "@"
  std::string_view host_port{};
  std::string_view rest{};  ///< from the path on

  [[nodiscard]] std::string_view user() const { return userinfo.substr(0, userinfo.find(':')); }
  /// Without its ":"; empty also where there is none.
  [[nodiscard]] std::string_view password() const {
    const auto colon = userinfo.find(':');
    return colon == std::string_view::npos ? std::string_view() : userinfo.substr(colon + 1);
  }
};

/// Takes anything, also what is no URL: credentials must be found in a mistyped one, too.
[[nodiscard]] inline UrlParts split_url(std::string_view url) {
  UrlParts parts;
  // Only what precedes everything else: a password and a path may hold "://", too.
  const auto scheme_end = url.find_first_of(":/?#@");
  if (scheme_end != std::string_view::npos && url.substr(scheme_end).starts_with("://")) {
    parts.scheme = url.substr(0, scheme_end);
    url.remove_prefix(scheme_end + 3);
  } else if (url.starts_with("//")) {
    url.remove_prefix(2);
  }
  const auto authority_end = std::min(url.find_first_of("/?#"), url.size());
  parts.rest = url.substr(authority_end);
  parts.host_port = url.substr(0, authority_end);
  // The last '@': a password may hold one that its owner forgot to encode.
  if (const auto at = parts.host_port.rfind('@'); at != std::string_view::npos) {
    parts.userinfo = parts.host_port.substr(0, at);
    parts.host_port.remove_prefix(at + 1);
  }
  return parts;
}

}  // namespace tokenrail
