// The table of commands: what a person can ask of `tokenrail`.
#include <array>
#include <vector>

#include "cli/context.hpp"
#include "cli/govern.hpp"
#include "cli/govern_flags.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::array<Flag, 10> chat_flags{{
    {.name = "model",
     .letter = 'm',
     .value = "MODEL",
     .help = "provider/name, or an alias (default: the registry's default)"},
    {.name = "system", .letter = 's', .value = "TEXT", .help = "system message: how the model shall behave"},
    {.name = "org", .value = "ORG", .help = "ask as this organisation (default: demo)"},
    {.name = "user", .value = "USER", .help = "ask as this user"},
    {.name = "conversation",
     .value = "ID",
     .help = "conversation to ask in; its questions are answered one after the other"},
    {.name = "max-tokens", .value = "N", .help = "end the answer after this many tokens"},
    {.name = "temperature", .value = "T", .help = "0 (always the likeliest word) to 2"},
    {.name = "timeout", .value = "TIME", .help = "give up after this long: 30s, 5m (default: 5m)"},
    {.name = "stream", .help = "write tokens as they come also where standard output is no terminal"},
    {.name = "no-stream", .help = "ask for the answer in one piece"},
}};

constexpr std::array<Example, 5> chat_examples{{
    {"tokenrail chat 'Why is the sky blue?'", "ask the default model, watch the answer come"},
    {"tokenrail chat -m ollama/llama3.2:1b 'Hello'", "ask one model"},
    {"tokenrail chat - < question.txt > answer.txt", "question from a file, answer into one"},
    {"git diff | tokenrail chat --system 'Review this' -", "question from a pipe"},
    {"tokenrail chat --json 'Hello' | jq -r '.delta // empty'", "every chunk as a line of JSON"},
}};

constexpr std::array<Flag, 6> answer_tail_flags{{
    {.name = "request", .value = "ID", .help = "the answer to this request; ends when it is whole"},
    {.name = "conversation", .value = "KEY", .help = "every answer in this conversation (record key), until Ctrl-C"},
    {.name = "org", .value = "ORG", .help = "only answers to this organisation"},
    {.name = "since", .value = "TIME", .help = "begin there: 2026-11-21T09:00:00Z, or -1h for an hour ago"},
    {.name = "from-beginning", .help = "begin with the oldest chunk there is"},
    {.name = "timeout", .value = "TIME", .help = "give up after this long and exit with 4"},
}};
constexpr std::array<Example, 3> answer_tail_examples{{
    {"tokenrail tail --request 6f9c", "the answer to one request, also if it has ended already"},
    {"tokenrail tail --conversation c-17", "what is said in a conversation from now on"},
    {"tokenrail tail --request 6f9c --since -24h --json", "every chunk of the answer as a line of JSON"},
}};

