// Every setting is declared once, in a table of its module; from the tables come the environment names, the TOML file,
// the command-line flags, --help, --print-config and docs/reference/configuration.md.
//
// Precedence, highest first: command-line flag, environment variable, TOML file, default. A value that does not fit
// stops the start with the setting's name, the value (never that of a secret) and what is allowed. Pure: the
// environment and the file's text are arguments. Values are immutable after loading and may be read from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::config {

enum class Kind {
  text,
  topic_prefix,  ///< what Kafka lets a topic's name begin with
  integer,
  boolean,     ///< true | false
  duration,    ///< 250ms, 10s, 5m, 2h; only 0 may have no unit
  bytes,       ///< 64KiB, 8MiB, 1GiB; only 0 may have no unit
  list,        ///< comma-separated
  choice,      ///< one of `choices`
  url,         ///< http:// or https://, with a host and without credentials
  secret,      ///< text that is masked wherever it is shown
  secret_url,  ///< a URL whose password is masked wherever it is shown
};

/// Bytes. Kafka takes 249 for a topic's name; "model_registry.credentials", the longest of ours, needs 26 of them.
inline constexpr std::size_t topic_prefix_bytes_max = 223;

/// One setting. All views must outlive the process (tables are constexpr arrays).
struct Setting {
  std::string_view name{};  ///< dotted, snake_case: "router.in_flight_max"; TOML key, and flag --router.in-flight-max
  std::string_view env{};   ///< environment name; empty: TOKENRAIL_ + name in capitals, dots as underscores
  Kind kind = Kind::text;
  std::string_view default_value{};   ///< in the kind's own notation; empty means "not set"
  std::string_view help{};            ///< one line
  std::optional<std::int64_t> min{};  ///< integer, duration (ms), bytes
  std::optional<std::int64_t> max{};
  std::string_view choices{};  ///< "a|b|c" for Kind::choice
  /// Declared by another program too, to which the rest of the section belongs: other names there are no mistake here.
  bool borrowed = false;
  /// Off: one of a row of settings that the help of the first describes. It is in no table, and in --print-config only
  /// where it is set.
  bool listed = true;
};

/// Where a value came from, for --print-config.
enum class Source { default_value, file, environment, flag };

