// docs/reference/configuration.md and docs/reference/cli.md against the tables they come from. To write them anew:
//   TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/reference-pages-tests
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/acls.hpp"
#include "cli/context.hpp"
#include "common/auth/settings.hpp"
#include "common/config/settings.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/providers/environment.hpp"
#include "tests/reference_pages/pages.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/openapi.hpp"
#include "workers/registry_api/problem.hpp"
#include "workers/registry_api/settings.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/router/settings.hpp"

namespace tokenrail {
namespace {

constexpr std::string_view configuration_preface =
    R"(# Settings

<!-- Written from the tables in the code by the test reference-pages-tests. Edit those, not this page. -->

Every setting has one name, and four ways to be given; the first that is there wins:

1. a flag: `--router.in-flight-max 500` (underscores as dashes),
2. an environment variable: `TOKENRAIL_ROUTER_IN_FLIGHT_MAX=500`,
3. a TOML file, named by `--config FILE` or `TOKENRAIL_CONFIG`: `[router]` and below it `in_flight_max = 500`,
4. the default.

One file and one environment may serve all programs: each ignores the sections of the others. A value
that does not fit stops the start and says what is allowed; so does a name that looks like a misspelt one. `--print-config` shows what a program made of it all and where each value
came from, with secrets masked.

Times are written as `250ms`, `10s`, `5m`, `2h`; sizes as `64B`, `64KiB`, `8MiB`, `1GiB`. A number without a unit is
refused where a time or a size is meant; only `0` needs none. `TOKENRAIL_KAFKA_…` properties are librdkafka's: their numbers
have no unit.

## Kafka's own settings

Every property of librdkafka passes through: `security.protocol` is `TOKENRAIL_KAFKA_SECURITY_PROTOCOL`,
`--kafka.security.protocol` or `[kafka]` with `"security.protocol" = "SASL_SSL"` in the file. What a program needs for its
promises (idempotence, commits by hand) it sets itself, whatever is given.
)";

std::string section(std::string_view title, std::string_view text, std::span<const config::Setting> settings) {
  return fmt::format("\n## {}\n\n{}\n\n{}", title, text, config::markdown_table(settings));
}

std::string configuration_page() {
  const auto common = config::common_settings();
  const std::span<const config::Setting> all_of_cli = cli::settings();
  std::string page(configuration_preface);
  page += section("Every program", "`tokenrail` and every worker have these.", common);
  page += section("Providers",
                  "`tokenrail` and every worker have these too. A key, or a base URL of one's own,\nmakes a connection "
                  "of the platform: `OPENAI_API_KEY` makes `env-openai`. Give the router "
                  "and registry-sync the\nsame values; the router sends a key only to the base URL that it has itself.",
                  providers::environment_settings());
  page += section("Key ring",
                  "`tokenrail`, `tokenrail-router`, `tokenrail-registry-sync` and `tokenrail-registry-api` have these: "
                  "where the [key "
                  "ring](../explanation/credentials.md#the-key-ring) is that seals and opens credentials.",
                  crypto::key_ring_settings());
  page += section("tokenrail-router", "Answers the requests.", router::router_settings());
  page += section("tokenrail-registry-sync", "Keeps the registry in step with what the providers offer.",
                  registry_sync::registry_sync_settings());
  page += section(
      "Authentication",
      "Of the registry's API, and of `tokenrail auth token`. [Who may do what](../explanation/authorisation.md) "
      "says more.",
      auth::auth_settings());
  page += section("tokenrail-registry-api", "Serves the registry over HTTP.", registry_api::registry_api_settings());
  page += section("tokenrail", "The command line tool.",
                  all_of_cli.subspan(common.size() + providers::environment_settings().size() +
                                     crypto::key_ring_settings().size() + auth::auth_settings().size()));
  return page;
}

std::string http_errors_page() {
  std::string page =
      "# Errors of the HTTP API\n\n<!-- Written from the table in workers/registry_api/problem.cpp by the test "
      "reference-pages-tests. -->\n\n"
      "`tokenrail-registry-api` answers what it refuses with problem details (RFC 9457, `application/problem+json`). "
      "Decide by\n`code`. `type` is a path of the API that describes the problem.\n\n"
      "```json\n"
      "{\"type\": \"/problems/INVALID_BODY\", \"code\": \"INVALID_BODY\", \"title\": \"The body of the request is not "
      "valid\", \"status\": 400,\n \"detail\": \"/contextWindow must be at least 1.\", \"hint\": \"…\", \"retryable\": "
      "false,\n \"errors\": [{\"pointer\": \"/contextWindow\", \"detail\": \"must be at least 1\"}], \"request_id\": "
      "\"…\"}\n```\n\n"
      "`errors` is there where fields of the body are wrong, `current_version` where a precondition failed. A model, "
      "a connection\nor an organisation that the caller may not see is answered like one that is not there.\n\n"
      "| status | code | type | retryable | meaning | what to do |\n| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& info : registry_api::faults())
    page += fmt::format("| {} | `{}` | `{}` | {} | {} | {} |\n", info.status, info.code, registry_api::type_of(info),
                        info.retryable ? "yes" : "no", info.title, info.hint);
  return page;
}

/// The document that the API serves, for programs that are generated from it.
std::string openapi_page() {
  return registry_api::openapi_document(registry_api::all_routes(), registry_api::api_version) + "\n";
}

std::string acls_page() {
  std::string page =
      "# Rights on Kafka\n\n<!-- Written from the table in cli/acls.cpp by the test reference-pages-tests. -->\n\n"
      "`tokenrail topics acls --program NAME --principal USER` prints these as calls of `kafka-acls.sh`. `Read` and "
      "`Write`\n"
      "imply `Describe`. [Secure an installation](../how-to/secure.md) says more.\n";
  for (const auto& program : cli::acl_programs()) {
    page += fmt::format("\n## {}\n\nFor {}.\n\n| on | operation | to |\n| --- | --- | --- |\n", program.name,
                        program.summary);
    const auto acls = cli::acls_of(program.name, {.prefix = {}, .group = "router.group_id"});
    for (const auto& acl : *acls)
      page += fmt::format("| {}`{}` | {} | {} |\n", acl.resource == cli::Acl::Resource::group ? "group " : "", acl.name,
                          acl.operation, acl.reason);
  }
  return page;
}

// ---- one environment for all programs ----------------------------------------------------------------------------

struct Program {
  std::string_view name;
  std::vector<config::Setting> settings;
};

std::vector<Program> programs() {
  const auto with_common = [](std::span<const config::Setting> own) {
    return config::joined({config::common_settings(), providers::environment_settings(), own});
  };
  const auto of_router = config::joined({router::router_settings(), crypto::key_ring_settings()});
  return {{"tokenrail-router", with_common(of_router)},
          {"tokenrail-registry-sync",
           with_common(config::joined({registry_sync::registry_sync_settings(), crypto::key_ring_settings()}))},
          {"tokenrail-registry-api", with_common(config::joined({registry_api::registry_api_settings(),
                                                                 auth::auth_settings(), crypto::key_ring_settings()}))},
          {"tokenrail", cli::settings()}};
}

TEST(Programs, ShareOneEnvironmentWithoutAWord) {
  std::map<std::string, std::string> environment;
  for (const auto& program : programs())
    for (const auto& setting : program.settings)
      environment.emplace(config::environment_name(setting), setting.default_value);
  for (const auto& program : programs()) {
    const auto loaded = config::load(
        {.settings = program.settings, .arguments = {}, .environment = environment, .file_text = {}, .file_name = {}});
    ASSERT_TRUE(loaded) << program.name << ": " << loaded.error().detail;
    EXPECT_THAT(loaded->warnings, testing::IsEmpty()) << program.name;
  }
}

TEST(ReferencePages, ConfigurationIsWhatTheTablesSay) {
  expect_current("docs/reference/configuration.md", configuration_page());
}

TEST(ReferencePages, CommandLineIsWhatTheTablesSay) {
  expect_current("docs/reference/cli.md", cli::reference_page(cli::commands()));
}

TEST(ReferencePages, HttpErrorsAreWhatTheTableSays) {
  expect_current("docs/reference/http-errors.md", http_errors_page());
}

TEST(ReferencePages, OpenApiIsWhatTheRoutesSay) {
  expect_current("docs/reference/openapi.json", openapi_page());
}

TEST(ReferencePages, RightsAreWhatTheTableSays) {
  expect_current("docs/reference/acls.md", acls_page());
}

}  // namespace
}  // namespace tokenrail
