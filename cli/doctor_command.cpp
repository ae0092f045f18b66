// `tokenrail doctor`: asks every part, each for a short time, and says what it found.
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/database.hpp"
#include "cli/doctor.hpp"
#include "cli/model_listing.hpp"
#include "cli/published_registry.hpp"
#include "cli/sealed_credentials.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/http/client.hpp"
#include "common/http/client_options.hpp"
#include "common/http/fetcher.hpp"
#include "common/providers/provider.hpp"
#include "common/registry/store.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 3s;
constexpr std::size_t list_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t ready_bytes_max = 1024 * 1024;

KafkaFacts look_at_kafka(const Context& context) {
  KafkaFacts facts{.bootstrap_servers = context.bootstrap_servers(), .plan = TopicPlan{}};
  const TopicOptions options = context.topic_options();
  const auto wanted = wanted_topics(options);
  facts.topics = wanted.size();
  auto admin = kafka::Admin::connect(context.kafka_properties());
  if (!admin) {
    facts.plan = std::unexpected(admin.error());
    return facts;
  }
  std::vector<std::string> names;
  for (const auto& topic : wanted) names.push_back(topic.name);
  const auto existing = (*admin)->describe(names, true, patience);
  if (!existing) {
    facts.plan = std::unexpected(existing.error());
    return facts;
  }
  facts.plan = plan_topics(wanted, *existing, options);
  facts.findings = context.judge_topics(*existing);
  for (const auto& topic : *existing) {
    if (!topic.config_error) continue;
    facts.unread.push_back(topic.name);
    facts.unread_because = topic.config_error->detail;
  }
  return facts;
}

RouterFacts look_at_routers(const Context& context, bool kafka_answers) {
  RouterFacts facts{.group = context.call.value("group").value_or("tokenrail-router"),
                    .topic = context.topic_names().requests,
                    .members = std::nullopt};
  if (!kafka_answers) return facts;
  if (const auto admin = kafka::Admin::connect(context.kafka_properties()))
    facts.members = (*admin)->members(facts.group, patience);
  else
    facts.members = std::unexpected(admin.error());
  return facts;
}

boost::asio::awaitable<Result<std::vector<telemetry::Condition>>> ask_ready(http::Fetcher* fetcher, std::string url) {
  const auto answer = co_await fetcher->fetch({.url = std::move(url)}, {.connect = patience, .total = patience},
                                              {.body_bytes_max = ready_bytes_max});
  if (answer.end.ending != http::Ending::complete)
    co_return fail(ErrorKind::unavailable, fmt::format("it does not answer: {}", answer.end.detail));
  co_return parse_ready(answer.body);
}

/// All at once, as the connections.
std::vector<ServiceHealth> look_at_health(const Context& context, const std::vector<std::string>& addresses) {
  boost::asio::io_context loop(1);
  telemetry::Metrics metrics;
  const auto client = http::make_client(loop, http::client_options_from(context.values), metrics);
  http::Fetcher fetcher(loop, *client, "doctor");
  std::vector<ServiceHealth> all;
  all.reserve(addresses.size());  // the coroutines write into it
  for (const auto& address : addresses) {
    auto& one = all.emplace_back(
        ServiceHealth{.address = address, .conditions = fail(ErrorKind::unavailable, "it does not answer in time")});
    boost::asio::co_spawn(
        loop, ask_ready(&fetcher, providers::normal_base_url(address) + "/readyz"),
        [&one](const std::exception_ptr& failure, Result<std::vector<telemetry::Condition>> conditions) {
          if (!failure) one.conditions = std::move(conditions);
        });
  }
  loop.run_for(patience + 2s);
  return all;
}

/// Those of doctor.apis, or else the one that this program itself uses.
std::vector<std::string> api_addresses(const Context& context) {
  auto addresses = context.values.list("doctor.apis");
  if (addresses.empty() && context.values.is_set("api.url")) addresses.push_back(context.values.text("api.url"));
  return addresses;
}

KeyRingFacts look_at_key_ring(const Context& context, bool database_answers) {
  KeyRingFacts facts{.keys = std::optional<std::vector<crypto::KeyRing::KeyInfo>>()};
  const auto ring = crypto::load_key_ring(context.values);
  if (!ring) {
    facts.keys = std::unexpected(ring.error());
  } else if (*ring) {
    facts.keys = std::optional((*ring)->keys());
  }
  if (!database_answers) return facts;
  auto credentials = SealedCredentials::connect(context);
  if (!credentials) return facts;
  if (auto counts = credentials->counts()) facts.counts = std::move(*counts);
  return facts;
}

std::optional<PublishedFacts> look_at_published(const Context& context) {
  const auto projection = read_published_registry(context, 5s);
  if (!projection) return std::nullopt;
  PublishedFacts facts{.complete = projection->complete(), .models = projection->size()};
  std::vector<events::ModelState> models;
  for (const auto& [key, model] : projection->models()) models.push_back(model);
  take_inherited(models);
  for (const auto& model : models) facts.routable += model.routable ? 1 : 0;
  return facts;
}

