#include "common/crypto/credential_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "common/crypto/zeroing_json.hpp"

namespace tokenrail::crypto {
namespace {

constexpr std::size_t name_bytes_max = 128;
constexpr std::array<std::string_view, 7> framing_headers{"host", "content-length", "content-type",     "connection",
                                                          "te",   "upgrade",        "transfer-encoding"};

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Nothing: it may be sent.
std::optional<std::string_view> fault_of(std::string_view value, std::size_t bytes_max) {
  if (value.empty()) return "is empty";
  if (value.size() > bytes_max) return "is too long";
  // A line break would begin another header.
  if (!std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; }))
    return "has a character other than printable ASCII";
  return std::nullopt;
}

Result<void> check(const CredentialText& credential) {
  if (credential.secret.empty() && credential.headers.empty())
    return fail(ErrorKind::invalid_input, "the credential has neither a secret nor a header");
  if (!credential.secret.empty()) {
    if (const auto fault = fault_of(credential.secret.reveal(), credential_secret_bytes_max))
      return fail(ErrorKind::invalid_input, fmt::format("the secret of the credential {}", *fault));
  }
  if (credential.headers.size() > credential_headers_max) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the credential has more than {} headers", credential_headers_max));
  }
  for (auto header = credential.headers.begin(); header != credential.headers.end(); ++header) {
    const auto& [name, value] = *header;
    // What is no name is not shown: it may be a secret that was put into the wrong field.
    if (!is_secret_header_name(name))
      return fail(ErrorKind::invalid_input, "the credential has a header whose name cannot be used");
    if (const auto fault = fault_of(value.reveal(), credential_header_value_bytes_max))
      return fail(ErrorKind::invalid_input, fmt::format("the header {} of the credential {}", name, *fault));
    const auto same = [&](const auto& other) { return same_name(other.first, name); };
    if (std::any_of(credential.headers.begin(), header, same))
      return fail(ErrorKind::invalid_input, fmt::format("the credential has the header {} twice", name));
  }
  return {};
}

/// Of printable ASCII only these two need an escape.
void append_string(std::string& text, std::string_view value) {
  text += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += '"';
}

std::optional<std::string_view> text_of(const json_t* value) {
  if (!json_is_string(value)) return std::nullopt;
  return std::string_view(json_string_value(value), json_string_length(value));
}

std::unexpected<Error> no_credential() {
  return fail(ErrorKind::invalid_input, "the text is no credential");
}

}  // namespace

bool is_secret_header_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto token = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
  };
  if (name.empty() || name.size() > name_bytes_max || !std::ranges::all_of(name, token)) return false;
  return std::ranges::none_of(framing_headers, [&](std::string_view other) { return same_name(name, other); });
}

Result<Secret> to_text(const CredentialText& credential) {
  if (auto fit = check(credential); !fit) return std::unexpected(std::move(fit.error()));
  std::size_t bytes = credential.secret.size();
  for (const auto& [name, value] : credential.headers) bytes += name.size() + value.size();
  std::string text;
  // Once and for all: a buffer that grows leaves its old bytes behind.
  text.reserve(64 + 2 * bytes + 8 * credential.headers.size());
  text += '{';
  if (!credential.secret.empty()) {
    text += "\"secret\":";
    append_string(text, credential.secret.reveal());
  }
  if (!credential.headers.empty()) {
    text += text.size() > 1 ? ",\"headers\":{" : "\"headers\":{";
    for (const auto& [name, value] : credential.headers) {
      if (text.back() != '{') text += ',';
      append_string(text, name);
      text += ':';
      append_string(text, value.reveal());
    }
    text += '}';
  }
  text += '}';
  return Secret(std::move(text));
}

Result<CredentialText> credential_from_text(const Secret& text) {
  zero_what_jansson_frees();
  const auto bytes = text.reveal();
  const Json root(json_loadb(bytes.data(), bytes.size(), JSON_REJECT_DUPLICATES, nullptr));
  if (!json_is_object(root.get())) return no_credential();
  CredentialText credential;
  const char* name = nullptr;
  json_t* value = nullptr;
  json_object_foreach(root.get(), name, value) {
    const std::string_view field(name);
    if (field == "secret") {
      const auto secret = text_of(value);
      if (!secret) return no_credential();
      credential.secret = Secret(*secret);
    } else if (field == "headers" && json_is_object(value)) {
      const char* header = nullptr;
      json_t* content = nullptr;
      json_object_foreach(value, header, content) {
        const auto secret = text_of(content);
        if (!secret) return no_credential();
        credential.headers.emplace_back(header, Secret(*secret));
      }
    } else {
      // A newer program's: to leave a part of it out would be a call with half of its credential.
      return no_credential();
    }
  }
  if (auto fit = check(credential); !fit) return std::unexpected(std::move(fit.error()));
  return credential;
}

}  // namespace tokenrail::crypto
