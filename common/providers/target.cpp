#include "common/providers/target.hpp"

#include <algorithm>
#include <cctype>

#include <openssl/evp.h>

#include "common/url.hpp"

namespace tokenrail::providers {

namespace {

struct AuthName {
  AuthType type;
  std::string_view name;
};
constexpr AuthName auth_names[] = {{AuthType::none, "none"},
                                   {AuthType::bearer, "bearer"},
                                   {AuthType::header, "header"},
                                   {AuthType::query, "query"},
                                   {AuthType::basic, "basic"}};

std::string base64_encoded(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock writes a zero behind its text
  const auto length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

}  // namespace

std::string_view name_of(AuthType type) {
  return std::ranges::find(auth_names, type, &AuthName::type)->name;
}

std::optional<AuthType> auth_type_from(std::string_view name) {
  const auto* const found = std::ranges::find(auth_names, name, &AuthName::name);
  if (found == std::ranges::end(auth_names)) return std::nullopt;
  return found->type;
}

void authorise(http::Request& request, const Credential& credential) {
  const auto add = [&](std::string_view name, std::string value) {
    request.headers.push_back({.name = std::string(name), .value = std::move(value), .secret = true});
  };
  if (!credential.secret.empty()) {
    const auto text = credential.secret.reveal();
    switch (credential.type) {
      case AuthType::none:
        break;
      case AuthType::bearer:
        add("Authorization", "Bearer " + std::string(text));
        break;
      case AuthType::header:
        add(credential.name, std::string(text));
        break;
      case AuthType::query:
        request.url += request.url.contains('?') ? '&' : '?';
        request.url += credential.name + "=" + percent_encoded(text);
        break;
      case AuthType::basic:
        add("Authorization", "Basic " + base64_encoded(credential.name + ":" + std::string(text)));
        break;
    }
  }
  for (const auto& [name, secret] : credential.extra_headers) add(name, std::string(secret.reveal()));
}

void redact_credential(std::string& text, const Credential& credential) {
  // Shorter ones are placeholders such as "x", and would take letters out of words.
  constexpr std::size_t secret_bytes_min = 4;
  constexpr std::string_view mark = "[redacted]";
  constexpr std::string_view cut = "…";
  const auto take_out = [&](std::string_view secret) {
    if (secret.size() < secret_bytes_min) return;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mark.size())) {
      text.replace(at, secret.size(), mark);
    }
    for (auto end = text.find(cut); end != std::string::npos; end = text.find(cut, end + cut.size())) {
      auto bytes = std::min(end, secret.size());
      while (bytes > 0 && std::string_view(text).substr(end - bytes, bytes) != secret.substr(0, bytes)) --bytes;
      // Fewer letters are the beginning of words, too.
      if (bytes < secret_bytes_min) continue;
      text.replace(end - bytes, bytes, mark);
      end = end - bytes + mark.size();
    }
  };
  const auto secret = credential.secret.reveal();
  if (credential.type == AuthType::basic) take_out(base64_encoded(credential.name + ":" + std::string(secret)));
  take_out(secret);
  if (credential.type == AuthType::query) take_out(percent_encoded(secret));
  for (const auto& [name, extra] : credential.extra_headers) take_out(extra.reveal());
}

std::string normal_base_url(std::string_view base_url) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = base_url.find_first_not_of(blanks);
  if (first == std::string_view::npos) return "";
  base_url = base_url.substr(first, base_url.find_last_not_of(blanks) - first + 1);
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  if (base_url.empty()) return "";

  std::string url(base_url);
  auto host = url.find("://");
  if (host == std::string::npos) {
    url.insert(0, "http://");  // as clients of local servers read "localhost:11434"
    host = 4;
  }
  // Scheme and host mean the same in any case; user, password and path do not.
  const auto path = std::min(url.find_first_of("/?#", host + 3), url.size());
  const auto at = url.substr(0, path).rfind('@');
  const auto host_begin = at == std::string::npos ? host + 3 : at + 1;
  const auto lower = [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) url[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(url[i])));
  };
  lower(0, host);
  lower(host_begin, path);
  return url;
}

std::string api_url(std::string_view base_url, std::string_view version_path, std::string_view path) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  std::string url(base_url);
  if (split_url(base_url).rest.empty()) url += version_path;
  url += path;
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

}  // namespace tokenrail::providers
