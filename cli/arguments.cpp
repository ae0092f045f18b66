#include "cli/arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/config/edit_distance.hpp"
#include "common/config/notation.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::array<Flag, 5> global_flag_table{{
    {.name = "help", .letter = 'h', .help = "show this help"},
    {.name = "json", .help = "write results as JSON, one document a line"},
    {.name = "quiet", .letter = 'q', .help = "write nothing but results and errors"},
    {.name = "no-color", .help = "no colours (the environment variable NO_COLOR does the same)"},
    {.name = "config", .value = "FILE", .help = "read settings from this TOML file (else TOKENRAIL_CONFIG)"},
}};

/// A setting's flag without its dashes, as the names of flags are kept here.
std::string setting_flag(const config::Setting& setting) {
  return config::flag_name(setting.name).substr(2);
}

/// The known word that a misspelt one most likely meant; nothing where none is near.
std::optional<std::string> meant_by(std::string_view word, std::span<const std::string_view> known) {
  // More than a third of the word wrong is another word, not a misspelling.
  return config::nearest(word, known, std::max<std::size_t>(1, word.size() / 3));
}

/// "topics" of "topics apply"; empty for a command of one word.
std::string_view group_of(std::string_view path) {
  const auto space = path.find(' ');
  return space == std::string_view::npos ? std::string_view{} : path.substr(0, space);
}

const Flag* find_flag(std::span<const Flag> flags, std::string_view name) {
  const auto it = std::ranges::find(flags, name, &Flag::name);
  return it == flags.end() ? nullptr : &*it;
}

const Flag* find_letter(std::span<const Flag> flags, char letter) {
  const auto it = std::ranges::find(flags, letter, &Flag::letter);
  return it == flags.end() ? nullptr : &*it;
}

class Parser {
 public:
  Parser(std::span<const std::string> arguments, std::span<const Command> commands,
         std::span<const config::Setting> settings)
      : arguments_(arguments), commands_(commands), settings_(settings) {}

  Parsed run() {
    for (; next_ < arguments_.size(); ++next_) {
      const std::string& word = arguments_[next_];
      const bool is_flag = !flags_ended_ && word.size() > 1 && word.front() == '-';
      if (is_flag && word == "--") {
        flags_ended_ = true;
      } else if (is_flag && word == "--version" && !call_.command) {
        return VersionCall{};
      } else if (is_flag) {
        if (auto error = word.starts_with("--") ? long_flag(word) : letters(word)) return *error;
      } else if (!call_.command) {
        if (auto error = path_word(word)) return *error;
      } else {
        call_.arguments.push_back(word);
      }
    }
    return finish();
  }

 private:
  Parsed finish() {
    const bool help = call_.has("help");
    if (help && call_.command) return HelpCall{.command = call_.command};
    if (help) return HelpCall{.group = path_};
    if (!call_.command && path_.empty()) return HelpCall{};
    if (!call_.command)
      return UsageError{.message = fmt::format("'tokenrail {}' needs one more word", path_), .group = path_};
    const Command& command = *call_.command;
    if (call_.arguments.size() < command.arguments_min)
      return UsageError{.message = fmt::format("'tokenrail {}' needs {}", command.path, command.arguments),
                        .command = &command};
    if (call_.arguments.size() > command.arguments_max)
      return UsageError{.message = command.arguments_max == 0
                                       ? fmt::format("'tokenrail {}' takes no argument, so '{}' is one too many",
                                                     command.path, call_.arguments.front())
                                       : fmt::format("'{}' is one argument too many for 'tokenrail {}'; put text with "
                                                     "spaces into quotes",
                                                     call_.arguments[command.arguments_max], command.path),
                        .command = &command};
    return std::move(call_);
  }