class Values {
 public:
  /// Each getter ends the process unless the setting was declared with a fitting kind and has a value: asking for
  /// another one is a bug.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const;
  [[nodiscard]] std::int64_t bytes(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
  [[nodiscard]] Source source(std::string_view name) const;
  /// False where the setting has no value: its default is empty and no source gave one.
  [[nodiscard]] bool is_set(std::string_view name) const;

  /// librdkafka properties passed through: TOKENRAIL_KAFKA_SECURITY_PROTOCOL -> {"security.protocol", ...}, and the
  /// [kafka] table of the file. `kafka.bootstrap_servers` is among them as "bootstrap.servers".
  [[nodiscard]] const std::map<std::string, std::string>& kafka_properties() const { return kafka_properties_; }

  /// The whole configuration as TOML with a comment a line saying where each value came from; secrets masked.
  [[nodiscard]] std::string print() const;

 private:
  friend struct Loader;
  struct Entry {
    Setting setting;
    std::string value;
    Source source = Source::default_value;
  };
  const Entry& entry(std::string_view name) const;
  const Entry& entry_of(std::string_view name, std::initializer_list<Kind> kinds) const;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string> kafka_properties_;
  std::map<std::string, Source> kafka_sources_;
};

/// What the command line asked for besides values.
struct Invocation {
  bool help = false;
  bool version = false;
  bool print_config = false;
  std::vector<std::string> rest;  ///< arguments that are no flags of the table, in order
};

struct Loaded {
  Values values;
  Invocation invocation;
  std::vector<std::string> warnings{};  ///< for the log: unknown names that look like no mistake
};

struct Sources {
  std::span<const Setting> settings;               ///< the tables of all modules of this program, joined
  std::vector<std::string> arguments;              ///< argv without argv[0]
  std::map<std::string, std::string> environment;  ///< all of it; only declared names and TOKENRAIL_KAFKA_* are read
  std::string file_text;                           ///< TOML; empty: none
  std::string file_name;                           ///< for messages
  /// true: an unknown flag is an error with the nearest known one; false: it stays in `rest` (programs with commands).
  bool strict_flags = true;
};

/// The text of a TOML file for Sources, the same way in every program. Errors name the file: it is not there or may not
/// be read, it is no file (a directory), or it is larger than 1 MiB.
[[nodiscard]] Result<std::string> read_file(const std::string& name);

/// Adds what comes from this process: its environment, and the file that `named` (the value of --config, empty where it
/// was not given) or else TOKENRAIL_CONFIG names. Errors as read_file(); the environment is there all the same.
[[nodiscard]] Result<void> add_process(Sources& sources, std::string named);

/// Errors (invalid_input) name the setting, the value, where it came from and what is allowed; all of them, one a line.
///
/// An unknown TOML key or TOKENRAIL_ variable is an error with the nearest known name if it looks like a typing
/// mistake: it is within two letters of a known name, or it is in a section that this program has and
/// common_settings() has not. One in a section of another program (program_sections()) is for that program to
/// check and is passed over in silence; what belongs to no program is a warning. Names under TOKENRAIL_DEV_ and
/// TOKENRAIL_TEST_, TOKENRAIL_CONFIG and TOKENRAIL_TRANSCRIPTS are no settings and are passed over. An empty
/// environment value counts as not given where the kind has no empty value (compose files write those).
[[nodiscard]] Result<Loaded> load(const Sources& sources);

/// Reads argv, the process environment and the file named by --config FILE or TOKENRAIL_CONFIG, then load(). On
/// --help, --version, --print-config or an error it prints and returns the exit code to end with (0 or 2).
struct StartUp {
  std::optional<Loaded> loaded;
  int exit_code = 0;
};
/// An argument that is no flag is an error.
[[nodiscard]] StartUp start_up(std::string_view program, std::string_view purpose, std::span<const Setting> settings,
                               int argc, const char* const* argv);

/// The release this program belongs to, such as "0.1.0".
[[nodiscard]] std::string_view version();

/// What a value of this kind looks like and which are allowed, for people: "a duration such as 250ms, 10s, 5m or 2h,
/// from 1ms to 1h".
[[nodiscard]] std::string allowed(const Setting& setting);

/// The environment name: the setting's own, or the one made from its name.
[[nodiscard]] std::string environment_name(const Setting& setting);

/// Whether a name of the section kafka, as a key of the file or as a flag without its dashes, is one of librdkafka's
/// properties: its names have neither underscore nor dash (but for log_level), ours no further dot.
[[nodiscard]] bool is_kafka_property(std::string_view name);

/// The flag: "--router.in-flight-max".
[[nodiscard]] std::string flag_name(std::string_view setting);

/// The table as a --help page and as the Markdown table of docs/reference/configuration.md.
[[nodiscard]] std::string help_page(std::string_view program, std::string_view purpose,
                                    std::span<const Setting> settings);
[[nodiscard]] std::string markdown_table(std::span<const Setting> settings);

/// The sections that one program of this project has for itself: one file and one environment may serve them all.
[[nodiscard]] std::span<const std::string_view> program_sections();

/// Tables put behind each other.
[[nodiscard]] std::vector<Setting> joined(std::initializer_list<std::span<const Setting>> tables);

/// The settings every program of this project has: kafka.bootstrap_servers, database.url, topic.prefix, http.listen,
/// log.level, log.format, ollama.base_url (environment OLLAMA_BASE_URL). Declared in common/config/common_settings.cpp.
[[nodiscard]] std::span<const Setting> common_settings();

}  // namespace tokenrail::config