/// How many models a connection lists, on the first page of its list.
boost::asio::awaitable<Result<std::size_t>> count_models(http::Fetcher* fetcher, const providers::Provider* provider,
                                                         const providers::ModelLister* lister,
                                                         providers::Target target) {
  const auto answer = co_await fetcher->fetch(lister->list(target, ""), {.connect = patience, .total = patience + 2s},
                                              {.body_bytes_max = list_bytes_max});
  if (answer.end.ending != http::Ending::complete)
    co_return fail(ErrorKind::unavailable, provider->classify(target, answer.end).failure.message);
  if (answer.head.status / 100 != 2)
    co_return fail(ErrorKind::rejected, provider->classify(target, answer.head, answer.body).failure.message);
  const auto list = lister->parse(target, answer.body);
  if (!list) co_return std::unexpected(list.error());
  co_return list->models.size();
}

/// All at once, so that several that hang cost the time of one.
std::vector<ConnectionFacts> look_at_connections(const Context& context,
                                                 const std::vector<registry::Connection>& connections) {
  boost::asio::io_context loop(1);
  telemetry::Metrics metrics;
  const auto client = http::make_client(loop, http::client_options_from(context.values), metrics);
  http::Fetcher fetcher(loop, *client, "doctor");
  std::vector<ConnectionFacts> facts;
  facts.reserve(connections.size());  // the coroutines write into it
  for (const auto& connection : connections) {
    auto& fact = facts.emplace_back(ConnectionFacts{.name = connection.name,
                                                    .base_url = connection.base_url,
                                                    .enabled = connection.enabled,
                                                    .models = fail(ErrorKind::unavailable, "not asked")});
    const auto* const provider = providers::find_provider(connection.adapter);
    const auto* const lister = provider == nullptr ? nullptr : provider->lister();
    if (lister == nullptr) {
      fact.models = fail(ErrorKind::invalid_input,
                         fmt::format("this version has no adapter \"{}\" that lists models; use a version that has "
                                     "it, or change the connection's adapter",
                                     connection.adapter));
    } else if (connection.enabled) {
      providers::Target target{.provider = connection.provider,
                               .base_url = providers::normal_base_url(connection.base_url)};
      boost::asio::co_spawn(loop, count_models(&fetcher, provider, lister, std::move(target)),
                            [&fact](const std::exception_ptr& failure, Result<std::size_t> models) {
                              if (!failure) fact.models = std::move(models);
                            });
    }
  }
  loop.run_for(patience + 5s);
  return facts;
}

class Report {
 public:
  explicit Report(const Context& context) : context_(context) {}

  void tell(const Finding& finding) {
    all_good_ = all_good_ && finding.verdict != Finding::Verdict::bad;
    Terminal& terminal = context_.terminal;
    if (context_.json()) return terminal.out_line(finding_json(finding));
    std::string mark = terminal.styled_out(Terminal::Style::good, "✓");
    if (finding.verdict == Finding::Verdict::bad) mark = terminal.styled_out(Terminal::Style::bad, "✗");
    if (finding.verdict == Finding::Verdict::warning) mark = terminal.styled_out(Terminal::Style::warning, "!");
    if (finding.verdict == Finding::Verdict::unknown) mark = terminal.styled_out(Terminal::Style::dim, "·");
    terminal.out_line(fmt::format("{} {}: {}", mark, finding.part, without_controls(finding.text)));
    if (!finding.remedy.empty()) terminal.out_line(fmt::format("    → {}", finding.remedy));
  }
  void tell(const std::vector<Finding>& findings) {
    for (const auto& finding : findings) tell(finding);
  }
  [[nodiscard]] bool all_good() const { return all_good_; }

 private:
  const Context& context_;
  bool all_good_ = true;
};

}  // namespace

int run_doctor(const Context& context) {
  Report report(context);

  const auto kafka = look_at_kafka(context);
  report.tell(judge_kafka(kafka));
  // Rights are granted one by one: a topic that may not be seen says nothing of the group.
  const bool kafka_answers = kafka.plan || kafka.plan.error().kind == ErrorKind::forbidden;
  report.tell(judge_routers(look_at_routers(context, kafka_answers)));
  report.tell(judge_router_health(look_at_health(context, context.values.list("doctor.routers"))));

  const auto database = database_options(context);
  const DatabaseFacts database_facts{.place = registry::database_place(database.url),
                                     .migrations = registry::migration_status(database)};
  report.tell(judge_database(database_facts));
  report.tell(
      judge_registry_sync(database_facts.migrations ? std::optional(registry::Lease::look(database)) : std::nullopt));

  report.tell(judge_api_health(look_at_health(context, api_addresses(context))));

  report.tell(judge_held(database_facts.migrations && database_facts.migrations->pending.empty()
                             ? std::optional(registry::Store(database).held_changes(""))
                             : std::nullopt));

  report.tell(judge_key_ring(
      look_at_key_ring(context, database_facts.migrations && database_facts.migrations->pending.empty())));

  std::vector<registry::Connection> connections;
  if (database_facts.migrations && database_facts.migrations->pending.empty())
    connections = registry::Store(database).connections().value_or(std::vector<registry::Connection>{});
  if (connections.empty())  // what registry-sync makes of it, once it can
    connections.push_back({.id = {},
                           .provider = "ollama",
                           .adapter = "ollama",
                           .name = "env-ollama",
                           .base_url = context.values.text("ollama.base_url")});
  for (const auto& facts : look_at_connections(context, connections)) report.tell(judge_connection(facts));

  report.tell(judge_published(kafka.plan ? look_at_published(context) : std::nullopt));
  return report.all_good() ? exit_done : exit_bad;
}

}  // namespace tokenrail::cli
