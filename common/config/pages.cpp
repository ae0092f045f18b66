#include <fmt/format.h>

#include "common/config/notation.hpp"
#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

std::string default_of(const Setting& setting) {
  return setting.default_value.empty() ? "none" : std::string(setting.default_value);
}

/// A pipe would end the cell, a line end the row.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string help_page(std::string_view program, std::string_view purpose, std::span<const Setting> settings) {
  std::string out = fmt::format(
      "{0}: {1}\n"
      "\n"
      "Usage: {0} [FLAG]...\n"
      "\n"
      "  -h, --help        show this page and end\n"
      "  -V, --version     show the version and end\n"
      "  --print-config    show every setting, where it comes from (secrets masked), and end\n"
      "  --config FILE     read settings from a TOML file (environment: TOKENRAIL_CONFIG)\n"
      "\n"
      "Settings, each as a flag, an environment variable or a key of the file; the first that is given wins.\n",
      program, purpose);
  for (const Setting& setting : settings) {
    if (!setting.listed) continue;
    out += fmt::format("\n  {} VALUE    ({})\n      {}\n      Allowed: {}. Default: {}\n", flag_name(setting.name),
                       environment_name(setting), setting.help, allowed(setting), default_of(setting));
  }
  out +=
      "\n"
      "  --kafka.PROPERTY VALUE    (TOKENRAIL_KAFKA_PROPERTY, dots as underscores)\n"
      "      Any property of librdkafka, such as --kafka.security.protocol SASL_SSL.\n";
  return out;
}

std::string markdown_table(std::span<const Setting> settings) {
  std::string out =
      "| setting | environment | default | allowed | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const Setting& setting : settings) {
    if (!setting.listed) continue;
    const std::string preset =
        setting.default_value.empty() ? std::string() : fmt::format("`{}`", cell(setting.default_value));
    out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", setting.name, environment_name(setting), preset,
                       cell(allowed(setting)), cell(setting.help));
  }
  return out;
}

}  // namespace tokenrail::config
