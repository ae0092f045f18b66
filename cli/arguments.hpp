// The command line of `tokenrail`, as data: which commands there are, which flags each takes, and what a person gets
// to read about them. Parsing and help are pure, so that every wrong way to call the program can be a row of a test.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config/settings.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// A flag of a command. `value` is the placeholder for its value in the help; empty: the flag has none.
struct Flag {
  std::string_view name;  ///< without the dashes: "from-beginning"
  char letter = 0;        ///< one-letter form; 0: none
  std::string_view value{};
  std::string_view help{};
};

struct Example {
  std::string_view command;
  std::string_view meaning;
};

/// One command. All views live as long as the process (tables are constants).
/// Where a command finds the registry.
enum class RegistryBy {
  none,             ///< it needs none, or reads the topics
  database,         ///< in the database only
  api_or_database,  ///< by the registry API where one is configured, else in the database
};

struct Command {
  std::string_view path;         ///< "chat", "topics apply"
  std::string_view summary;      ///< one line
  std::string_view arguments{};  ///< what follows the path in the usage line: "[TEXT | -]"
  std::size_t arguments_min = 0;
  std::size_t arguments_max = 0;
  std::span<const Flag> flags{};
  std::span<const Example> examples{};
  std::string_view details{};  ///< further paragraphs of the help
  RegistryBy registry = RegistryBy::none;
  std::string_view without_database{};  ///< the flag with which a command of RegistryBy::database needs none
};

/// Flags that every command takes: --help, --json, --quiet, --no-color, --config.
[[nodiscard]] std::span<const Flag> global_flags();

/// What was asked for.
struct Call {
  const Command* command = nullptr;
  std::map<std::string, std::string, std::less<>> flags{};  ///< by name; a flag without a value maps to ""
  std::vector<std::string> arguments{};
  std::vector<std::string> setting_flags{};  ///< "--kafka.bootstrap-servers=…", for config::load()

  [[nodiscard]] bool has(std::string_view name) const { return flags.contains(name); }
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
};
/// --help: of one command, of a group ("topics") or of the whole program (both empty).
struct HelpCall {
  const Command* command = nullptr;
  std::string group{};
};
struct VersionCall {};
/// The call makes no sense. `message` says why and what to do; `group` is set where its commands should be listed.
struct UsageError {
  std::string message;
  const Command* command = nullptr;
  std::string group{};
};
using Parsed = std::variant<Call, HelpCall, VersionCall, UsageError>;

/// `arguments`: argv without argv[0]. Flags may come anywhere; `--` ends them. A flag that names a setting is passed
/// on.
[[nodiscard]] Parsed parse(std::span<const std::string> arguments, std::span<const Command> commands,
                           std::span<const config::Setting> settings);

/// Help pages: examples first.
[[nodiscard]] std::string help_of_program(std::span<const Command> commands);
[[nodiscard]] std::string help_of_group(std::string_view group, std::span<const Command> commands);
[[nodiscard]] std::string help_of_command(const Command& command);

/// docs/reference/cli.md.
[[nodiscard]] std::string reference_page(std::span<const Command> commands);

/// The value of a flag that takes a time, in the notation of the settings: "250ms", "10s", "5m", "2h". The errors
/// (invalid_input) name the flag (without its dashes) and say what to write.
enum class Zero { refused, allowed };
[[nodiscard]] Result<std::chrono::milliseconds> duration_flag(std::string_view flag, std::string_view text,
                                                              Zero zero = Zero::refused);

/// The value of a flag that takes a point in time, in Unix milliseconds: RFC 3339 ("2026-11-21T09:00:00Z",
/// "2026-11-21T10:00:00.5+01:00"), or a time before `now_ms` ("-90s", "-1h"). Errors as duration_flag().
[[nodiscard]] Result<std::int64_t> moment_flag(std::string_view flag, std::string_view text, std::int64_t now_ms);

/// A whole number above 0, as --count and --partitions take it.
[[nodiscard]] std::optional<std::int32_t> parse_count(std::string_view text);

/// "provider/name" (the name may itself hold slashes) or "name". Nothing: an empty half.
struct ModelName {
  std::string provider;  ///< empty: `name` comes without one
  std::string name;
};
[[nodiscard]] std::optional<ModelName> parse_model_name(std::string_view text);

}  // namespace tokenrail::cli
