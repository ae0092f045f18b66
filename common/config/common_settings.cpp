#include <array>

#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

constexpr std::array settings{
    Setting{.name = "kafka.bootstrap_servers",
            .env = {},
            .kind = Kind::text,
            .default_value = "127.0.0.1:9092",
            .help = "Kafka brokers to ask first, as host:port, comma-separated."},
    Setting{.name = "database.url",
            .env = {},
            .kind = Kind::secret_url,
            .default_value = "postgresql://tokenrail@127.0.0.1:5432/tokenrail",
            .help = "The PostgreSQL database of the model registry."},
    Setting{.name = "topic.prefix",
            .env = {},
            .kind = Kind::topic_prefix,
            .default_value = "",
            .help = "Put before every topic name, so that several installations can share a cluster."},
    Setting{.name = "http.listen",
            .env = {},
            .kind = Kind::text,
            .default_value = "127.0.0.1:9464",
            .help = "Address for /livez, /readyz and /metrics, as IP:PORT; port 0 takes any free one."},
    Setting{.name = "log.level",
            .env = {},
            .kind = Kind::choice,
            .default_value = "info",
            .help = "Least important level that is logged.",
            .choices = "trace|debug|info|warn|error"},
    Setting{.name = "log.format",
            .env = {},
            .kind = Kind::choice,
            .default_value = "human",
            .help = "Log lines for people, or one JSON object a line.",
            .choices = "human|json"},
    Setting{.name = "log.long_turn",
            .env = {},
            .kind = Kind::duration,
            .default_value = "250ms",
            .help = "A turn of a worker's event loop that takes at least this long is logged as a warning; 0s: none."},
    Setting{.name = "process.core_files",
            .env = {},
            .kind = Kind::boolean,
            .default_value = "false",
            .help = "Whether a crash may write a core file, and a debugger be attached. A core file holds keys."},
    Setting{.name = "providers.ca_file",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "PEM file with CAs that sign certificates of providers, beside the system's."},
    Setting{.name = "providers.client_certificate",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "PEM file with the certificate that is shown to providers which ask for one."},
    Setting{.name = "providers.client_key",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "PEM file with the key of providers.client_certificate."},
    Setting{.name = "providers.name_servers",
            .env = {},
            .kind = Kind::list,
            .default_value = "",
            .help = "Name servers that are asked for host names, such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53, "
                    "instead of those of /etc/resolv.conf. /etc/hosts goes before them."},
    Setting{.name = "egress.allow",
            .env = {},
            .kind = Kind::list,
            .default_value = "",
            .help = "Addresses and ranges, such as 10.1.0.0/16, that connections of organisations may lead to beside "
                    "public ones. A cloud's metadata address is opened only by its exact address, for the platform "
                    "too."},
    Setting{.name = "ollama.base_url",
            .env = "OLLAMA_BASE_URL",
            .kind = Kind::url,
            .default_value = "http://localhost:11434",
            .help = "The Ollama server of the platform's own connection."},
};

}  // namespace

std::span<const std::string_view> program_sections() {
  static constexpr std::array<std::string_view, 8> sections{"api",     "audit",  "auth", "doctor",
                                                            "keyring", "router", "sync", "topics"};
  return sections;
}

std::vector<Setting> joined(std::initializer_list<std::span<const Setting>> tables) {
  std::vector<Setting> all;
  for (const auto& table : tables) all.insert(all.end(), table.begin(), table.end());
  return all;
}

std::span<const Setting> common_settings() {
  return settings;
}

}  // namespace tokenrail::config
