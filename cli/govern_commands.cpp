// The table of the commands that govern the registry: organisations, models and what leads to them, configuration,
// catalogues. Those of connections and credentials are in connection_commands.cpp.
#include <array>
#include <vector>

#include "cli/govern.hpp"
#include "cli/govern_flags.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::array<Flag, 3> org_create_flags{{
    {.name = "id", .value = "ID", .help = "what requests carry as orgId (default: made of the name)"},
    {.name = "mode",
     .value = "MODE",
     .help = "open (default): all enabled models of the platform; allow_list: only those that it chose"},
    dry_run_flag,
}};
constexpr std::array<Flag, 4> add_flags{{
    org_flag,
    {.name = "connection", .value = "NAME", .help = "where it is served"},
    {.name = "upstream", .value = "NAME", .help = "what the provider calls it (default: the model's name)"},
    dry_run_flag,
}};
constexpr std::array<Flag, 5> default_flags{{
    org_flag,
    {.name = "kind", .value = "KIND", .help = "of this kind of models (default: generation)"},
    {.name = "purpose", .value = "WORD", .help = "for this purpose only, such as title"},
    {.name = "remove", .help = "have no default"},
    dry_run_flag,
}};
constexpr std::array<Flag, 4> alias_flags{{
    org_flag,
    {.name = "sticky",
     .value = "WHAT",
     .help = "what stays with the model that it got: conversation (default), user or none"},
    {.name = "remove", .help = "remove the alias"},
    dry_run_flag,
}};
constexpr std::array<Flag, 6> grant_flags{{
    org_flag,
    {.name = "user", .value = "USER", .help = "to this user (default: to the whole organisation)"},
    {.name = "group", .value = "GROUP", .help = "to this group"},
    {.name = "deny", .help = "forbid it instead, which beats every grant"},
    {.name = "remove", .value = "ID", .help = "take this grant back"},
    dry_run_flag,
}};
constexpr std::array<Flag, 3> decide_flags{{
    org_flag,
    {.name = "reason", .value = "TEXT", .help = "kept with the decision"},
    dry_run_flag,
}};
constexpr std::array<Flag, 4> price_flags{{
    org_flag,
    {.name = "connection", .value = "NAME", .help = "prices on that connection, before those of the model"},
    {.name = "remove", .help = "take all own prices back; the catalogue's, or the platform's, count again"},
    dry_run_flag,
}};
constexpr std::array<Example, 4> price_examples{{
    {"tokenrail registry price openai/gpt-4o-mini", "what it costs, and where each price comes from"},
    {"tokenrail registry price openai/gpt-4o-mini input=0.15 output=0.6 cache_read=0.075", "set its prices"},
    {"tokenrail registry price gemini/gemini-2.5-pro input=1.25 input@200001=2.5 output=10 output@200001=15",
     "prices that depend on the size of the prompt"},
    {"tokenrail registry price ollama/llama3.2:1b input=0 output=0", "a model that is free"},
}};
constexpr std::array<Example, 2> inspect_examples{{
    {"tokenrail registry inspect", "the platform's models"},
    {"tokenrail registry inspect --org acme --json", "those that acme sees, for programs"},
}};
constexpr std::array<Example, 2> export_examples{{
    {"tokenrail registry export > registry.yaml", "the configuration, to be kept in git"},
    {"tokenrail registry export --json", "the same for programs"},
}};
constexpr Flag prune_flag{.name = "prune", .help = "remove what the file does not have and no sync has found"};
constexpr std::array<Flag, 1> plan_flags{{prune_flag}};
constexpr std::array<Example, 2> plan_examples{{
    {"tokenrail registry plan registry.yaml", "what differs between the file and the registry"},
    {"tokenrail registry plan registry.yaml --prune", "and what would be removed"},
}};
constexpr std::array<Flag, 2> apply_flags{{prune_flag, dry_run_flag}};
constexpr std::array<Example, 3> apply_examples{{
    {"tokenrail registry apply registry.yaml", "change what differs"},
    {"tokenrail registry apply registry.yaml --prune", "and remove what the file does not have"},
    {"tokenrail registry export | tokenrail registry apply - --database.url URL",
     "copy the decisions to another database"},
}};
constexpr std::array<Flag, 3> catalog_update_flags{{
    {.name = "source",
     .value = "NAME",
     .help = "litellm, models-dev, openrouter or ollama (default: by the file's form)"},
    {.name = "accept-held", .help = "take over what would be held, and what is held"},
    dry_run_flag,
}};
constexpr std::array<Example, 2> catalog_update_examples{{
    {"tokenrail catalog update model_prices_and_context_window.json --dry-run",
     "what LiteLLM's price map would change"},
    {"tokenrail catalog update catalogs/", "the newest file of each catalogue in a folder"},
}};
constexpr std::array<Flag, 1> catalog_scores_flags{{dry_run_flag}};
constexpr std::array<Example, 1> catalog_scores_examples{{
    {"tokenrail catalog scores scores.json", "scores with their source and date"},
}};

