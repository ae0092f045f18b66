#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "common/config/edit_distance.hpp"
#include "common/config/notation.hpp"
#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

constexpr std::string_view prefix = "TOKENRAIL_";
constexpr std::string_view kafka_prefix = "TOKENRAIL_KAFKA_";

// Two wrong letters are a typing mistake; more is another word. Short names get less room, or everything is near.
std::size_t distance_max_for(std::string_view name) {
  return name.size() < 8 ? 1 : 2;
}
// For a suggestion only, where the name is an error anyway.
constexpr std::size_t suggestion_distance_max = 6;

/// Foreign text fit for a message of one line.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 120;
  std::string out = "'";
  for (const char c : text.substr(0, shown_max)) {
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    out += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (text.size() > shown_max) out += "…";
  return out + "'";
}

std::string hint(const std::optional<std::string>& suggestion) {
  return suggestion ? fmt::format("; did you mean {}?", *suggestion) : std::string();
}

/// SECURITY_PROTOCOL -> security.protocol. librdkafka's properties have dots only; the one that can be set as text and
/// has an underscore is log_level.
std::string property_of(std::string_view suffix) {
  std::string out;
  for (const char c : suffix) out += c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out == "log.level" ? "log_level" : out;
}

/// Names under TOKENRAIL_ that are no settings.
bool is_tolerated(std::string_view name) {
  return name == "TOKENRAIL_CONFIG" || name == "TOKENRAIL_TRANSCRIPTS" || name.starts_with("TOKENRAIL_DEV_") ||
         name.starts_with("TOKENRAIL_TEST_");
}

std::string setting_name(std::string_view flag) {
  std::string out;
  for (const char c : flag.substr(2)) out += c == '-' ? '_' : c;
  return out;
}

}  // namespace

/// One load: the tables, what was found so far, and the complaints. Sources are read from the lowest precedence to the
/// highest, each overwriting the one before.
struct Loader {
  explicit Loader(const Sources& given) : sources(given) {
    for (const Setting& setting : sources.settings) {
      names.emplace_back(setting.name);
      Values::Entry entry{.setting = setting, .value = std::string(setting.default_value)};
      out.values.entries_.emplace(std::string(setting.name), std::move(entry));
    }
    // Sections of common_settings() are shared between programs; the others are a program's own, so that it knows
    // every name there is in them.
    for (const Setting& setting : sources.settings)
      if (!setting.borrowed) own_sections.emplace(section(setting.name));
    for (const Setting& setting : common_settings()) own_sections.erase(std::string(section(setting.name)));
    own_sections.erase("kafka");
  }

  void read_file();
  void read_environment();
  void read_arguments();
  void finish();

  void read_table(const toml::table& table, const std::string& path);
  void read_file_value(const std::string& name, const toml::node& node);
  std::size_t read_flag(std::size_t index);

  void set(std::string_view name, std::string value, Source source, const std::string& origin);
  void set_property(const std::string& property, std::string value, Source source);
  void unknown(const std::string& shown_name, std::string_view dotted, std::span<const std::string> known,
               const std::string& origin, std::string_view in_section);
  [[nodiscard]] std::string section_of_variable(std::string_view variable) const;

  const Sources& sources;
  Loaded out{};
  std::vector<std::string> errors{};
  std::vector<std::string> names{};
  std::set<std::string, std::less<>> own_sections{};
};

void Loader::set(std::string_view name, std::string value, Source source, const std::string& origin) {
  Values::Entry& entry = out.values.entries_.find(name)->second;
  if (!fits(entry.setting, value)) {
    if (const auto unit = missing_unit(entry.setting.kind, value); !unit.empty() && parse_integer(value) != 0) {
      errors.push_back(fmt::format("{} is {} ({}): {}", name, value, origin, unit));
      return;
    }
    const auto todo = advice(entry.setting, value);
    errors.push_back(fmt::format("{} = {} ({}) is not allowed; it has to be {}{}{}", name,
                                 quoted(shown(entry.setting, value)), origin, allowed(entry.setting),
                                 todo.empty() ? "" : "; ", todo));
    return;
  }
  entry.value = std::move(value);
  entry.source = source;
}

