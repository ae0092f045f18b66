#include "cli/doctor.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/cloud_events.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::cli {
namespace {

using Verdict = Finding::Verdict;

std::string counted(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

Finding not_looked_at(std::string part, std::string_view why) {
  return {.part = std::move(part), .verdict = Verdict::unknown, .text = fmt::format("not looked at, because {}", why)};
}

/// A server that cannot be used: how to repair it, and what happens to the data on it.
struct Trouble {
  std::string remedy;
  std::string_view why;
};

Trouble trouble_with_kafka(const Error& error) {
  if (error.kind == ErrorKind::invalid_input)
    return {"correct that setting, in the environment (TOKENRAIL_KAFKA_...) or in [kafka] of the settings file",
            "Kafka cannot be asked"};
  if (error.kind == ErrorKind::rejected)
    return {"correct the setting it names, in the environment (TOKENRAIL_KAFKA_...) or in [kafka] of the settings file",
            "Kafka refuses the connection"};
  return {"./dev kafka start, or point TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS at a broker that runs",
          "Kafka does not answer"};
}

Trouble trouble_with_database(const Error& error) {
  if (error.kind == ErrorKind::invalid_input) return {"correct TOKENRAIL_DATABASE_URL", "PostgreSQL cannot be asked"};
  if (const auto part = registry::refused_part(error.detail))
    return {fmt::format("correct the {} in TOKENRAIL_DATABASE_URL (postgresql://user:password@host/database){}", *part,
                        part->contains("password") ? "" : ", or make it on the server"),
            "PostgreSQL refuses the connection"};
  return {"./dev postgres start, or point TOKENRAIL_DATABASE_URL at a server that runs", "PostgreSQL does not answer"};
}

std::vector<Finding> unusable(std::string server, const Error& error, Trouble trouble, std::string lies_on_it) {
  return {
      {.part = std::move(server), .verdict = Verdict::bad, .text = error.detail, .remedy = std::move(trouble.remedy)},
      not_looked_at(std::move(lies_on_it), trouble.why)};
}

}  // namespace

namespace {

Finding topics_in_order(const KafkaFacts& facts) {
  if (facts.unread.empty())
    return {.part = "topics", .text = fmt::format("all {} are as they should be", facts.topics)};
  const std::string settings = facts.unread.size() == facts.topics
                                   ? "their settings"
                                   : fmt::format("the settings of {}", fmt::join(facts.unread, ", "));
  return {.part = "topics",
          .verdict = Verdict::unknown,
          .text = fmt::format("all {} exist; {} were not checked: {}", facts.topics, settings, facts.unread_because)};
}

}  // namespace

std::vector<Finding> judge_kafka(const KafkaFacts& facts) {
  const Finding answers{.part = "Kafka", .text = fmt::format("answers at {}", facts.bootstrap_servers)};
  if (!facts.plan && facts.plan.error().kind == ErrorKind::forbidden)
    return {answers,
            {.part = "topics",
             .verdict = Verdict::bad,
             .text = facts.plan.error().detail,
             .remedy = "grant that right to the principal (kafka-acls.sh --add)"}};
  if (!facts.plan) return unusable("Kafka", facts.plan.error(), trouble_with_kafka(facts.plan.error()), "topics");
  std::vector<Finding> findings{answers};
  bool refused = false;
  for (const auto& found : facts.findings) {
    const bool problem = found.severity == topics::Finding::Severity::problem;
    refused = refused || problem;
    findings.push_back({.part = "topics",
                        .verdict = problem ? Verdict::bad : Verdict::warning,
                        .text = found.text,
                        .remedy = found.remedy});
  }
  if (facts.plan->actions.empty()) {
    if (!refused) findings.push_back(topics_in_order(facts));
    return findings;
  }
  std::string missing;
  std::string wrong;
  for (const auto& action : facts.plan->actions) {
    auto& list = action.kind == TopicAction::Kind::create ? missing : wrong;
    if (!list.empty()) list += ", ";
    list += action.kind == TopicAction::Kind::create ? action.topic : describe(action);
  }
  std::string text = missing.empty() ? "" : fmt::format("missing: {}", missing);
  if (!wrong.empty()) text += fmt::format("{}to do: {}", text.empty() ? "" : "; ", wrong);
  findings.push_back(
      {.part = "topics", .verdict = Verdict::bad, .text = std::move(text), .remedy = "tokenrail topics apply"});
  return findings;
}

Finding judge_routers(const RouterFacts& facts) {
  const std::string part = "routers";
  if (!facts.members) return not_looked_at(part, "Kafka cannot be asked");
  if (const auto& members = *facts.members; !members) {
    const bool unsupported = members.error().kind == ErrorKind::rejected;
    return {.part = part,
            .verdict = Verdict::unknown,
            .text = fmt::format("{}: {}", unsupported ? "this broker does not report it" : "could not be looked at",
                                members.error().detail)};
  }
  const auto& group = **facts.members;
  const std::string remedy =
      "./dev up, or start tokenrail-router and look at its log (--group names another router.group_id)";
  if (group.members.empty())
    return {.part = part,
            .verdict = Verdict::bad,
            .text = fmt::format("no router is a member of the group {}: no request is answered", facts.group),
            .remedy = remedy};
  if (group.rebalancing)
    return {.part = part,
            .text = fmt::format("{} in the group {}, which is rebalancing now", counted(group.members.size(), "member"),
                                facts.group)};
  // Installations that share a cluster may share the group's name too: theirs hold partitions of other topics.
  std::size_t at_work = 0;
  std::size_t idle = 0;
  for (const auto& member : group.members) {
    const bool ours = std::ranges::any_of(member.partitions,
                                          [&](const kafka::TopicPartition& each) { return each.topic == facts.topic; });
    at_work += ours ? 1 : 0;
    idle += member.partitions.empty() ? 1 : 0;
  }
  if (at_work == 0)
    return {.part = part,
            .verdict = Verdict::bad,
            .text = fmt::format("the group {} has {}, but none that reads {}: no request is answered", facts.group,
                                counted(group.members.size(), "member"), facts.topic),
            .remedy = remedy};
  std::string text = fmt::format("{} in the group {}", counted(at_work, "router"), facts.group);
  if (idle > 0) text += fmt::format("; {} more without a partition", idle);
  return {.part = part, .text = std::move(text)};
}

Result<std::vector<telemetry::Condition>> parse_ready(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array entries;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root["conditions"].get_array().get(entries) != simdjson::SUCCESS)
    return fail(ErrorKind::invalid_input, "the answer is not that of a program's /readyz");
  std::vector<telemetry::Condition> conditions;
  for (const auto entry : entries) {
    const auto text = [&](std::string_view name) {
      std::string_view value;
      return entry[name].get_string().get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
    };
    conditions.push_back({.name = text("name"), .problem = text("problem"), .note = text("note")});
  }
  return conditions;
}