constexpr std::array<Example, 2> org_create_examples{{
    {"tokenrail org create 'Acme Corp'", "an organisation with the id acme-corp"},
    {"tokenrail org create acme --mode allow_list", "one that chooses each of its models"},
}};
constexpr std::array<Example, 1> org_list_examples{{{"tokenrail org list", "all organisations"}}};
constexpr std::array<Example, 1> show_examples{{
    {"tokenrail registry show ollama/llama3.2:1b --org acme", "the model as acme sees it"},
}};
constexpr std::array<Example, 1> add_examples{{
    {"tokenrail registry add openai/gpt-4o-mini --org acme --connection acme-openai", "a model that no list contains"},
}};
constexpr std::array<Example, 2> set_examples{{
    {R"(tokenrail registry set ollama/llama3.2:1b '{"displayName":"Llama","tags":["small"]}')", "set two fields"},
    {R"(tokenrail registry set ollama/llama3.2:1b '{"contextWindow":null}')", "back to what the provider says"},
}};
constexpr std::array<Example, 1> enable_examples{{
    {"tokenrail registry enable ollama/llama3.2:1b --org acme", "acme may use it, whatever the platform's default is"},
}};
constexpr std::array<Example, 1> disable_examples{{
    {"tokenrail registry disable ollama/llama3.2:1b --org acme", "acme does not use it; it stays listed"},
}};
constexpr std::array<Example, 1> block_examples{{
    {"tokenrail registry block ollama/llama3.2:1b", "no organisation can use it"},
}};
constexpr std::array<Example, 1> unblock_examples{{
    {"tokenrail registry unblock ollama/llama3.2:1b", "it can be used again where it is enabled"},
}};
constexpr std::array<Example, 1> remove_examples{{
    {"tokenrail registry remove ollama/llama3.2:1b --org acme", "what acme set about it; the platform's counts again"},
}};
constexpr std::array<Example, 2> default_examples{{
    {"tokenrail registry default ollama/llama3.2:1b --org acme", "for acme's requests that name no model"},
    {"tokenrail registry default --org acme", "which defaults acme has set"},
}};
constexpr std::array<Example, 2> alias_examples{{
    {"tokenrail registry alias best ollama/llama3.2:1b=9 ollama/qwen3:0.6b=1 --org acme",
     "one conversation in ten gets the second model"},
    {"tokenrail registry alias best --remove --org acme", "remove it"},
}};
constexpr std::array<Example, 3> grant_examples{{
    {"tokenrail registry grant ollama/llama3.2:1b --org acme --user bob", "bob may use it"},
    {"tokenrail registry grant --org acme", "what acme has granted"},
    {"tokenrail registry grant --org acme --remove 01936f6e-0000-7000-8000-00000000000a", "take one back"},
}};
constexpr std::array<Example, 1> history_examples{{
    {"tokenrail registry history ollama/llama3.2:1b", "each change, who made it and which fields"},
}};
constexpr std::array<Example, 1> rollback_examples{{
    {"tokenrail registry rollback ollama/llama3.2:1b 42", "set what a person may set as it was in version 42"},
}};
constexpr std::array<Example, 1> explain_examples{{
    {"tokenrail registry explain ollama/llama3.2:1b --org acme", "each rule, and whether it holds for acme"},
}};
constexpr std::array<Example, 1> test_examples{{
    {"tokenrail registry test openai/gpt-4o-mini --org acme", "call it with acme's own key"},
}};
constexpr std::array<Example, 1> audit_examples{{
    {"tokenrail registry audit --org acme --json", "everything that was changed for acme, for programs"},
}};
constexpr std::array<Example, 1> held_examples{{
    {"tokenrail registry held", "what waits of the platform's connections and of catalogues"},
}};
constexpr std::array<Example, 2> decide_examples{{
    {"tokenrail registry decide 01936f6e-0000-7000-8000-00000000000a accept", "apply the change"},
    {"tokenrail registry decide 01936f6e-0000-7000-8000-00000000000a reject --reason 'the provider errs'",
     "keep the registry as it is"},
}};
constexpr std::string_view model_details =
    "MODEL is provider/name, a slug or an id. Without --org the platform's model is changed, for every organisation.\n"
    "With --org the change is the organisation's own and takes precedence over the platform's.";