void Loader::set_property(const std::string& property, std::string value, Source source) {
  // librdkafka's own name for what is a setting here: one value, whichever way it was said.
  if (property == "bootstrap.servers" && out.values.entries_.contains("kafka.bootstrap_servers")) {
    return set("kafka.bootstrap_servers", std::move(value), source, property);
  }
  out.values.kafka_properties_[property] = std::move(value);
  out.values.kafka_sources_[property] = source;
}

void Loader::unknown(const std::string& shown_name, std::string_view dotted, std::span<const std::string> known,
                     const std::string& origin, std::string_view in_section) {
  const auto mistake = nearest(dotted, known, distance_max_for(dotted));
  if (mistake || own_sections.contains(in_section)) {
    const auto suggestion = nearest(dotted, known, suggestion_distance_max);
    errors.push_back(fmt::format("{} ({}) is not a setting{}", quoted(shown_name), origin, hint(suggestion)));
    return;
  }
  if (std::ranges::find(program_sections(), in_section) != program_sections().end()) return;
  out.warnings.push_back(fmt::format("{} ({}) is not a setting of this program", quoted(shown_name), origin));
}

void Loader::read_file() {
  if (sources.file_text.empty()) return;
  try {
    const toml::table table = toml::parse(sources.file_text, sources.file_name);
    read_table(table, "");
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    errors.push_back(
        fmt::format("{}, line {}, column {}: {}", sources.file_name, where.line, where.column, error.description()));
  }
}

void Loader::read_table(const toml::table& table, const std::string& path) {
  for (const auto& [key, node] : table) {
    const std::string name = path.empty() ? std::string(key.str()) : fmt::format("{}.{}", path, key.str());
    if (const auto* const inner = node.as_table()) {
      read_table(*inner, name);
    } else {
      read_file_value(name, node);
    }
  }
}

void Loader::read_file_value(const std::string& name, const toml::node& node) {
  const std::string origin = fmt::format("{}, line {}", sources.file_name, node.source().begin.line);
  const bool known = out.values.entries_.contains(name);
  const bool property = !known && is_kafka_property(name);
  if (!known && !property) return unknown(name, name, names, origin, section(name));

  std::optional<std::string> text;
  if (const auto* const string = node.as_string()) {
    text = string->get();
  } else if (const auto* const integer = node.as_integer()) {
    text = fmt::format("{}", integer->get());
  } else if (const auto* const boolean = node.as_boolean()) {
    text = boolean->get() ? "true" : "false";
  } else if (const auto* const array = node.as_array()) {
    text = "";
    for (const auto& item : *array) {
      const auto* const element = item.as_string();
      const bool plain = element != nullptr && !element->get().empty() && !element->get().contains(',');
      if (!plain) {
        errors.push_back(fmt::format("{} ({}): a list holds texts that are not empty and have no comma", name, origin));
        return;
      }
      if (!text->empty()) *text += ',';
      *text += element->get();
    }
  }
  if (!text) {
    errors.push_back(
        fmt::format("{} ({}) has to be a text, a whole number, a boolean or a list of texts", name, origin));
  } else if (property) {
    set_property(name.substr(std::string_view("kafka.").size()), std::move(*text), Source::file);
  } else {
    set(name, std::move(*text), Source::file, origin);
  }
}

/// Sections may hold underscores themselves, so the variable's is found by trying those that are known.
std::string Loader::section_of_variable(std::string_view variable) const {
  std::string found;
  const auto look_at = [&](std::string_view candidate) {
    const auto whole = environment_name(Setting{.name = candidate});
    if (!candidate.empty() && (variable == whole || variable.starts_with(whole + "_"))) found = candidate;
  };
  for (const std::string_view candidate : program_sections()) look_at(candidate);
  for (const std::string& candidate : own_sections) look_at(candidate);
  return found;
}