namespace {

/// A finding for each program that does not answer, for what `judge` says of its conditions, and for each that is
/// ready. `absent`: what to do about one that does not answer. `judge` gives nothing for a condition that is well.
template <class Judge>
std::vector<Finding> judge_health(std::string_view kind, const std::vector<ServiceHealth>& services,
                                  std::string_view absent, const Judge& judge) {
  std::vector<Finding> findings;
  for (const auto& service : services) {
    const auto part = fmt::format("{} {}", kind, providers::without_credentials(service.address));
    if (!service.conditions) {
      findings.push_back({.part = part,
                          .verdict = Verdict::bad,
                          .text = service.conditions.error().detail,
                          .remedy = std::string(absent)});
      continue;
    }
    const auto before = findings.size();
    for (const auto& condition : *service.conditions)
      if (auto finding = judge(part, condition)) findings.push_back(std::move(*finding));
    if (findings.size() == before) findings.push_back({.part = part, .text = "ready"});
  }
  return findings;
}

}  // namespace

std::vector<Finding> judge_router_health(const std::vector<ServiceHealth>& routers) {
  if (routers.empty())
    return {not_looked_at("router health",
                          "doctor.routers names no router; only routers know whether a topic refuses their records")};
  return judge_health(
      "router", routers, "start it, or correct its address in doctor.routers (TOKENRAIL_DOCTOR_ROUTERS)",
      [](const std::string& part, const telemetry::Condition& condition) -> std::optional<Finding> {
        if (condition.problem.empty()) return std::nullopt;
        const bool refused = condition.name == "outputs" || condition.name == "dead_letters";
        return Finding{.part = part,
                       .verdict = Verdict::bad,
                       .text = fmt::format("{}: {}", condition.name, condition.problem),
                       .remedy = refused ? "raise the topic's max.message.bytes, grant WRITE on it, or create it "
                                           "again; what waits is written then"
                                         : "look at the router's log"};
      });
}