constexpr std::array<Command, 27> command_table{{
    {.path = "registry show",
     .summary = "Show a model as the platform or an organisation sees it",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = org_flags,
     .examples = show_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry add",
     .summary = "Add a model that no provider's list contains",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = add_flags,
     .examples = add_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry set",
     .summary = "Set fields of a model",
     .arguments = "MODEL JSON",
     .arguments_min = 2,
     .arguments_max = 2,
     .flags = change_flags,
     .examples = set_examples,
     .details =
         "JSON names the fields; null gives a field back to what the provider or the platform says. What is set\n"
         "here no sync changes. MODEL is provider/name, a slug or an id.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry enable",
     .summary = "Let a model be used",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = change_flags,
     .examples = enable_examples,
     .details = model_details,
     .registry = RegistryBy::api_or_database},
    {.path = "registry disable",
     .summary = "Let a model not be used",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = change_flags,
     .examples = disable_examples,
     .details = model_details,
     .registry = RegistryBy::api_or_database},
    {.path = "registry block",
     .summary = "Block a model for this level and all below it",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = change_flags,
     .examples = block_examples,
     .details = model_details,
     .registry = RegistryBy::api_or_database},
    {.path = "registry unblock",
     .summary = "Lift a block",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = change_flags,
     .examples = unblock_examples,
     .details = model_details,
     .registry = RegistryBy::api_or_database},
    {.path = "registry remove",
     .summary = "Remove a model, or what an organisation set about it",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = remove_flags,
     .examples = remove_examples,
     .details = "Names what still uses the model (profiles, aliases, defaults) and stops, unless --force is given.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry default",
     .summary = "Set or show which model answers requests that name none",
     .arguments = "[MODEL]",
     .arguments_max = 1,
     .flags = default_flags,
     .examples = default_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry alias",
     .summary = "Set or show names that lead to a model, or to several by weight",
     .arguments = "[ALIAS [MODEL[=WEIGHT] …]]",
     .arguments_max = 65,
     .flags = alias_flags,
     .examples = alias_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry grant",
     .summary = "Grant or forbid a model to people of an organisation",
     .arguments = "[MODEL]",
     .arguments_max = 1,
     .flags = grant_flags,
     .examples = grant_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry history",
     .summary = "Show the changes of a model, newest first",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = org_flags,
     .examples = history_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry rollback",
     .summary = "Set a model as it was in an earlier version",
     .arguments = "MODEL VERSION",
     .arguments_min = 2,
     .arguments_max = 2,
     .flags = change_flags,
     .examples = rollback_examples,
     .details = "Sets what people had set in that version. Other fields are the provider's or the platform's again.\n"
                "Deployments and prices stay.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry explain",
     .summary = "Show why a model may be used, or may not",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = org_flags,
     .examples = explain_examples,
     .details =
         "Each rule as routers apply it, and what to do about those that do not hold. Exits with 1 where the model\n"
         "may not be used. Without an API it reads what is published on model_registry, and needs Kafka too.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry test",
     .summary = "Call a model at each connection that serves it",
     .arguments = "MODEL",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = org_flags,
     .examples = test_examples,
     .details =
         "Tests each connection stage by stage (name, connection, TLS, key, list, call) and keeps "
         "the\n"
         "result. The call is a tiny completion, embedding or rerank, which the provider may bill. Exits with 1 where\n"
         "a stage fails. An organisation cannot test a connection of the platform.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry audit",
     .summary = "Show what was changed and by whom, newest first",
     .flags = org_flags,
     .examples = audit_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry held",
     .summary = "List changes of lists and catalogues that wait for a decision",
     .flags = org_flags,
     .examples = held_examples,
     .registry = RegistryBy::api_or_database},
    {.path = "registry decide",
     .summary = "Accept or reject a change of a list or a catalogue",
     .arguments = "ID accept|reject",
     .arguments_min = 2,
     .arguments_max = 2,
     .flags = decide_flags,
     .examples = decide_examples,
     .details =
         "ID is a row of 'tokenrail registry held'. An accepted change is applied at once. A rejected one stays\n"
         "rejected while the list or the catalogue repeats it.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry price",
     .summary = "Show what a model costs, or set its prices",
     .arguments = "MODEL [PRICE...]",
     .arguments_min = 1,
     .arguments_max = 65,
     .flags = price_flags,
     .examples = price_examples,
     .details =
         "PRICE is DIMENSION=DOLLARS, in US dollars per million units: input, output, cache_read, cache_write,\n"
         "cache_write_1h, reasoning, audio_in, audio_out, image_in, image_out, per_image, per_request, per_second,\n"
         "per_page or search. DIMENSION/TIER is of a service tier (batch, flex, priority), @TOKENS of prompts with at\n"
         "least that many tokens, @HH:MM-HH:MM of a time of day in UTC. The prices replace all that were set before.\n"
         "With --connection they are those of one connection, for a model that several serve at different prices.\n"
         "What is set here no catalogue changes. A price that is not known makes the cost of an answer unknown.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry inspect",
     .summary = "Show what the registry knows and what it lacks",
     .flags = org_flags,
     .examples = inspect_examples,
     .details = "Counts models by provider, free and paid ones, missing prices and unknown limits, entries of "
                "catalogues that\n"
                "are held, and how old catalogues and lists are. A list is stale when none came for a day, or\n"
                "for two intervals of its connection (syncIntervalS) if they are longer.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry export",
     .summary = "Write what people decided as a YAML file",
     .examples = export_examples,
     .details =
         "Writes organisations, connections, models, prices, defaults, aliases, views and grants to standard output, "
         "sorted,\n"
         "so that the same decisions give the same text. What providers and catalogues say is left out, and so are "
         "keys:\n"
         "a connection has the label of its key. Rows of single users are left out too.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry plan",
     .summary = "Show what a file would change",
     .arguments = "FILE | -",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = plan_flags,
     .examples = plan_examples,
     .details =
         "Compares the file with the registry and changes nothing. What the file does not have stays as it is: an "
         "entry\n"
         "(unless --prune is given), and of a model its deployments and prices (an empty list takes them away).",
     .registry = RegistryBy::api_or_database},
    {.path = "registry apply",
     .summary = "Make the registry as a file says",
     .arguments = "FILE | -",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = apply_flags,
     .examples = apply_examples,
     .details =
         "Shows what changes, as 'registry plan' does, then changes it, one entry after the other, each with a "
         "revision,\n"
         "an audit entry and an event. The same file again changes nothing. An entry that is refused ends the "
         "command;\n"
         "those before it stay applied. Keys are not part of the file: store them first (tokenrail credentials put).\n"
         "With --prune, entries that the file does not have are removed last: 'registry plan FILE --prune' shows "
         "them.\n"
         "Models that a provider's list named stay, and so do their connections and those of the environment.",
     .registry = RegistryBy::api_or_database},
    {.path = "catalog update",
     .summary = "Take prices, limits and capabilities from a catalogue",
     .arguments = "FILE | DIR",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = catalog_update_flags,
     .examples = catalog_update_examples,
     .details =
         "Reads LiteLLM's model_prices_and_context_window.json, models.dev's api.json, OpenRouter's list of models or\n"
         "Ollama's list; it downloads nothing. Of a DIR it takes the last file by name of each source. It shows what\n"
         "changes, then writes it. What a person set stays. Of a model that the registry does not have yet the\n"
         "entry is kept until a list adds it. Held are a price that grows tenfold or falls to a tenth, becomes free "
         "or\n"
         "is no longer free, a limit that shrinks, and a capability that vanishes. The rest of the entry counts at\n"
         "once. 'tokenrail registry decide' decides on one entry. The same file again writes nothing.",
     .registry = RegistryBy::api_or_database},
    {.path = "catalog scores",
     .summary = "Take quality scores of models from a file",
     .arguments = "FILE",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = catalog_scores_flags,
     .examples = catalog_scores_examples,
     .details =
         "FILE is an object with source, date (YYYY-MM-DD), optionally metric, and scores: a list of objects with\n"
         "provider, modelName and score from 0 to 1. Requests for the model \"auto\" go by the mean of a model's\n"
         "scores, or by the metric that they name (auto.qualityMetric).",
     .registry = RegistryBy::api_or_database},
    {.path = "org create",
     .summary = "Create an organisation",
     .arguments = "NAME",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = org_create_flags,
     .examples = org_create_examples,
     .details = "Prints the organisation's id, which its requests carry as orgId.",
     .registry = RegistryBy::api_or_database},
    {.path = "org list",
     .summary = "List the organisations",
     .examples = org_list_examples,
     .registry = RegistryBy::api_or_database},
}};