constexpr std::array<Flag, 1> topic_flags{{
    {.name = "partitions", .value = "N", .help = "partitions of chat.requests and all that follows it"},
}};
constexpr std::array<Flag, 2> topic_apply_flags{{
    topic_flags[0],
    {.name = "dry-run", .help = "say what would be done, and do nothing"},
}};
constexpr std::array<Example, 3> topics_apply_examples{{
    {"tokenrail topics apply", "create missing topics, change settings that differ"},
    {"tokenrail topics apply --dry-run", "only say what would be done"},
    {"tokenrail topics apply --partitions 24", "make or grow to 24 partitions"},
}};
constexpr std::array<Example, 1> topics_check_examples{{
    {"tokenrail topics check", "exit with 1 where something differs"},
}};
constexpr std::array<Example, 2> topics_list_examples{{
    {"tokenrail topics list", "the topics that must exist, to create them with other tools"},
    {"tokenrail topics list --json --topic.prefix=eu.", "the same for programs, under a prefix"},
}};
constexpr std::array<Flag, 3> topics_acls_flags{{
    {.name = "principal", .value = "USER", .help = "who gets the rights, as Kafka writes it: User:tokenrail-router"},
    {.name = "program",
     .value = "NAME",
     .help = "router (default), registry-sync, registry-api, operator, chat, sender, reader or auditor"},
    {.name = "group", .value = "GROUP", .help = "the routers' consumer group (default: tokenrail-router)"},
}};
constexpr std::array<Example, 3> topics_acls_examples{{
    {"tokenrail topics acls --principal User:router", "the rights of a router, as calls of kafka-acls.sh"},
    {"tokenrail topics acls --principal User:web --program chat", "of a service that asks and reads its answers"},
    {"tokenrail topics acls --principal User:web --program chat --json", "each right with its reason, for programs"},
}};
constexpr std::array<Flag, 7> tail_flags{{
    {.name = "from-beginning", .help = "begin with the oldest record instead of the next one"},
    {.name = "until-end", .help = "stop where the topic ended when reading got there, instead of waiting for more"},
    {.name = "count", .letter = 'n', .value = "N", .help = "stop after this many records"},
    {.name = "key", .value = "KEY", .help = "only records with this key"},
    {.name = "contains", .value = "TEXT", .help = "only records whose value has this text in it"},
    {.name = "partition", .value = "P", .help = "only this partition"},
    {.name = "timeout", .value = "TIME", .help = "give up after this long and exit with 4"},
}};
constexpr std::array<Example, 3> tail_examples{{
    {"tokenrail topics tail llm.audit", "every audit event from now on"},
    {"tokenrail topics tail model_registry --from-beginning --until-end", "the whole registry as routers see it"},
    {"tokenrail topics tail chat.chunks -n 20 --json", "the next 20 records as JSON with offsets and headers"},
}};