  std::optional<UsageError> path_word(std::string_view word) {
    const std::string candidate = path_.empty() ? std::string(word) : fmt::format("{} {}", path_, word);
    if (const auto it = std::ranges::find(commands_, std::string_view(candidate), &Command::path);
        it != commands_.end()) {
      call_.command = &*it;
      path_ = candidate;
      return std::nullopt;
    }
    const bool is_group =
        path_.empty() && std::ranges::any_of(commands_, [&](const Command& c) { return group_of(c.path) == word; });
    if (is_group) {
      path_ = candidate;
      return std::nullopt;
    }
    std::vector<std::string_view> known;
    for (const Command& command : commands_) {
      const auto group = group_of(command.path);
      if (group != path_) {
        if (path_.empty() && std::ranges::find(known, group) == known.end()) known.push_back(group);
        continue;
      }
      known.push_back(group.empty() ? command.path : command.path.substr(group.size() + 1));
    }
    std::string message = fmt::format("there is no command '{}'", candidate);
    if (const auto meant = meant_by(word, known))
      message += fmt::format("; did you mean 'tokenrail {}{}{}'?", path_, path_.empty() ? "" : " ", *meant);
    return UsageError{.message = std::move(message), .group = path_};
  }

  std::optional<UsageError> long_flag(std::string_view word) {
    word.remove_prefix(2);
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);

    const Flag* flag = find_flag(global_flag_table, name);
    if (!flag && call_.command) flag = find_flag(call_.command->flags, name);
    if (flag) return take(*flag, fmt::format("--{}", name), value);

    // librdkafka's own properties have no table here; it judges them itself.
    const bool is_setting =
        config::is_kafka_property(name) ||
        std::ranges::any_of(settings_, [&](const config::Setting& s) { return setting_flag(s) == name; });
    if (is_setting) {
      if (!value) {
        if (next_ + 1 == arguments_.size()) return needs_value(fmt::format("--{}", name), "VALUE");
        value = arguments_[++next_];
      }
      call_.setting_flags.push_back(fmt::format("--{}={}", name, *value));
      return std::nullopt;
    }
    return unknown_flag(name);
  }

  std::optional<UsageError> letters(std::string_view word) {
    word.remove_prefix(1);
    for (std::size_t i = 0; i < word.size(); ++i) {
      const Flag* flag = find_letter(global_flag_table, word[i]);
      if (!flag && call_.command) flag = find_letter(call_.command->flags, word[i]);
      if (!flag)
        return UsageError{.message = fmt::format("there is no flag '-{}' here", word[i]), .command = call_.command};
      std::optional<std::string_view> value;
      const bool takes_rest = !flag->value.empty() && i + 1 < word.size();
      if (takes_rest) value = word.substr(i + 1);
      if (auto error = take(*flag, fmt::format("-{}", word[i]), value)) return error;
      if (takes_rest) break;
    }
    return std::nullopt;
  }

  std::optional<UsageError> take(const Flag& flag, const std::string& as_written,
                                 std::optional<std::string_view> value) {
    if (flag.value.empty()) {
      if (value) return UsageError{.message = fmt::format("{} takes no value", as_written), .command = call_.command};
      call_.flags[std::string(flag.name)] = "";
      return std::nullopt;
    }
    if (!value) {
      if (next_ + 1 == arguments_.size()) return needs_value(as_written, flag.value);
      value = arguments_[++next_];
    }
    call_.flags[std::string(flag.name)] = std::string(*value);
    return std::nullopt;
  }

  UsageError needs_value(const std::string& as_written, std::string_view placeholder) const {
    return {.message = fmt::format("{} needs a value: {} {}", as_written, as_written, placeholder),
            .command = call_.command};
  }

  UsageError unknown_flag(std::string_view name) const {
    std::vector<std::string_view> known;
    for (const Flag& flag : global_flag_table) known.push_back(flag.name);
    if (call_.command)
      for (const Flag& flag : call_.command->flags) known.push_back(flag.name);
    std::vector<std::string> setting_names;
    setting_names.reserve(settings_.size());
    for (const auto& setting : settings_) setting_names.push_back(setting_flag(setting));
    for (const auto& setting : setting_names) known.push_back(setting);

    std::string message = fmt::format("there is no flag '--{}' here", name);
    if (const auto meant = meant_by(name, known)) {
      message += fmt::format("; did you mean '--{}'?", *meant);
    } else if (!call_.command) {
      for (const Command& command : commands_)
        if (find_flag(command.flags, name)) {
          message += fmt::format("; it belongs to 'tokenrail {}' and is written after it", command.path);
          break;
        }
    }
    return {.message = std::move(message), .command = call_.command};
  }

  std::span<const std::string> arguments_;
  std::span<const Command> commands_;
  std::span<const config::Setting> settings_;
  std::size_t next_ = 0;
  bool flags_ended_ = false;
  std::string path_;
  Call call_;
};

}  // namespace

