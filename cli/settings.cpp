// The settings that only this program has, and those of every program.
#include "common/auth/settings.hpp"

#include <array>

#include "cli/context.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/providers/environment.hpp"
#include "common/topics/rules.hpp"

namespace tokenrail::cli {
namespace {

// What the routers are set to: the topics' limits are held against it.
constexpr config::Setting borrowed(config::Setting setting) {
  setting.borrowed = true;
  return setting;
}

constexpr std::array own_settings{
    borrowed(topics::record_bytes_setting),
    config::Setting{.name = "topics.partitions",
                    .env = {},
                    .kind = config::Kind::integer,
                    .default_value = "12",
                    .help = "partitions of a new chat.requests, and of the topics that follow it",
                    .min = 1,
                    .max = topics::request_partitions_max},
    config::Setting{.name = "topics.replication",
                    .env = {},
                    .kind = config::Kind::integer,
                    .default_value = "-1",
                    .help = "replicas of topics that are made; -1: the broker's default",
                    .min = -1,
                    .max = 32},
    config::Setting{.name = "topics.request_bytes_max",
                    .env = {},
                    .kind = config::Kind::bytes,
                    .default_value = "8MiB",
                    .help = "largest record that chat.requests takes; the dead-letter topic takes 64 KiB more",
                    .min = 1024,
                    .max = 64 * 1024 * 1024},
    config::Setting{.name = "doctor.routers",
                    .env = {},
                    .kind = config::Kind::list,
                    .default_value = "",
                    .help =
                        "Health addresses of routers, such as http://router-1:9464. doctor asks each for its /readyz: "
                        "only a router knows that a topic refuses its records, and that dead letters wait."},
    config::Setting{.name = "doctor.apis",
                    .env = {},
                    .kind = config::Kind::list,
                    .default_value = "",
                    .help = "Addresses of registry APIs, such as http://registry-api:9403. doctor asks each for its "
                            "/readyz. Without them it asks the one of api.url."},
    // In the section of the registry API, whose other settings are not this program's.
    borrowed({.name = "api.url",
              .env = {},
              .kind = config::Kind::url,
              .default_value = "",
              .help = "Address of a registry API. Commands that govern the registry then go through it instead of the "
                      "database; each command's help says so. https, or http to this machine."}),
    borrowed({.name = "api.token",
              .env = {},
              .kind = config::Kind::secret,
              .default_value = "",
              .help = "The token for api.url: a service token, or in dev mode the output of `tokenrail auth token`."}),
};

}  // namespace

const std::vector<config::Setting>& settings() {
  static const auto joined = config::joined({config::common_settings(), providers::environment_settings(),
                                             crypto::key_ring_settings(), auth::auth_settings(), own_settings});
  return joined;
}

}  // namespace tokenrail::cli