constexpr std::array<Flag, 2> registry_list_flags{{
    {.name = "org", .value = "ORG", .help = "what this organisation sees (default: every entry)"},
    {.name = "projection", .help = "from the model_registry topic, as routers see it"},
}};
constexpr std::array<Example, 3> registry_list_examples{{
    {"tokenrail registry list", "all models"},
    {"tokenrail registry list --projection", "the same as the routers see it"},
    {"tokenrail registry list --json | jq -r .modelName", "names only"},
}};
constexpr std::array<Flag, 4> registry_sync_flags{{
    {.name = "accept", .help = "apply also what would be held: limits that shrink, most models gone, …"},
    {.name = "connection", .value = "NAME", .help = "only this connection, by name or id (default: all)"},
    {.name = "org", .value = "ORG", .help = "whose connection it is; needed where several have the name"},
    {.name = "timeout", .value = "TIME", .help = "how long to wait for the run to end (default: 60s)"},
}};
constexpr std::array<Example, 3> registry_sync_examples{{
    {"tokenrail registry sync", "ask every connection for its models now"},
    {"tokenrail registry sync --connection env-ollama", "only one"},
    {"tokenrail registry sync --connection openai --org acme", "acme's connection of that name"},
}};
constexpr std::array<Flag, 1> registry_republish_flags{{
    {.name = "timeout", .value = "TIME", .help = "how long to wait for the end (default: 60s)"},
}};
constexpr std::array<Example, 1> registry_republish_examples{{
    {"tokenrail registry republish", "fill a topic that lost records from the database"},
}};
constexpr std::array<Flag, 3> registry_parameters_flags{{
    {.name = "connection", .value = "NAME", .help = "only the deployment on this connection (default: all of them)"},
    {.name = "org", .value = "ORG", .help = "the model of this organisation (default: the platform's)"},
    dry_run_flag,
}};
constexpr std::array<Example, 2> registry_parameters_examples{{
    {R"(tokenrail registry set-parameters ollama/llama3.2:1b '{"temperature":0.2,"numCtx":8192}')",
     "used where a request is silent"},
    {"tokenrail registry set-parameters ollama/llama3.2:1b '{}'", "no default parameters"},
}};
constexpr std::array<Flag, 2> key_id_flags{{
    {.name = "id", .value = "ID", .help = "the new key's id (default: today's date)"},
    dry_run_flag,
}};
constexpr std::array<Flag, 1> keys_promote_flags{{dry_run_flag}};
constexpr std::array<Example, 1> keys_create_examples{{
    {"tokenrail keys create keyring.json", "a new key ring with one random key"},
}};
constexpr std::array<Example, 1> keys_add_examples{{
    {"tokenrail keys add --keyring.file keyring.json", "a new key that only opens, to be distributed first"},
}};
constexpr std::array<Example, 1> keys_promote_examples{{
    {"tokenrail keys promote 2026-11-29 --keyring.file keyring.json", "seal with this key from now on"},
}};
constexpr std::array<Example, 1> keys_rotate_examples{{
    {"tokenrail keys rotate --keyring.file keyring.json", "a new primary key in one step"},
}};
constexpr std::array<Example, 1> keys_disable_examples{{
    {"tokenrail keys disable 2025-11-29 --keyring.file keyring.json", "take a key out of use"},
}};
constexpr std::array<Flag, 2> keys_disable_flags{{
    {.name = "force", .help = "also if credentials need the key, or the database cannot be asked"},
    dry_run_flag,
}};
constexpr std::array<Flag, 1> keys_status_flags{{
    {.name = "ring-only", .help = "do not ask the database"},
}};
constexpr std::array<Flag, 1> keys_rewrap_flags{{
    {.name = "dry-run", .help = "check every credential, and write nothing"},
}};
constexpr std::array<Example, 2> keys_rewrap_examples{{
    {"tokenrail keys rewrap --dry-run", "whether every stored credential can be rewrapped"},
    {"tokenrail keys rewrap", "wrap every stored credential with the primary key"},
}};
constexpr std::array<Example, 2> keys_status_examples{{
    {"tokenrail keys status", "the keys, their states, and how many credentials each seals"},
    {"tokenrail keys status --json", "the same for programs"},
}};
constexpr std::array<Flag, 4> auth_token_flags{{
    {.name = "org", .value = "ORG", .help = "the organisation of the role; needed unless the role is platform_admin"},
    {.name = "role", .value = "ROLE", .help = "viewer, member, model_admin, org_admin or platform_admin"},
    {.name = "subject", .value = "NAME", .help = "who the token speaks for (default: $USER)"},
    {.name = "expires", .value = "TIME", .help = "how long the token is valid, up to 720h (default: 8h)"},
}};
constexpr std::array<Example, 3> auth_token_examples{{
    {"tokenrail auth token --org acme --role model_admin", "a token for one organisation"},
    {"tokenrail auth token --role platform_admin --expires 10m", "a token for the whole platform, for ten minutes"},
    {"curl -H \"Authorization: Bearer $(tokenrail auth token --org acme --role viewer)\" …", "ask the API with it"},
}};
constexpr std::array<Example, 1> migrate_examples{{
    {"tokenrail migrate", "bring the database to this version"},
}};
constexpr std::array<Flag, 1> migrate_flags{{
    {.name = "dry-run", .help = "say what would be done, and do nothing"},
}};
constexpr std::array<Flag, 1> doctor_flags{{
    {.name = "group", .value = "GROUP", .help = "the routers' consumer group (default: tokenrail-router)"},
}};
constexpr std::array<Example, 2> doctor_examples{{
    {"tokenrail doctor", "what works, what does not, and the remedy"},
    {"tokenrail doctor --json", "the same for programs"},
}};
constexpr std::array<Flag, 7> verify_flags{{
    {.name = "at-rest", .help = "nothing runs any more, so whatever has not ended is a violation"},
    {.name = "from", .value = "TIME", .help = "only what is newer: 2026-11-21T09:00:00Z, or -1h for an hour ago"},
    {.name = "to", .value = "TIME", .help = "only what is older (default: what there is now)"},
    {.name = "group", .value = "GROUP", .help = "the routers' consumer group (default: tokenrail-router)"},
    {.name = "partition", .value = "P", .help = "only this partition"},
    {.name = "dedupe-window", .value = "TIME", .help = "what the routers' router.dedupe_window is (default: 10m)"},
    {.name = "timeout", .value = "TIME", .help = "give up when no record comes for this long (default: 60s)"},
}};
constexpr std::array<Example, 3> verify_examples{{
    {"tokenrail verify", "check everything that the topics still hold, while the routers run"},
    {"tokenrail verify --from -1h", "the last hour"},
    {"tokenrail verify --at-rest --json", "after a test, when nothing runs any more; for programs"},
}};
constexpr std::array<Example, 1> version_examples{{
    {"tokenrail version", "the version of this program"},
}};

