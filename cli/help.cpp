// The help pages: what a newcomer wants first (examples) comes first.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "cli/arguments.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::string_view purpose = "tokenrail: talk to and look after the model layer of a chat platform.";

constexpr std::string_view settings_note =
    "Settings (brokers, database, topic prefix) come from flags such as --kafka.bootstrap-servers, from the\n"
    "environment (TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS, TOKENRAIL_DATABASE_URL, TOKENRAIL_TOPIC_PREFIX, OLLAMA_BASE_URL)\n"
    "or from a TOML file; docs/reference/configuration.md lists them all. Any property of librdkafka is a flag too,\n"
    "such as --kafka.security.protocol SASL_SSL.\n";

constexpr std::string_view exit_codes =
    "Exit codes: 0 done; 1 the answer or the check is bad; 2 wrong usage or settings; 3 Kafka or PostgreSQL cannot be\n"
    "reached; 4 no answer in time; 130 ended by Ctrl-C; 141 the reader of the output has gone.\n";

std::string_view registry_note(RegistryBy by) {
  switch (by) {
    case RegistryBy::none:
      return {};
    case RegistryBy::database:
      return "Works on the database (TOKENRAIL_DATABASE_URL), also where a registry API is configured.";
    case RegistryBy::api_or_database:
      return "Goes through the registry API where TOKENRAIL_API_URL and TOKENRAIL_API_TOKEN are set, else to the "
             "database.";
  }
  return {};
}

std::string flag_text(const Flag& flag) {
  const std::string letter = flag.letter == 0 ? "    " : fmt::format("-{}, ", flag.letter);
  return fmt::format("{}--{}{}{}", letter, flag.name, flag.value.empty() ? "" : " ", flag.value);
}

void append_flags(std::string& out, std::span<const Flag> flags, std::size_t width) {
  for (const Flag& flag : flags)
    fmt::format_to(std::back_inserter(out), "  {:<{}}  {}\n", flag_text(flag), width, flag.help);
}

std::size_t flag_width(std::span<const Flag> flags) {
  std::size_t width = 0;
  for (const Flag& flag : flags) width = std::max(width, flag_text(flag).size());
  return width;
}

void append_examples(std::string& out, std::span<const Example> examples) {
  std::size_t width = 0;
  for (const Example& example : examples) width = std::max(width, example.command.size());
  for (const Example& example : examples)
    fmt::format_to(std::back_inserter(out), "  {:<{}}  # {}\n", example.command, width, example.meaning);
}

void append_commands(std::string& out, std::span<const Command> commands, std::string_view group) {
  std::size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.path.size());
  for (const Command& command : commands)
    if (group.empty() || command.path.starts_with(fmt::format("{} ", group)))
      fmt::format_to(std::back_inserter(out), "  {:<{}}  {}\n", command.path, width, command.summary);
}

}  // namespace

std::string help_of_program(std::span<const Command> commands) {
  std::string out = fmt::format("{}\n\nExamples:\n", purpose);
  std::vector<Example> examples;
  for (const Command& command : commands)
    if (!command.examples.empty()) examples.push_back(command.examples.front());
  append_examples(out, examples);
  out += "\nCommands:\n";
  append_commands(out, commands, {});
  out += "\nFlags of every command:\n";
  append_flags(out, global_flags(), flag_width(global_flags()));
  fmt::format_to(std::back_inserter(out), "\n{}\n{}\n'tokenrail COMMAND --help' says more about one command.\n",
                 settings_note, exit_codes);
  return out;
}

std::string help_of_group(std::string_view group, std::span<const Command> commands) {
  std::string out = fmt::format("Usage: tokenrail {} COMMAND\n\nCommands:\n", group);
  append_commands(out, commands, group);
  fmt::format_to(std::back_inserter(out), "\n'tokenrail {} COMMAND --help' says more about one.\n", group);
  return out;
}

std::string help_of_command(const Command& command) {
  std::string out = fmt::format("{}\n\n", command.summary);
  if (!command.examples.empty()) {
    out += "Examples:\n";
    append_examples(out, command.examples);
    out += "\n";
  }
  fmt::format_to(std::back_inserter(out), "Usage: tokenrail {}{}{} [FLAGS]\n", command.path,
                 command.arguments.empty() ? "" : " ", command.arguments);
  if (!command.details.empty()) fmt::format_to(std::back_inserter(out), "\n{}\n", command.details);
  if (const auto note = registry_note(command.registry); !note.empty())
    fmt::format_to(std::back_inserter(out), "\n{}\n", note);
  const std::size_t width = std::max(flag_width(command.flags), flag_width(global_flags()));
  if (!command.flags.empty()) {
    out += "\nFlags:\n";
    append_flags(out, command.flags, width);
  }
  out += "\nFlags of every command:\n";
  append_flags(out, global_flags(), width);
  fmt::format_to(std::back_inserter(out), "\n{}", settings_note);
  return out;
}

std::string reference_page(std::span<const Command> commands) {
  std::string out =
      "# The command line\n\n"
      "<!-- Written from the tables in cli/ by the test reference-pages-tests. Edit those, not this page. -->\n\n"
      "`tokenrail` is the tool of a person: it asks questions, makes topics, shows the registry and finds out what is\n"
      "wrong. Results go to standard output, everything else to standard error.\n\n";
  fmt::format_to(std::back_inserter(out), "{}\n{}\n", settings_note, exit_codes);
  out += "| command | what it does |\n| --- | --- |\n";
  for (const Command& command : commands)
    fmt::format_to(std::back_inserter(out), "| `tokenrail {}` | {} |\n", command.path, command.summary);
  for (const Command& command : commands)
    fmt::format_to(std::back_inserter(out), "\n## tokenrail {}\n\n```text\n{}```\n", command.path,
                   help_of_command(command));
  return out;
}

}  // namespace tokenrail::cli
