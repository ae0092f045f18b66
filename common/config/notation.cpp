#include "common/config/notation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "common/url.hpp"

namespace tokenrail::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array duration_units{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array byte_units{Unit{"B", 1}, Unit{"KiB", 1LL << 10}, Unit{"MiB", 1LL << 20}, Unit{"GiB", 1LL << 30}};

/// A whole number of at least zero and a unit from the table, with no space between; zero needs no unit.
std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  if (*number == 0 && digits == text.size()) return 0;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(digits)) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

std::string with_unit(std::int64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (number % unit.factor == 0) best = &unit;
  return fmt::format("{}{}", number / best->factor, best->name);
}

bool topic_prefix_fits(std::string_view text) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return text.size() <= topic_prefix_bytes_max && std::ranges::all_of(text, legal);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7f; });
}

bool host_port_fits(std::string_view host_port) {
  const auto bracket = host_port.find(']');
  const auto colon = host_port.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (host_port.substr(0, colon).empty()) return false;
  if (colon == std::string_view::npos) return true;
  const auto port = parse_integer(host_port.substr(colon + 1));
  return port && *port >= 1 && *port <= 65'535;
}

bool url_fits(std::string_view url, bool only_http) {
  const auto parts = split_url(url);
  if (parts.scheme.empty() || !is_plain(url)) return false;
  if (!only_http) return true;  // a database URL may leave the host out (a local socket)
  // What is reached over HTTP is stored and shown with its URL. The database refuses any '@', so do we.
  if (url.contains('@')) return false;
  return (parts.scheme == "http" || parts.scheme == "https") && host_port_fits(parts.host_port);
}

/// Passwords also travel as a query parameter: postgresql://host/db?password=…
std::string mask_query(std::string_view rest) {
  const auto question = rest.find('?');
  if (question == std::string_view::npos) return std::string(rest);
  const auto query_end = std::min(rest.find('#', question), rest.size());
  std::string out(rest.substr(0, question));
  char separator = '?';
  for (const auto& pair : split(rest.substr(question + 1, query_end - question - 1), '&')) {
    out += separator;
    separator = '&';
    const auto name = pair.substr(0, pair.find('='));
    const bool secret = name.find("password") != std::string_view::npos;
    out += secret ? fmt::format("{}={}", name, mask) : std::string(pair);
  }
  out += rest.substr(query_end);
  return out;
}

/// `user_shown`: false where a user has no place either, and may be a token.
std::string masked_url(std::string_view url, bool user_shown) {
  const auto parts = split_url(url);
  if (parts.scheme.empty()) return std::string(mask);  // not a URL after all: who knows what it is
  std::string userinfo(user_shown ? parts.user() : std::string_view());
  if (!user_shown && !parts.userinfo.empty()) userinfo = mask;
  if (user_shown && parts.userinfo.contains(':')) userinfo += fmt::format(":{}", mask);
  if (!parts.userinfo.empty()) userinfo += '@';
  return fmt::format("{}://{}{}{}", parts.scheme, userinfo, parts.host_port, mask_query(parts.rest));
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  return parse_with_unit(text, duration_units);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, byte_units);
}

std::string duration_text(std::int64_t ms) {
  return ms == 0 ? "0s" : with_unit(ms, duration_units);
}

std::string bytes_text(std::int64_t bytes) {
  return bytes == 0 ? "0B" : with_unit(bytes, byte_units);
}

std::string missing_unit(Kind kind, std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  if (kind == Kind::duration) return fmt::format("write a unit, for example {0}s or {0}ms", text);
  if (kind == Kind::bytes) return fmt::format("write a unit, for example {0}KiB or {0}B", text);
  return {};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view item : split(text, ',')) {
    const auto first = item.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    item = item.substr(first, item.find_last_not_of(" \t") - first + 1);
    out.emplace_back(item);
  }
  return out;
}

bool accepts_empty(const Setting& setting) {
  return setting.default_value.empty() || setting.kind == Kind::text || setting.kind == Kind::topic_prefix ||
         setting.kind == Kind::list || setting.kind == Kind::secret;
}