std::vector<Finding> judge_api_health(const std::vector<ServiceHealth>& apis) {
  if (apis.empty()) return {not_looked_at("registry API", "doctor.apis and api.url name none")};
  return judge_health("registry API", apis,
                      "start tokenrail-registry-api, or correct its address in doctor.apis (TOKENRAIL_DOCTOR_APIS)",
                      [](const std::string& part, const telemetry::Condition& condition) -> std::optional<Finding> {
                        if (condition.problem.empty() && condition.note.empty()) return std::nullopt;
                        const bool fails = !condition.problem.empty();
                        return Finding{
                            .part = part,
                            .verdict = fails ? Verdict::bad : Verdict::warning,
                            .text = fmt::format("{}: {}", condition.name, fails ? condition.problem : condition.note),
                            .remedy = "look at the registry API's log"};
                      });
}

std::vector<Finding> judge_database(const DatabaseFacts& facts) {
  if (!facts.migrations && facts.migrations.error().kind == ErrorKind::rejected)
    return {{.part = "PostgreSQL", .text = fmt::format("answers at {}", facts.place)},
            {.part = "tables",
             .verdict = Verdict::bad,
             .text = facts.migrations.error().detail,
             .remedy = "use a tokenrail of the database's version"}};
  if (!facts.migrations)
    return unusable("PostgreSQL", facts.migrations.error(), trouble_with_database(facts.migrations.error()), "tables");
  std::vector<Finding> findings{{.part = "PostgreSQL", .text = fmt::format("answers at {}", facts.place)}};
  if (facts.migrations->pending.empty())
    findings.push_back({.part = "tables", .text = fmt::format("up to date (migration {})", facts.migrations->applied)});
  else
    findings.push_back({.part = "tables",
                        .verdict = Verdict::bad,
                        .text = fmt::format("not applied yet: {}", fmt::join(facts.migrations->pending, ", ")),
                        .remedy = "tokenrail migrate"});
  return findings;
}

Finding judge_registry_sync(const std::optional<Result<std::optional<registry::Leader>>>& led) {
  const std::string part = "registry-sync";
  if (!led) return not_looked_at(part, "PostgreSQL cannot be asked");
  if (!*led) return {.part = part, .verdict = Verdict::unknown, .text = led->error().detail};
  if (const auto& leader = **led)
    return {.part = part,
            .text = fmt::format("{} leads since {}, renewed {} s ago", leader->holder,
                                events::rfc3339(leader->since_ms), leader->renewed_ago.count() / 1000)};
  return {.part = part,
          .verdict = Verdict::bad,
          .text = "none leads: models that come or go are not noticed, and no change reaches the routers",
          .remedy = "./dev up, or start tokenrail-registry-sync and look at its log"};
}

Finding judge_held(const std::optional<Result<std::vector<registry::HeldChange>>>& held) {
  Finding finding{.part = "held changes", .verdict = Finding::Verdict::unknown, .text = "PostgreSQL cannot be asked"};
  if (!held) return finding;
  if (!*held) {
    finding.text = held->error().detail;
    return finding;
  }
  if ((*held)->empty()) return {.part = "held changes", .text = "nothing waits for a decision"};
  const auto& first = (*held)->front();
  return {.part = "held changes",
          .verdict = Finding::Verdict::warning,
          .text = fmt::format("connection {}, since {}: {}", first.connection_name, events::rfc3339(first.since_ms),
                              registry::held_detail(**held)),
          .remedy = fmt::format("tokenrail registry decide {} accept|reject", first.id)};
}

