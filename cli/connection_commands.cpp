// The table of the commands for connections and credentials.
#include <array>

#include "cli/govern.hpp"
#include "cli/govern_flags.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::array<Flag, 11> connection_flags{{
    org_flag,
    {.name = "provider",
     .value = "NAME",
     .help = "openai, anthropic, ollama, …: docs/reference/providers.md lists them"},
    {.name = "base-url", .value = "URL", .help = "where it is (default: the provider's own address)"},
    {.name = "credential", .value = "LABEL", .help = "the stored key that calls carry"},
    {.name = "auth", .value = "TYPE", .help = "how calls carry it: bearer, header, query, basic or none"},
    {.name = "auth-name", .value = "NAME", .help = "of the header or the parameter; with basic the user"},
    {.name = "priority", .value = "N", .help = "lower numbers are asked first (default: 0)"},
    {.name = "weight", .value = "N", .help = "share among connections of one priority (default: 1)"},
    {.name = "disable", .help = "serve nothing for now"},
    {.name = "sync", .value = "on|off", .help = "whether registry-sync reads its models"},
    dry_run_flag,
}};
constexpr std::array<Flag, 11> connection_set_flags{{
    org_flag,
    {.name = "base-url", .value = "URL", .help = "where it is"},
    {.name = "credential", .value = "LABEL", .help = "the stored key that calls carry"},
    {.name = "auth", .value = "TYPE", .help = "how calls carry it: bearer, header, query, basic or none"},
    {.name = "auth-name", .value = "NAME", .help = "of the header or the parameter; with basic the user"},
    {.name = "priority", .value = "N", .help = "lower numbers are asked first"},
    {.name = "weight", .value = "N", .help = "share among connections of one priority"},
    {.name = "enable", .help = "serve again"},
    {.name = "disable", .help = "serve nothing for now"},
    {.name = "sync", .value = "on|off", .help = "whether registry-sync reads its models"},
    dry_run_flag,
}};
constexpr std::array<Flag, 2> connection_test_flags{{
    org_flag,
    {.name = "model", .value = "NAME", .help = "call this model, by its name at the provider"},
}};
constexpr std::array<Flag, 4> credential_flags{{
    org_flag,
    {.name = "provider",
     .value = "NAME",
     .help = "whose key it is; needed for a new label, and for one that several providers have"},
    {.name = "headers", .value = "NAMES", .help = "further headers with secrets that calls carry, separated by commas"},
    dry_run_flag,
}};
constexpr std::array<Flag, 4> credential_revoke_flags{{
    org_flag,
    {.name = "provider", .value = "NAME", .help = "whose key it is; needed where several providers have the label"},
    force_flag,
    dry_run_flag,
}};
constexpr std::array<Example, 2> connections_test_examples{{
    {"tokenrail connections test acme-openai --org acme", "is it found, reached, and is its key accepted?"},
    {"tokenrail connections test acme-openai --org acme --model gpt-4o-mini", "the same, and a call of that model"},
}};
constexpr std::array<Example, 1> connections_list_examples{{
    {"tokenrail connections list --org acme", "acme's own and the platform's"},
}};
constexpr std::array<Example, 1> connections_add_examples{{
    {"tokenrail connections add acme-openai --org acme --provider openai --credential main", "with acme's own key"},
}};
constexpr std::array<Example, 1> connections_set_examples{{
    {"tokenrail connections set acme-openai --org acme --credential second", "call with another key from now on"},
}};
constexpr std::array<Example, 1> connections_remove_examples{{
    {"tokenrail connections remove acme-openai --org acme --force", "although it serves models"},
}};
constexpr std::array<Example, 3> credentials_put_examples{{
    {"tokenrail credentials put main --provider openai --org acme", "asks for the key, and does not show it"},
    {"tokenrail credentials put main --org acme < key.txt", "another key for the same label"},
    {"tokenrail credentials put main --org acme --headers X-Project < lines.txt", "a key, and a header for it"},
}};
constexpr std::array<Example, 1> credentials_list_examples{{
    {"tokenrail credentials list --org acme", "labels and the last four characters, never a key"},
}};
constexpr std::array<Example, 1> credentials_revoke_examples{{
    {"tokenrail credentials revoke main --org acme", "remove the key; routers drop it"},
}};

constexpr std::array<Command, 8> command_table{{
    {.path = "connections list",
     .summary = "List the connections to providers",
     .flags = org_flags,
     .examples = connections_list_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "connections add",
     .summary = "Add a connection to a provider",
     .arguments = "NAME",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = connection_flags,
     .examples = connections_add_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "connections set",
     .summary = "Change a connection",
     .arguments = "NAME",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = connection_set_flags,
     .examples = connections_set_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "connections remove",
     .summary = "Remove a connection",
     .arguments = "NAME",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = remove_flags,
     .examples = connections_remove_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "connections test",
     .summary = "Test a connection with its stored key, stage by stage",
     .arguments = "NAME",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = connection_test_flags,
     .examples = connections_test_examples,
     .details = "Looks up the host, connects, agrees on TLS, sends the key, lists the models and, with\n"
                "--model, calls one. Names the cause of a failure and what to do, and keeps the result. Exits with 1 "
                "where a stage fails.",
     .registry = RegistryBy::api_or_database},
    {.path = "credentials put",
     .summary = "Store a provider's key, or another one for the same label",
     .arguments = "LABEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = credential_flags,
     .examples = credentials_put_examples,
     .details =
         "Reads the key from the terminal without showing it, or from standard input; never from an argument. It\n"
         "is sealed with the key ring (TOKENRAIL_KEYRING_FILE) before it is stored, and never shown again. With\n"
         "--headers the value of each header follows the key, a line each.",
     .registry = RegistryBy::api_or_database},
    {.path = "credentials list",
     .summary = "List the stored keys; shows none",
     .flags = org_flags,
     .examples = credentials_list_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "credentials revoke",
     .summary = "Remove a stored key",
     .arguments = "LABEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = credential_revoke_flags,
     .examples = credentials_revoke_examples,
     .registry = RegistryBy::api_or_database},
}};

constexpr std::array<Governing, 8> runs{{
    {"connections list", run_connections_list},
    {"connections add", run_connections_add},
    {"connections set", run_connections_set},
    {"connections remove", run_connections_remove},
    {"connections test", run_connections_test},
    {"credentials put", run_credentials_put},
    {"credentials list", run_credentials_list},
    {"credentials revoke", run_credentials_revoke},
}};

}  // namespace

std::span<const Command> connection_commands() {
  return command_table;
}

std::span<const Governing> connection_runs() {
  return runs;
}

}  // namespace tokenrail::cli