bool fits(const Setting& setting, std::string_view value) {
  if (value.empty()) return accepts_empty(setting);
  const auto within = [&](std::optional<std::int64_t> number) {
    return number && *number >= setting.min.value_or(*number) && *number <= setting.max.value_or(*number);
  };
  switch (setting.kind) {
    case Kind::text:
    case Kind::list:
    case Kind::secret:
      return true;
    case Kind::topic_prefix:
      return topic_prefix_fits(value);
    case Kind::integer:
      return within(parse_integer(value));
    case Kind::duration:
      return within(parse_duration_ms(value));
    case Kind::bytes:
      return within(parse_bytes(value));
    case Kind::boolean:
      return parse_boolean(value).has_value();
    case Kind::choice:
      return std::ranges::count(split(setting.choices, '|'), value) > 0;
    case Kind::url:
      return url_fits(value, true);
    case Kind::secret_url:
      return url_fits(value, false);
  }
  return false;
}

std::string shown(const Setting& setting, std::string_view value) {
  switch (setting.kind) {
    case Kind::secret:
      return std::string(value.empty() ? value : mask);
    case Kind::secret_url:
      return value.empty() ? std::string() : masked_url(value, true);
    case Kind::url:
      // A wrong value is shown as it is, so that it can be fixed, unless it might hold credentials.
      return value.find('@') == std::string_view::npos ? std::string(value) : masked_url(value, false);
    default:
      return std::string(value);
  }
}

bool is_masked(const Setting& setting, std::string_view value) {
  return shown(setting, value) != value;
}

bool is_secret_property(std::string_view property) {
  for (const std::string_view part : {"password", "passphrase", "secret", "key.pem", "oauthbearer.config"})
    if (property.contains(part)) return true;
  return false;
}

std::string_view section(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string environment_name(const Setting& setting) {
  if (!setting.env.empty()) return std::string(setting.env);
  std::string out = "TOKENRAIL_";
  for (const char c : setting.name) {
    const bool lower = c >= 'a' && c <= 'z';
    out += c == '.' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

bool is_kafka_property(std::string_view name) {
  if (!name.starts_with("kafka.")) return false;
  return name.find_first_of("_-") == std::string_view::npos || name == "kafka.log_level";
}

std::string flag_name(std::string_view setting) {
  std::string out = "--";
  for (const char c : setting) out += c == '_' ? '-' : c;
  return out;
}

std::string advice(const Setting& setting, std::string_view value) {
  if (setting.kind != Kind::url || !value.contains('@')) return {};
  const auto parts = split_url(value);
  if (parts.scheme.empty() || !parts.userinfo.empty()) {
    return "credentials do not belong in a URL, which is stored and shown: leave out the part before the @";
  }
  return parts.rest.contains('@') ? "write an @ of its path as %40" : "leave out the @";
}

std::string allowed(const Setting& setting) {
  const auto bounds = [&](auto&& write) {
    if (setting.min && setting.max) return fmt::format(", from {} to {}", write(*setting.min), write(*setting.max));
    if (setting.min) return fmt::format(", at least {}", write(*setting.min));
    if (setting.max) return fmt::format(", at most {}", write(*setting.max));
    return std::string();
  };
  const auto in_units = [](std::span<const Unit> units) {
    return [units](std::int64_t number) {
      const Unit* best = units.data();  // the largest unit that divides it
      for (const Unit& unit : units) {
        if (number != 0 && number % unit.factor == 0) best = &unit;
      }
      return fmt::format("{}{}", number / best->factor, best->name);
    };
  };
  switch (setting.kind) {
    case Kind::text:
    case Kind::secret:
      return "text";
    case Kind::topic_prefix:
      return fmt::format(
          "at most {} letters, digits, '.', '_' and '-', because Kafka takes nothing else in a topic's name",
          topic_prefix_bytes_max);
    case Kind::integer:
      return "a whole number" + bounds([](std::int64_t number) { return fmt::format("{}", number); });
    case Kind::boolean:
      return "true or false";
    case Kind::duration:
      return "a duration such as 250ms, 10s, 5m or 2h" + bounds(in_units(duration_units));
    case Kind::bytes:
      return "a size such as 64KiB, 8MiB or 1GiB" + bounds(in_units(byte_units));
    case Kind::list:
      return "a comma-separated list";
    case Kind::choice: {
      return fmt::format("one of {}", fmt::join(split(setting.choices, '|'), ", "));
    }
    case Kind::url:
      return "a URL that begins with http:// or https://, without user and password";
    case Kind::secret_url:
      return "a URL such as scheme://user:password@host:port/path";
  }
  return {};
}

}  // namespace tokenrail::config