void Loader::read_environment() {
  std::set<std::string, std::less<>> declared;
  std::vector<std::string> declared_list;
  for (const auto& [name, entry] : out.values.entries_) {
    const std::string variable = environment_name(entry.setting);
    declared.insert(variable);
    declared_list.push_back(variable);
    const auto found = sources.environment.find(variable);
    if (found == sources.environment.end()) continue;
    if (found->second.empty() && !accepts_empty(entry.setting)) continue;
    set(name, found->second, Source::environment, "environment " + variable);
  }
  for (const auto& [variable, value] : sources.environment) {
    const bool ours = variable.starts_with(prefix);
    if (!ours || declared.contains(variable) || is_tolerated(variable)) continue;
    if (variable.starts_with(kafka_prefix)) {
      const std::string property = property_of(std::string_view(variable).substr(kafka_prefix.size()));
      if (!value.empty() && !property.empty()) set_property(property, value, Source::environment);
      continue;
    }
    unknown(variable, variable, declared_list, "environment", section_of_variable(variable));
  }
}

std::size_t Loader::read_flag(std::size_t index) {
  const std::vector<std::string>& arguments = sources.arguments;
  const std::string& argument = arguments[index];
  const auto equals = argument.find('=');
  const std::string flag = argument.substr(0, equals);
  const std::string name = setting_name(flag);
  const auto found = out.values.entries_.find(name);
  const bool property = found == out.values.entries_.end() && is_kafka_property(name);
  const bool config = flag == "--config";

  if (found == out.values.entries_.end() && !property && !config) {
    if (!sources.strict_flags) {
      out.invocation.rest.push_back(argument);
    } else {
      const auto suggestion = nearest(name, names, suggestion_distance_max);
      const auto shown_flag = suggestion ? std::optional(flag_name(*suggestion)) : std::nullopt;
      errors.push_back(fmt::format("{} is not a flag{}", quoted(flag), hint(shown_flag)));
    }
    return 1;
  }

  std::string value;
  std::size_t used = 1;
  const bool boolean = !property && !config && found->second.setting.kind == Kind::boolean;
  const bool next_is_value =
      index + 1 < arguments.size() && (!boolean || parse_boolean(arguments[index + 1]).has_value());
  if (equals != std::string::npos) {
    value = argument.substr(equals + 1);
  } else if (next_is_value) {
    value = arguments[index + 1];
    used = 2;
  } else if (boolean) {
    value = "true";
  } else {
    errors.push_back(fmt::format("{} needs a value", flag));
    return used;
  }
  if (property) {
    set_property(flag.substr(std::string_view("--kafka.").size()), std::move(value), Source::flag);
  } else if (!config) {  // the caller that gave us the file's text has read --config
    set(name, std::move(value), Source::flag, "flag " + flag);
  }
  return used;
}

void Loader::read_arguments() {
  Invocation& invocation = out.invocation;
  for (std::size_t i = 0; i < sources.arguments.size();) {
    const std::string& argument = sources.arguments[i];
    std::size_t used = 1;
    if (argument == "--") {
      invocation.rest.insert(invocation.rest.end(), sources.arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                             sources.arguments.end());
      return;
    }
    if (argument == "--help" || argument == "-h") {
      invocation.help = true;
    } else if (argument == "--version" || argument == "-V") {
      invocation.version = true;
    } else if (argument == "--print-config") {
      invocation.print_config = true;
    } else if (argument.starts_with("--")) {
      used = read_flag(i);
    } else if (sources.strict_flags && argument.size() > 1 && argument.front() == '-') {
      errors.push_back(fmt::format("{} is not a flag; flags of settings begin with --", quoted(argument)));
    } else {
      invocation.rest.push_back(argument);
    }
    i += used;
  }
}

void Loader::finish() {
  const auto bootstrap = out.values.entries_.find("kafka.bootstrap_servers");
  if (bootstrap == out.values.entries_.end()) return;
  out.values.kafka_properties_["bootstrap.servers"] = bootstrap->second.value;
  out.values.kafka_sources_["bootstrap.servers"] = bootstrap->second.source;
}

Result<Loaded> load(const Sources& sources) {
  Loader loader(sources);
  loader.read_file();
  loader.read_environment();
  loader.read_arguments();
  loader.finish();
  // A user who asks for help because a value is wrong must get it.
  const bool only_asks = loader.out.invocation.help || loader.out.invocation.version;
  if (loader.errors.empty() || only_asks) return std::move(loader.out);
  return fail(ErrorKind::invalid_input, fmt::format("{}", fmt::join(loader.errors, "\n")));
}

}  // namespace tokenrail::config