std::span<const Flag> global_flags() {
  return global_flag_table;
}

std::optional<std::string> Call::value(std::string_view name) const {
  const auto it = flags.find(name);
  return it == flags.end() ? std::nullopt : std::optional(it->second);
}

Parsed parse(std::span<const std::string> arguments, std::span<const Command> commands,
             std::span<const config::Setting> settings) {
  return Parser(arguments, commands, settings).run();
}

namespace {

/// RFC 3339.
std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  // 2026-11-21T09:00:00, each number at its place.
  constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= pattern.size()) return std::nullopt;
  std::array<int, 6> numbers{};
  std::size_t field = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return std::nullopt;
    if (digit) {
      numbers[field] = numbers[field] * 10 + (text[i] - '0');
    } else {
      ++field;
    }
  }
  const auto [year, month, day, hour, minute, second] = numbers;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  auto moment = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                std::chrono::minutes(minute) + std::chrono::milliseconds(second * 1'000);
  text.remove_prefix(pattern.size());

  if (text.starts_with('.')) {
    const auto digits = text.find_first_not_of("0123456789", 1);
    if (digits == 1 || digits == std::string_view::npos) return std::nullopt;
    int factor = 100;
    for (std::size_t i = 1; i < digits; ++i, factor /= 10)
      moment += std::chrono::milliseconds((text[i] - '0') * factor);
    text.remove_prefix(digits);
  }
  if (text == "Z") return moment.count();
  // +01:00
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' || !digit(1) || !digit(2) || !digit(4) ||
      !digit(5))
    return std::nullopt;
  const auto offset =
      std::chrono::minutes(((text[1] - '0') * 10 + (text[2] - '0')) * 60 + (text[4] - '0') * 10 + (text[5] - '0'));
  moment -= text[0] == '+' ? offset : -offset;
  return moment.count();
}

}  // namespace

Result<std::chrono::milliseconds> duration_flag(std::string_view flag, std::string_view text, Zero zero) {
  const auto ms = config::parse_duration_ms(text);
  if (ms && (*ms > 0 || zero == Zero::allowed)) return std::chrono::milliseconds(*ms);
  const auto unit = ms ? std::string() : config::missing_unit(config::Kind::duration, text);
  if (!unit.empty()) return fail(ErrorKind::invalid_input, fmt::format("--{} {}: {}", flag, text, unit));
  return fail(ErrorKind::invalid_input, fmt::format("--{} {}: a time such as 30s or 5m{} is needed", flag, text,
                                                    zero == Zero::allowed ? ", or 0," : ""));
}

Result<std::int64_t> moment_flag(std::string_view flag, std::string_view text, std::int64_t now_ms) {
  const bool ago = text.starts_with('-');
  if (ago) {
    const auto ms = config::parse_duration_ms(text.substr(1));
    if (ms && *ms > 0) return now_ms - *ms;
    const auto unit = ms ? std::string() : config::missing_unit(config::Kind::duration, text.substr(1));
    if (!unit.empty()) return fail(ErrorKind::invalid_input, fmt::format("--{} {}: {}", flag, text, unit));
  } else if (const auto moment = parse_timestamp(text)) {
    return *moment;
  }
  return fail(
      ErrorKind::invalid_input,
      fmt::format("--{} {}: a time such as 2026-11-21T09:00:00Z, or -1h for an hour ago, is needed", flag, text));
}

std::optional<std::int32_t> parse_count(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

std::optional<ModelName> parse_model_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    if (text.empty()) return std::nullopt;
    return ModelName{.provider = {}, .name = std::string(text)};
  }
  if (slash == 0 || slash + 1 == text.size()) return std::nullopt;
  return ModelName{.provider = std::string(text.substr(0, slash)), .name = std::string(text.substr(slash + 1))};
}

}  // namespace tokenrail::cli
