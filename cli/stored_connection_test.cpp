#include "cli/stored_connection_test.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "common/crypto/credential_binding.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/events/json_writer.hpp"
#include "common/http/client_options.hpp"
#include "common/providers/connection_tester.hpp"
#include "common/registry/connection_tests.hpp"
#include "common/registry/connections.hpp"

namespace tokenrail::cli {
namespace {

using providers::ConnectionTester;
using registry::ConnectionTestLog;

/// What calls of the connection carry.
Result<providers::Credential> credential_of(const Context& context, registry::GovernedDatabase& database,
                                            const registry::Actor& actor, const ConnectionTestLog::Subject& subject) {
  auto credential = providers::credential_to_test(subject.provider, subject.auth_type, subject.auth_name);
  if (!credential || subject.credential_id.empty()) return credential;
  const auto row = registry::CredentialStore(database).sealed(actor, actor.scope, subject.credential_id);
  if (!row) return std::unexpected(row.error());
  const auto ring = configured_key_ring(context);
  if (!ring) return std::unexpected(ring.error());
  return providers::with_stored_secret(std::move(*credential), *ring, row->sealed,
                                       crypto::binding_of({.id = row->id,
                                                           .org_id = row->scope.org_id,
                                                           .owner_user_id = row->scope.user_id,
                                                           .provider = row->provider,
                                                           .secret_version = row->secret_version}));
}

Result<ConnectionTester::Report> run_test(const Context& context, ConnectionTester::Subject subject) {
  auto egress = http::egress_from(context.values);
  if (!egress) return std::unexpected(egress.error());
  boost::asio::io_context loop(1);
  ConnectionTester tester(loop, http::client_options_from(context.values), std::move(*egress), "connection test");
  std::optional<ConnectionTester::Report> report;
  boost::asio::co_spawn(loop, tester.run(std::move(subject)),
                        [&](const std::exception_ptr& failure, ConnectionTester::Report done) {
                          if (!failure) report = std::move(done);
                          loop.stop();
                        });
  loop.run();
  if (!report) return fail(ErrorKind::unavailable, "the connection was not tested");
  return std::move(*report);
}

std::optional<registry::ConnectionHealth> health_after(std::span<const providers::StageResult> stages) {
  using enum providers::TestStage;
  const auto failed = std::ranges::find_if(stages, [](const auto& stage) { return stage.cause.has_value(); });
  if (failed != stages.end()) return registry::health_after_test(name_of(failed->stage), name_of(*failed->cause), true);
  const bool answered = std::ranges::any_of(stages, [](const auto& stage) {
    return (stage.stage == list || stage.stage == call) && stage.status == providers::StageStatus::ok;
  });
  return registry::health_after_test("", "", answered);
}

std::string document_of(const ConnectionTestLog::Record& record) {
  std::string text;
  events::JsonWriter json(text);
  json.begin_object();
  json.field("outcome", record.outcome);
  json.field("latencyMs", record.latency_ms);
  json.field("connectionId", record.connection_id);
  if (!record.model.empty()) json.field("model", record.model);
  json.raw_field("stages", record.stages);
  json.end_object();
  return text;
}

}  // namespace

Result<crypto::KeyRing> configured_key_ring(const Context& context) {
  auto ring = crypto::load_key_ring(context.values);
  if (!ring) return std::unexpected(ring.error());
  if (!*ring)
    return fail(ErrorKind::invalid_input,
                "no key ring is set, so no key can be sealed or opened; make one with 'tokenrail keys create FILE' and "
                "name it with TOKENRAIL_KEYRING_FILE");
  return std::move(**ring);
}

Result<registry::Document> test_stored_connection(const Context& context, registry::GovernedDatabase& database,
                                                  const registry::Actor& actor, const std::string& name,
                                                  const std::string& model) {
  ConnectionTestLog log(database);
  const auto subject = log.subject(actor, actor.scope, name);
  if (!subject) return std::unexpected(subject.error());
  auto credential = credential_of(context, database, actor, *subject);
  if (!credential) return std::unexpected(std::move(credential.error()));
  const auto report = run_test(context, {.org_id = actor.scope.org_id,
                                         .adapter = subject->adapter,
                                         .target = {.provider = subject->provider,
                                                    .base_url = providers::normal_base_url(subject->base_url),
                                                    .upstream_name = model,
                                                    .credential = std::move(*credential)}});
  if (!report) return std::unexpected(report.error());
  const ConnectionTestLog::Record record{.connection_id = subject->id,
                                         .name = subject->name,
                                         .provider = subject->provider,
                                         .base_url = subject->base_url,
                                         .model = model,
                                         .outcome = std::string(providers::outcome_of(report->stages)),
                                         .stages = providers::stages_json(report->stages),
                                         .latency_ms = report->latency.count(),
                                         .health = health_after(report->stages)};
  if (const auto kept = log.record(actor, actor.scope, record); !kept) return std::unexpected(kept.error());
  return registry::Document{.id = subject->id, .json = document_of(record)};
}

}  // namespace tokenrail::cli