constexpr std::array<Governing, 27> runs{{
    {"registry show", run_registry_show},
    {"registry add", run_registry_add},
    {"registry set", run_registry_set},
    {"registry enable", run_registry_enable},
    {"registry disable", run_registry_disable},
    {"registry block", run_registry_block},
    {"registry unblock", run_registry_unblock},
    {"registry remove", run_registry_remove},
    {"registry default", run_registry_default},
    {"registry alias", run_registry_alias},
    {"registry grant", run_registry_grant},
    {"registry history", run_registry_history},
    {"registry rollback", run_registry_rollback},
    {"registry explain", run_registry_explain},
    {"registry test", run_registry_test},
    {"registry audit", run_registry_audit},
    {"registry held", run_registry_held},
    {"registry decide", run_registry_decide},
    {"registry price", run_registry_price},
    {"registry inspect", run_registry_inspect},
    {"registry export", run_registry_export},
    {"registry plan", run_registry_plan},
    {"registry apply", run_registry_apply},
    {"catalog update", run_catalog_update},
    {"catalog scores", run_catalog_scores},
    {"org create", run_org_create},
    {"org list", run_org_list},
}};

}  // namespace

std::span<const Command> governing_commands() {
  static const auto all = [] {
    std::vector<Command> joined(command_table.begin(), command_table.end());
    for (const auto& command : connection_commands()) joined.push_back(command);
    return joined;
  }();
  return all;
}

std::span<const Governing> governing_runs() {
  static const auto all = [] {
    std::vector<Governing> joined(runs.begin(), runs.end());
    for (const auto& run : connection_runs()) joined.push_back(run);
    return joined;
  }();
  return all;
}

}  // namespace tokenrail::cli