constexpr std::array<Command, 25> command_table{{
    {.path = "chat",
     .summary = "Ask a question and watch the answer come",
     .arguments = "[TEXT | -]",
     .arguments_max = 1,
     .flags = chat_flags,
     .examples = chat_examples,
     .details =
         "The question is TEXT, or standard input where TEXT is '-' or left out and something is piped in. The\n"
         "request goes to chat.requests, and the answer is read from chat.chunks by the reader's rule: the highest\n"
         "attempt wins. Where standard output is no terminal, the answer is written once it is whole, so that a\n"
         "file never holds a piece of an attempt that was given up. Model, tokens and timing follow on standard\n"
         "error. Ctrl-C cancels the request, and so does a reader of the output that has gone (| head)."},
    {.path = "tail",
     .summary = "Show answers from chat.chunks, each once",
     .flags = answer_tail_flags,
     .examples = answer_tail_examples,
     .details =
         "Reads by the reader's rule: the highest attempt wins. An answer whose attempt is displaced begins again, and "
         "a\n"
         "line on standard error says so; where standard output is no terminal, an answer is written once it is "
         "whole.\n"
         "--request looks back ten minutes by default, and ends with the terminal chunk: with 0, or with 1\n"
         "where the answer is an error or its beginning is no longer there. --conversation begins now."},
    {.path = "topics apply",
     .summary = "Create missing topics and change settings that differ",
     .flags = topic_apply_flags,
     .examples = topics_apply_examples,
     .details =
         "Topics that exist keep their number of partitions unless --partitions asks for more or the topics that\n"
         "belong together differ; what chat.requests is answered on grows before it. Retention is set when a topic\n"
         "is made and then left as it is. Limits with which no router starts are refused, and nothing is changed "
         "then."},
    {.path = "topics check",
     .summary = "Say whether the topics are as they should be",
     .flags = topic_flags,
     .examples = topics_check_examples,
     .details =
         "Also says which limits do not work together, in the words of the router's start, and names risks, marked\n"
         "with an exclamation mark: few replicas, unclean leader elections. The routers' router.record_bytes_max is\n"
         "read from this program's own settings, so give it here too if it is set for them."},
    {.path = "topics list",
     .summary = "Show the topics that there should be; asks no broker",
     .flags = topic_flags,
     .examples = topics_list_examples},
    {.path = "topics acls",
     .summary = "Show the rights on Kafka that a program needs; asks no broker",
     .flags = topics_acls_flags,
     .examples = topics_acls_examples,
     .details =
         "Prints one call of Kafka's kafka-acls.sh for each topic and group. admin.properties in it is the file with\n"
         "which your own client of Kafka logs in. A service with a consumer group of its own needs Read on that too."},
    {.path = "topics tail",
     .summary = "Show the records of a topic as they come",
     .arguments = "TOPIC",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = tail_flags,
     .examples = tail_examples,
     .details =
         "TOPIC is given without the prefix. Without --json each line is partition:offset, key and value; with\n"
         "--json it is one object with topic, partition, offset, timestamp, key, headers and value (as JSON where\n"
         "it is JSON, else as a string)."},
    {.path = "migrate",
     .summary = "Bring the database's tables to the version of this program",
     .flags = migrate_flags,
     .examples = migrate_examples,
     .details =
         "Runs the numbered files of migrations/ that the database has not seen, one transaction each, under a lock\n"
         "that lets only one process do so. Migrations only go forward.",
     .registry = RegistryBy::database},
    {.path = "registry list",
     .summary = "List the models of the registry",
     .flags = registry_list_flags,
     .examples = registry_list_examples,
     .details = "From the database it has a line for each row. From the API it has a line for each model that the\n"
                "organisation sees, or without --org for each of the platform's.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry sync",
     .summary = "Ask every connection for its models now",
     .flags = registry_sync_flags,
     .examples = registry_sync_examples,
     .details =
         "Asks a running tokenrail-registry-sync to start a run and waits for its end. It waits for the connections\n"
         "that it asks for, and names those that are not done when the time is over. By the API it asks for the\n"
         "organisation's connections, or without --org for the platform's.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry republish",
     .summary = "Compare the registry's compacted topics with the database now",
     .flags = registry_republish_flags,
     .examples = registry_republish_examples,
     .details =
         "A running tokenrail-registry-sync reads model_registry and model_registry.credentials to their ends, and\n"
         "publishes what they lack. It does the same by itself when a topic was recreated or changed by another\n"
         "program; its log and registry_state_repairs_total report what was repaired. By the API this needs the token "
         "of\n"
         "a platform administrator.",
     .registry = RegistryBy::api_or_database},
    {.path = "registry set-parameters",
     .summary = "Set the default parameters of a model's deployments",
     .arguments = "MODEL JSON",
     .arguments_min = 2,
     .arguments_max = 2,
     .flags = registry_parameters_flags,
     .examples = registry_parameters_examples,
     .details =
         "MODEL is provider/name, a slug or an id. JSON replaces all default parameters of the deployments: "
         "temperature, topP, topK,\n"
         "maxTokens, stop; numCtx and keepAlive for Ollama; providerConfig, fields of the provider's own API. A call\n"
         "uses each of them where its request has no such field. Routers have them as soon as registry-sync has\n"
         "published the model.",
     .registry = RegistryBy::api_or_database},
    {.path = "keys create",
     .summary = "Make a key ring, which seals credentials",
     .arguments = "FILE",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = key_id_flags,
     .examples = keys_create_examples,
     .details =
         "Writes a new FILE that only you can read, with one random key. A FILE that exists is left as it is. Prints\n"
         "the id of the key, never the key. docs/explanation/credentials.md explains key rings."},
    {.path = "keys add",
     .summary = "Add a key to the key ring that only opens",
     .flags = key_id_flags,
     .examples = keys_add_examples,
     .details =
         "The first step of a rotation on several machines: 'keys add', distribute the file, 'keys promote',\n"
         "distribute it again. Every program can then open what another one seals. The commands that change the key\n"
         "ring replace its file at once, or not at all."},
    {.path = "keys promote",
     .summary = "Make a key of the key ring the primary one",
     .arguments = "ID",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = keys_promote_flags,
     .examples = keys_promote_examples,
     .details = "The primary key seals. The key that was primary before still opens what it sealed."},
    {.path = "keys rotate",
     .summary = "Add a key to the key ring and make it the primary one",
     .flags = key_id_flags,
     .examples = keys_rotate_examples,
     .details =
         "'keys add' and 'keys promote' in one step, for a key ring file that all programs share. The key that was\n"
         "primary before still opens what it sealed."},
    {.path = "keys disable",
     .summary = "Take a key of the key ring out of use",
     .arguments = "ID",
     .arguments_min = 1,
     .arguments_max = 1,
     .flags = keys_disable_flags,
     .examples = keys_disable_examples,
     .details =
         "What the key sealed cannot be opened any more. Refused while stored credentials need the key: run 'keys\n"
         "rewrap' first. The key stays in the file: to undo it, set its state there to decrypt. The primary key\n"
         "cannot be disabled.",
     .registry = RegistryBy::database,
     .without_database = "force"},
    {.path = "keys status",
     .summary = "Show the keys of the key ring and what needs them",
     .flags = keys_status_flags,
     .examples = keys_status_examples,
     .details =
         "Shows ids and states, never a key, and how many stored credentials each key seals. Checks the key ring as\n"
         "every program does at its start. Exits with 1 where a credential needs a key that is disabled or missing.",
     .registry = RegistryBy::database,
     .without_database = "ring-only"},
    {.path = "keys rewrap",
     .summary = "Wrap stored credentials with the primary key",
     .flags = keys_rewrap_flags,
     .examples = keys_rewrap_examples,
     .details =
         "Each credential is a transaction of its own, in which it is published again and audited; routers and the "
         "API\n"
         "go on meanwhile. No secret is opened. The command can be ended at any time: the next one does the rest.\n"
         "Exits with 1 where a credential cannot be rewrapped, and names it. The database user must own the tables.",
     .registry = RegistryBy::database},
    {.path = "auth token",
     .summary = "Print a token for the registry's API in dev mode",
     .flags = auth_token_flags,
     .examples = auth_token_examples,
     .details =
         "Standard output has the token and nothing else. The key that signs it is in auth.dev_key_file, which is "
         "made\n"
         "where it is missing; the API has to run as the same user, with the same file and TOKENRAIL_AUTH_MODE=dev.\n"
         "In mode jwt tokens come from the identity provider, and this command refuses."},
    {.path = "doctor",
     .summary = "Check every part and name the remedy for what fails",
     .flags = doctor_flags,
     .examples = doctor_examples,
     .details =
         "Looks at Kafka, the topics, the routers, PostgreSQL, its tables, registry-sync, the registry API, the key "
         "ring,\n"
         "every connection and the published registry, each with a short time limit, so that one part that is down "
         "never\n"
         "hides the others.\n"
         "A part that could not be checked, or is switched off, is marked with a dot, and a risk with an exclamation\n"
         "mark; neither is an error. (The demo's broker does not know who is in a group.) A router that was killed\n"
         "counts until its session ends, by default 15 s later.\n"
         "That a topic refuses records, or that dead letters wait, is known by routers alone: name the addresses of\n"
         "their health servers in doctor.routers (TOKENRAIL_DOCTOR_ROUTERS, comma-separated). The registry API is "
         "asked\n"
         "at the addresses of doctor.apis (TOKENRAIL_DOCTOR_APIS), or else at api.url.\n"
         "Exits with 1 where anything is wrong."},
    {.path = "verify",
     .summary = "Check from the topics that every promise was kept",
     .flags = verify_flags,
     .examples = verify_examples,
     .details =
         "Reads chat.requests, chat.chunks, llm.audit, the dead letters and the committed offsets, and checks what\n"
         "docs/explanation/delivery.md promises, as far as it can be seen from outside. Each violation is a line:\n"
         "promise, topic, partition:offsets, what is wrong; then figures. What has not ended yet is counted, and a\n"
         "violation only with --at-rest; what precedes the start of a log is unknown, and never one. Times are\n"
         "compared by the brokers' timestamps only: of records that have their sender's, a note says how\n"
         "many there are. Exits with 0 where all is well, with 1 where a promise is broken."},
    {.path = "docs configuration", .summary = "Write this program's settings as a Markdown table"},
    {.path = "docs cli", .summary = "Write the reference page of this program"},
    {.path = "version", .summary = "Show the version", .examples = version_examples},
}};

/// Those that govern the registry come behind it.
constexpr std::string_view last_registry_command = "registry set-parameters";

}  // namespace

std::span<const Command> commands() {
  static const auto all = [] {
    std::vector<Command> joined;
    for (const auto& command : command_table) {
      joined.push_back(command);
      if (command.path == last_registry_command)
        for (const auto& governing : governing_commands()) joined.push_back(governing);
    }
    return joined;
  }();
  return all;
}

}  // namespace tokenrail::cli
