// Whether each setting of a program reaches the option that it is named after, and nothing else: the check of a table
// with a row a setting. What it finds are fields that nobody fills, and two that are swapped.
#pragma once

#include <cctype>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/config/settings.hpp"

namespace tokenrail::test {

using Environment = std::map<std::string, std::string>;

inline config::Values loaded_with(std::span<const config::Setting> own, const Environment& environment) {
  auto loaded = config::load({.settings = config::joined({config::common_settings(), own}),
                              .arguments = {},
                              .environment = environment,
                              .file_text = {},
                              .file_name = {}});
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : loaded.error().detail);
  return std::move(loaded->values);
}

template <class Options>
struct OptionTable {
  /// `value` is one that no other row has, and no default; `expected` is what `option` says of it then.
  struct Row {
    std::string setting;
    std::string value;
    std::function<std::string(const Options&)> option;
    std::string expected;
  };

  std::span<const config::Setting> settings;
  std::function<Options(const config::Values&)> make;
  std::vector<Row> rows;

  [[nodiscard]] Options made_with(const Environment& environment) const {
    return make(loaded_with(settings, environment));
  }

  void each_reaches_its_own() const {
    const auto defaults = made_with({});
    for (const auto& row : rows) {
      std::string variable = "TOKENRAIL_";
      for (const char c : row.setting) variable += c == '.' ? '_' : static_cast<char>(std::toupper(c));
      const auto options = made_with({{variable, row.value}});
      EXPECT_EQ(row.option(options), row.expected) << row.setting;
      EXPECT_NE(row.option(defaults), row.expected) << row.setting;
      for (const auto& other : rows) {
        if (other.setting == row.setting) continue;
        EXPECT_EQ(other.option(options), other.option(defaults)) << row.setting << " changed " << other.setting;
      }
    }
  }

  /// `elsewhere`: settings that the program reads without these options.
  void none_is_left_out(std::set<std::string> elsewhere, const std::vector<std::string>& prefixes) const {
    for (const auto& row : rows) elsewhere.insert(row.setting);
    for (const auto& setting : settings) {
      for (const auto& prefix : prefixes) {
        if (!setting.listed || !setting.name.starts_with(prefix)) continue;
        EXPECT_TRUE(elsewhere.contains(std::string(setting.name))) << setting.name;
      }
    }
  }

  /// Options that nobody set, made without any setting, are those that the reference page shows.
  void defaults_are(const Options& plain) const {
    const auto defaults = made_with({});
    for (const auto& row : rows) EXPECT_EQ(row.option(defaults), row.option(plain)) << row.setting;
  }
};

template <class Options, class T>
std::function<std::string(const Options&)> number(T Options::* field) {
  return [field](const Options& options) { return fmt::format("{}", options.*field); };
}
template <class Options>
std::function<std::string(const Options&)> time(std::chrono::milliseconds Options::* field) {
  return [field](const Options& options) { return fmt::format("{}", (options.*field).count()); };
}

}  // namespace tokenrail::test
