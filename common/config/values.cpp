#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#include <fmt/format.h>

#include "common/config/notation.hpp"
#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

std::string_view source_word(Source source) {
  switch (source) {
    case Source::default_value:
      return "default";
    case Source::file:
      return "file";
    case Source::environment:
      return "environment";
    case Source::flag:
      return "flag";
  }
  return {};
}

std::string toml_value(const Setting& setting, std::string_view value) {
  if (setting.kind == Kind::integer || setting.kind == Kind::boolean) return std::string(value);
  if (setting.kind != Kind::list) return toml_string(value);
  std::string out = "[";
  for (const std::string& item : parse_list(value)) {
    if (out.size() > 1) out += ", ";
    out += toml_string(item);
  }
  return out + "]";
}

/// A program that asks for what it never declared has a bug that no configuration fixes; true of release builds too.
[[noreturn]] void bug(std::string_view name, std::string_view what) {
  fmt::print(stderr, "bug: setting '{}' {}\n", name, what);
  std::abort();
}

/// What is masked is written as a comment: loaded again, the file must not put a mask in the place of a secret.
std::string line(std::string_view key, std::string_view value, Source source, bool masked) {
  if (masked) return fmt::format("# {} = {}  # secret, from {}\n", key, value, source_word(source));
  return fmt::format("{} = {}  # {}\n", key, value, source_word(source));
}

}  // namespace

const Values::Entry& Values::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) bug(name, "is in none of the program's tables");
  return found->second;
}

const Values::Entry& Values::entry_of(std::string_view name, std::initializer_list<Kind> kinds) const {
  const Entry& found = entry(name);
  if (std::ranges::count(kinds, found.setting.kind) == 0) bug(name, "is of another kind");
  return found;
}

const std::string& Values::text(std::string_view name) const {
  const Entry& found =
      entry_of(name, {Kind::text, Kind::topic_prefix, Kind::choice, Kind::url, Kind::secret, Kind::secret_url});
  return found.value;
}

std::int64_t Values::integer(std::string_view name) const {
  const Entry& found = entry_of(name, {Kind::integer});
  if (found.value.empty()) bug(name, "is not set; ask is_set() first");
  return *parse_integer(found.value);  // checked while loading
}

bool Values::boolean(std::string_view name) const {
  const Entry& found = entry_of(name, {Kind::boolean});
  if (found.value.empty()) bug(name, "is not set; ask is_set() first");
  return *parse_boolean(found.value);
}

std::chrono::milliseconds Values::duration(std::string_view name) const {
  const Entry& found = entry_of(name, {Kind::duration});
  if (found.value.empty()) bug(name, "is not set; ask is_set() first");
  return std::chrono::milliseconds(*parse_duration_ms(found.value));
}

std::int64_t Values::bytes(std::string_view name) const {
  const Entry& found = entry_of(name, {Kind::bytes});
  if (found.value.empty()) bug(name, "is not set; ask is_set() first");
  return *parse_bytes(found.value);
}

std::vector<std::string> Values::list(std::string_view name) const {
  const Entry& found = entry_of(name, {Kind::list});
  return parse_list(found.value);
}

Source Values::source(std::string_view name) const {
  return entry(name).source;
}

bool Values::is_set(std::string_view name) const {
  return !entry(name).value.empty();
}

std::string Values::print() const {
  // Section by section; names without one are the file's top level and have to come first.
  std::map<std::string, std::string> sections;
  for (const auto& [name, entry] : entries_) {
    const auto head = section(name);
    const std::string_view key = head.empty() ? std::string_view(name) : std::string_view(name).substr(head.size() + 1);
    std::string& text = sections[std::string(head)];
    if (entry.value.empty() && !accepts_empty(entry.setting)) continue;
    if (entry.value.empty() && !entry.setting.listed) continue;
    const auto kind = entry.setting.kind;
    if (entry.value.empty() && kind != Kind::text && kind != Kind::topic_prefix && kind != Kind::list) {
      text += fmt::format("# {} is not set\n", key);
      continue;
    }
    const std::string value = shown(entry.setting, entry.value);
    text += line(key, toml_value(entry.setting, value), entry.source, is_masked(entry.setting, entry.value));
  }
  for (const auto& [property, value] : kafka_properties_) {
    if (property == "bootstrap.servers" && entries_.contains("kafka.bootstrap_servers")) continue;
    const bool secret = is_secret_property(property);
    sections["kafka"] += line(toml_string(property), toml_string(secret ? mask : std::string_view(value)),
                              kafka_sources_.at(property), secret);
  }

  std::string out;
  for (const auto& [name, text] : sections) {
    if (!out.empty()) out += '\n';
    if (!name.empty()) out += fmt::format("[{}]\n", name);
    out += text;
  }
  return out;
}

}  // namespace tokenrail::config
