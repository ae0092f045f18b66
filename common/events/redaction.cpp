#include "common/events/redaction.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tokenrail::events {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_key_char(char c) {
  return is_alnum(c) || c == '_' || c == '-';
}
bool is_token_char(char c) {
  return is_key_char(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() && std::ranges::equal(text.substr(0, lower_prefix.size()), lower_prefix,
                                                                  [](char a, char b) { return lower(a) == b; });
}

/// How many characters of `text` from `at` on satisfy `allowed`.
template <class Allowed>
std::size_t run_length(std::string_view text, std::size_t at, Allowed allowed) {
  std::size_t end = at;
  while (end < text.size() && allowed(text[end])) {
    ++end;
  }
  return end - at;
}

/// A key that says by its first letters whose it is.
struct KeyPrefix {
  std::string_view prefix;
  std::size_t rest_min;
};
constexpr std::array<KeyPrefix, 21> key_prefixes{{
    {"sk-", 16},   {"sk_live_", 16}, {"rk_live_", 16},    {"pk-", 24},    {"gsk_", 20},  {"hf_", 20},
    {"r8_", 20},   {"xai-", 20},     {"nvapi-", 20},      {"AIza", 30},   {"ya29.", 20}, {"ghp_", 20},
    {"gho_", 20},  {"ghs_", 20},     {"github_pat_", 20}, {"glpat-", 16}, {"xoxb-", 10}, {"xoxp-", 10},
    {"pplx-", 20}, {"tgp_v1_", 16},  {"trk_", 20},
}};

/// Fields whose value is a secret, compared without case and without '_', '-' and ' '.
constexpr std::array<std::string_view, 16> secret_names{
    "password",    "passwd",          "passphrase",   "pwd",          "secret",    "apikey",
    "accesstoken", "authtoken",       "refreshtoken", "clientsecret", "secretkey", "privatekey",
    "accesskey",   "secretaccesskey", "sessiontoken", "authorization"};
constexpr std::size_t name_chars_max = 40;

/// What a character may be the beginning of, so that most of a text is passed over with one look at a table.
struct Start {
  bool worth_a_look = false;
  std::uint32_t key_prefixes = 0;  ///< which of them begin with it
};
constexpr std::array<Start, 256> make_starts() {
  std::array<Start, 256> table{};
  for (std::size_t index = 0; index < key_prefixes.size(); ++index) {
    auto& start = table[static_cast<unsigned char>(key_prefixes[index].prefix.front())];
    start.worth_a_look = true;
    start.key_prefixes |= std::uint32_t{1} << index;
  }
  // Private keys, names and URLs; AWS keys, web tokens; bearer and basic.
  for (const char c : {'-', ':', '=', 'A', 'e', 'b', 'B'}) {
    table[static_cast<unsigned char>(c)].worth_a_look = true;
  }
  return table;
}
constexpr auto starts = make_starts();

/// What to take out, in bytes from the place looked at: `keep` bytes stay before it. Nothing found: drop is 0.
struct Finding {
  std::size_t keep = 0;
  std::size_t drop = 0;
};

class Redactor {
 public:
  explicit Redactor(std::string_view text) : text_(text) {}

  Redacted run() {
    Redacted result;
    std::size_t copied = 0;
    for (std::size_t at = 0; at < text_.size();) {
      if (!starts[static_cast<unsigned char>(text_[at])].worth_a_look) {
        ++at;
        continue;
      }
      const auto found = look(at);
      if (found.drop == 0) {
        ++at;
        continue;
      }
      const std::size_t from = at + found.keep;
      result.text.append(text_.substr(copied, from - copied));
      result.text.append(redaction_mark);
      result.redacted = true;
      at = copied = from + found.drop;
    }
    result.text.append(text_.substr(copied));
    return result;
  }

 private:
  [[nodiscard]] Finding look(std::size_t at) {
    const char c = text_[at];
    if (c == '-') {
      return private_key(at);
    }
    if (c == ':' || c == '=') {
      const auto found = c == ':' ? url_password(at) : Finding{};
      return found.drop > 0 ? found : named_value(at);
    }
    if (at > 0 && is_alnum(text_[at - 1])) {
      return {};
    }
    if (const auto found = provider_key(at); found.drop > 0) {
      return found;
    }
    if (c == 'A') {
      return aws_key(at);
    }
    return c == 'e' ? json_web_token(at) : authorization(at);
  }

  [[nodiscard]] Finding provider_key(std::size_t at) const {
    const auto rest = text_.substr(at);
    for (auto mask = starts[static_cast<unsigned char>(rest.front())].key_prefixes; mask != 0; mask &= mask - 1) {
      const auto& [prefix, rest_min] = key_prefixes[static_cast<std::size_t>(std::countr_zero(mask))];
      if (!rest.starts_with(prefix)) {
        continue;
      }
      const auto length = run_length(rest, prefix.size(), is_key_char);
      if (length >= rest_min) {
        return {.drop = prefix.size() + length};
      }
    }
    return {};
  }

  [[nodiscard]] Finding aws_key(std::size_t at) const {
    const auto rest = text_.substr(at);
    if (!rest.starts_with("AKIA") && !rest.starts_with("ASIA")) {
      return {};
    }
    const auto length = run_length(rest, 4, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
    return length >= 16 ? Finding{.drop = 4 + length} : Finding{};
  }

  [[nodiscard]] Finding json_web_token(std::size_t at) {
    // A failed look has passed over a run that cannot be the start of another: not again, or time is quadratic.
    if (at < token_tried_until_ || !text_.substr(at).starts_with("eyJ")) {
      return {};
    }
    const auto header = run_length(text_, at, is_key_char);
    const std::size_t first_dot = at + header;
    token_tried_until_ = first_dot;
    if (header < 10 || first_dot >= text_.size() || text_[first_dot] != '.') {
      return {};
    }
    const auto payload = run_length(text_, first_dot + 1, is_key_char);
    const std::size_t second_dot = first_dot + 1 + payload;
    token_tried_until_ = second_dot;
    if (payload < 4 || second_dot >= text_.size() || text_[second_dot] != '.') {
      return {};
    }
    const auto signature = run_length(text_, second_dot + 1, is_key_char);
    return {.drop = second_dot + 1 + signature - at};
  }

  [[nodiscard]] Finding authorization(std::size_t at) const {
    const auto rest = text_.substr(at);
    for (const std::string_view scheme : {"bearer ", "basic "}) {
      if (!starts_with_ignoring_case(rest, scheme)) {
        continue;
      }
      const auto length = run_length(rest, scheme.size(), is_token_char);
      const auto token = rest.substr(scheme.size(), length);
      // "bearer certificates" and "basic understanding" are no secrets.
      if (length >= 20 || (length >= 8 && std::ranges::any_of(token, is_digit))) {
        return {.keep = scheme.size(), .drop = length};
      }
    }
    return {};
  }

  /// From -----BEGIN … PRIVATE KEY----- to its end, or to the end of the text.
  [[nodiscard]] Finding private_key(std::size_t at) const {
    constexpr std::string_view begin = "-----BEGIN ";
    constexpr std::string_view end_mark = "PRIVATE KEY-----";
    if (!text_.substr(at).starts_with(begin)) {
      return {};
    }
    const auto head = text_.substr(at, begin.size() + 48);
    const auto title = head.find(end_mark);
    if (title == std::string_view::npos) {
      return {};
    }
    const auto close = text_.find(end_mark, at + title + end_mark.size());
    const auto end = close == std::string_view::npos ? text_.size() : close + end_mark.size();
    return {.drop = end - at};
  }

  /// scheme://user:password@host
  [[nodiscard]] Finding url_password(std::size_t at) const {
    constexpr std::size_t userinfo_max = 512;
    if (!text_.substr(at).starts_with("://")) {
      return {};
    }
    const auto rest = text_.substr(at + 3, userinfo_max);
    const auto length = run_length(rest, 0, [](char c) {
      return c != '@' && c != '/' && c != '?' && c != '#' && c != '"' && static_cast<unsigned char>(c) > 0x20;
    });
    const auto colon = rest.substr(0, length).find(':');
    if (length >= rest.size() || rest[length] != '@' || colon == std::string_view::npos) {
      return {};
    }
    const auto password = length - colon - 1;
    return password == 0 ? Finding{} : Finding{.keep = 3 + colon + 1, .drop = password};
  }

  /// password = hunter2, "api_key": "abc", Client-Secret: xyz. Looked at from the ':' or '=' on both sides, because
  /// those are rare in prose and words are not. What it passes over before and after is bounded, the value excepted.
  [[nodiscard]] Finding named_value(std::size_t at) const {
    std::size_t name_end = at;
    for (int spaces = 0; spaces < 4 && name_end > 0 && text_[name_end - 1] == ' '; ++spaces) {
      --name_end;
    }
    if (name_end > 0 && (text_[name_end - 1] == '"' || text_[name_end - 1] == '\'')) {
      --name_end;
      if (name_end > 0 && text_[name_end - 1] == '\\') {  // inside a JSON string the quotes are escaped
        --name_end;
      }
    }
    std::size_t name_start = name_end;
    while (name_start > 0 && name_end - name_start < name_chars_max && is_key_char(text_[name_start - 1])) {
      --name_start;
    }
    if (!is_secret_name(text_.substr(name_start, name_end - name_start))) {
      return {};
    }

    std::size_t start = at + 1;
    for (int spaces = 0; spaces < 4 && start < text_.size() && text_[start] == ' '; ++spaces) {
      ++start;
    }
    if (text_.substr(start).starts_with("\\\"")) {
      ++start;
    }
    const char quote = start < text_.size() && (text_[start] == '"' || text_[start] == '\'') ? text_[start] : '\0';
    if (quote != '\0') {
      ++start;
    }
    for (const std::string_view scheme : {"bearer ", "basic "}) {
      if (starts_with_ignoring_case(text_.substr(start), scheme)) {
        start += scheme.size();
      }
    }
    const auto value = run_length(text_, start, [quote](char c) {
      if (quote != '\0') {
        return c != quote && c != '\n' && c != '\\';
      }
      return static_cast<unsigned char>(c) > 0x20 && c != ',' && c != ';' && c != '&' && c != '"' && c != '\'' &&
             c != '\\' && c != ')' && c != '}' && c != ']';
    });
    return value == 0 ? Finding{} : Finding{.keep = start - at, .drop = value};
  }

  /// The name itself, or one that ends in it (DB_PASSWORD, openai-api-key).
  [[nodiscard]] static bool is_secret_name(std::string_view name) {
    std::array<char, name_chars_max> plain{};
    std::size_t length = 0;
    for (const char c : name) {
      if (is_alnum(c)) {
        plain[length++] = lower(c);
      }
    }
    const std::string_view folded(plain.data(), length);
    return std::ranges::any_of(secret_names, [folded](std::string_view secret) { return folded.ends_with(secret); });
  }

  std::string_view text_;
  std::size_t token_tried_until_ = 0;
};

}  // namespace

Redacted redact_secrets(std::string_view text) {
  return Redactor(text).run();
}

}  // namespace tokenrail::events