Finding judge_key_ring(const KeyRingFacts& facts) {
  Finding finding{.part = "key ring", .text = {}};
  if (!facts.keys) {
    finding.verdict = Verdict::bad;
    finding.text = facts.keys.error().detail;
    finding.remedy = "give this machine a key ring that can be read, and name it with TOKENRAIL_KEYRING_FILE";
    return finding;
  }
  std::int64_t stored = 0;
  for (const auto& [key, count] : facts.counts.value_or(SealedCounts{})) stored += count;
  if (!*facts.keys) {
    if (stored > 0) {
      // Only programs that open keys need it, and doctor may run elsewhere.
      finding.verdict = Verdict::warning;
      finding.text = fmt::format("none is set here, and {} stored credentials are sealed", stored);
      finding.remedy = "on machines with routers, registry-sync or the API: set TOKENRAIL_KEYRING_FILE";
    } else {
      finding.verdict = facts.counts ? Verdict::good : Verdict::unknown;
      finding.text = facts.counts ? "none is set, and no credential is stored" : "none is set";
    }
    return finding;
  }
  const auto statuses = key_statuses(**facts.keys, facts.counts);
  const auto unusable = unusable_keys(statuses);
  if (!unusable.empty()) {
    const auto& first = unusable.front();
    finding.verdict = Verdict::bad;
    finding.text = fmt::format("{} stored credentials need key '{}', which is {}", first.credentials.value_or(0),
                               first.id, first.state);
    finding.remedy =
        first.state == "missing"
            ? "give this machine the key ring that has the key (tokenrail keys status)"
            : fmt::format("set the state of key {} to decrypt in the key ring, then run tokenrail keys rewrap",
                          first.id);
    return finding;
  }
  finding.text = fmt::format("{} keys; {}", (**facts.keys).size(),
                             facts.counts ? fmt::format("{} stored credentials can be opened", stored)
                                          : std::string("PostgreSQL cannot be asked what they seal"));
  return finding;
}

Finding judge_connection(const ConnectionFacts& facts) {
  const std::string part = fmt::format("connection {}", facts.name);
  const std::string url = providers::without_credentials(facts.base_url);
  const bool is_default = facts.name == "env-ollama";  // which registry-sync makes of OLLAMA_BASE_URL
  if (!facts.enabled)
    return {.part = part, .verdict = Verdict::unknown, .text = fmt::format("{} is switched off; not asked", url)};
  if (!facts.models)
    return {.part = part,
            .verdict = Verdict::bad,
            .text = fmt::format("{}: {}", url, facts.models.error().detail),
            .remedy = is_default ? "ollama serve, or point OLLAMA_BASE_URL at a server that runs"
                                 : fmt::format("tokenrail connections test {}", facts.name)};
  if (*facts.models == 0)
    return {.part = part,
            .verdict = Verdict::bad,
            .text = fmt::format("{} answers, but has no models", url),
            .remedy = fmt::format("{}, then tokenrail registry sync",
                                  is_default ? "ollama pull llama3.2:1b" : "make a model available there")};
  return {.part = part, .text = fmt::format("{} lists {}", url, counted(*facts.models, "model"))};
}

Finding judge_published(const std::optional<PublishedFacts>& facts) {
  if (!facts)
    return {.part = "published registry", .verdict = Verdict::unknown, .text = "model_registry could not be read"};
  if (!facts->complete)
    return {.part = "published registry",
            .verdict = Verdict::bad,
            .text = "not published whole yet, so no router takes requests",
            .remedy = "start tokenrail-registry-sync and look at its log"};
  if (facts->routable == 0)
    return {.part = "published registry",
            .verdict = Verdict::bad,
            .text = fmt::format("{}, none of which can answer now", counted(facts->models, "model")),
            .remedy = "tokenrail registry list says why; tokenrail registry sync asks the connections again"};
  return {.part = "published registry",
          .text = fmt::format("{}, {} ready to answer", counted(facts->models, "model"), facts->routable)};
}

std::string finding_json(const Finding& finding) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("part", finding.part);
  json.field("verdict", finding.verdict == Verdict::good      ? "good"
                        : finding.verdict == Verdict::warning ? "warning"
                        : finding.verdict == Verdict::bad     ? "bad"
                                                              : "unknown");
  json.field("text", finding.text);
  if (!finding.remedy.empty()) json.field("remedy", finding.remedy);
  json.end_object();
  return line;
}

}  // namespace tokenrail::cli
