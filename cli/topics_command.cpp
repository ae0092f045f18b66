// `tokenrail topics apply` and `topics check`: the plan of cli/topics.hpp, carried out or shown.
#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/table.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto describe_time_max = 10s;
// The broker that is asked may learn later than the controller that a topic has grown.
constexpr auto known_after_max = 10s;
constexpr auto look_again = 100ms;

struct Planned {
  TopicPlan plan;
  std::vector<WantedTopic> wanted;
  std::vector<kafka::TopicDescription> existing;
  std::unique_ptr<kafka::Admin> admin;
};

std::vector<std::string> names_of(const std::vector<WantedTopic>& wanted) {
  std::vector<std::string> names;
  for (const auto& topic : wanted) names.push_back(topic.name);
  return names;
}

Result<void> check_partitions_flag(const Context& context) {
  const auto asked = context.call.value("partitions");
  if (asked && !parse_count(*asked))
    return fail(ErrorKind::invalid_input, fmt::format("--partitions {}: a whole number above 0 is needed", *asked));
  return {};
}

Result<Planned> make_plan(const Context& context) {
  if (auto checked = check_partitions_flag(context); !checked) return std::unexpected(checked.error());
  auto admin = kafka::Admin::connect(context.kafka_properties());
  if (!admin) return std::unexpected(admin.error());
  const TopicOptions options = context.topic_options();
  auto wanted = wanted_topics(options);
  auto existing = (*admin)->describe(names_of(wanted), true, describe_time_max);
  if (!existing) return std::unexpected(existing.error());
  auto plan = plan_topics(wanted, *existing, options);
  return Planned{.plan = std::move(plan),
                 .wanted = std::move(wanted),
                 .existing = std::move(*existing),
                 .admin = std::move(*admin)};
}

std::string_view name_of(TopicAction::Kind kind) {
  switch (kind) {
    case TopicAction::Kind::create:
      return "create";
    case TopicAction::Kind::grow:
      return "grow";
    case TopicAction::Kind::configure:
      return "configure";
  }
  return {};
}

void show(const Context& context, const TopicAction& action, std::string_view mark) {
  if (!context.json()) {
    context.terminal.out_line(fmt::format("{} {}", mark, describe(action)));
    return;
  }
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("action", name_of(action.kind));
  json.field("topic", action.topic);
  if (action.partitions > 0) json.field("partitions", action.partitions);
  json.begin_object("config");
  for (const auto& [name, value] : action.config) json.field(name, value);
  json.end_object();
  json.end_object();
  context.terminal.out_line(line);
}

/// Says what does not work in topics like these; true where nothing is wrong, whatever there is to warn of.
bool tell_findings(const Context& context, const std::vector<topics::Finding>& findings) {
  bool fine = true;
  Terminal& terminal = context.terminal;
  for (const auto& finding : findings) {
    const bool problem = finding.severity == topics::Finding::Severity::problem;
    fine = fine && !problem;
    if (context.json()) {
      std::string line;
      events::JsonWriter json(line);
      json.begin_object();
      json.field(problem ? "problem" : "warning", finding.text);
      json.field("remedy", finding.remedy);
      json.end_object();
      terminal.out_line(line);
    } else {
      const auto mark =
          problem ? terminal.styled_out(Terminal::Style::bad, "✗") : terminal.styled_out(Terminal::Style::warning, "!");
      terminal.out_line(fmt::format("{} {}", mark, topics::line_of(finding)));
    }
  }
  return fine;
}

Result<void> carry_out(kafka::Admin& admin, const TopicAction& action, std::int16_t replication) {
  switch (action.kind) {
    case TopicAction::Kind::create:
      return admin.create({kafka::NewTopic{.name = action.topic,
                                           .partitions = action.partitions,
                                           .replication = replication,
                                           .config = action.config}},
                          30s);
    case TopicAction::Kind::grow:
      return admin.grow(action.topic, action.partitions, 30s);
    case TopicAction::Kind::configure:
      return admin.alter_config(action.topic, action.config, 30s);
  }
  return {};
}

/// The topics as the brokers report them once they know of all that was done, or after known_after_max.
Result<std::vector<kafka::TopicDescription>> describe_made(kafka::Admin& admin, const std::vector<WantedTopic>& wanted,
                                                           const TopicPlan& plan) {
  const auto give_up = std::chrono::steady_clock::now() + known_after_max;
  while (true) {
    auto made = admin.describe(names_of(wanted), true, describe_time_max);
    if (!made) return made;
    const bool behind = std::ranges::any_of(plan.actions, [&](const TopicAction& action) {
      const auto topic = std::ranges::find(*made, action.topic, &kafka::TopicDescription::name);
      return topic == made->end() || topic->partitions < action.partitions;
    });
    if (!behind || std::chrono::steady_clock::now() >= give_up) return made;
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace

int run_topics_apply(const Context& context) {
  auto planned = make_plan(context);
  if (!planned) return context.failed(planned.error());
  const auto& plan = planned->plan;
  for (const std::string& note : plan.notes) context.terminal.note(fmt::format("note: {}", note));
  const auto ahead = context.judge_topics(cli::planned(planned->existing, plan));
  const bool refused = std::ranges::any_of(
      ahead, [](const auto& finding) { return finding.severity == topics::Finding::Severity::problem; });
  const bool dry_run = context.call.has("dry-run");
  if (refused || plan.actions.empty() || dry_run) tell_findings(context, ahead);
  if (refused) {
    context.terminal.error("no router works with topics like these; nothing was changed");
    return exit_bad;
  }
  if (plan.actions.empty()) {
    context.terminal.note(fmt::format("nothing to do: all {} topics are as they should be", planned->wanted.size()));
    return exit_done;
  }
  for (const TopicAction& action : plan.actions) {
    if (!dry_run) {
      const auto done = carry_out(*planned->admin, action, context.topic_options().replication);
      if (!done) {
        context.terminal.error(fmt::format("could not {}", describe(action)));
        return context.failed(done.error());
      }
    }
    show(context, action, dry_run ? "would" : context.terminal.styled_out(Terminal::Style::good, "✓"));
  }
  if (dry_run) {
    context.terminal.note("nothing was changed; 'tokenrail topics apply' does it");
    return exit_done;
  }
  // New topics have settings of the brokers too, which could not be known before.
  const auto made = describe_made(*planned->admin, planned->wanted, plan);
  if (!made) {
    context.terminal.note(
        fmt::format("the new topics were not checked: {}; run: tokenrail topics check", made.error().detail));
    return exit_done;
  }
  if (!tell_findings(context, context.judge_topics(*made))) return exit_bad;
  context.terminal.note("topics are ready; 'tokenrail doctor' looks at the rest");
  return exit_done;
}

int run_topics_check(const Context& context) {
  auto planned = make_plan(context);
  if (!planned) return context.failed(planned.error());
  const auto& plan = planned->plan;
  for (const std::string& note : plan.notes) context.terminal.note(fmt::format("note: {}", note));
  const auto findings = context.judge_topics(planned->existing);
  for (const kafka::TopicDescription& topic : planned->existing) {
    const bool differs = std::ranges::any_of(plan.actions, [&](const TopicAction& a) { return a.topic == topic.name; });
    const bool refused = std::ranges::any_of(findings, [&](const topics::Finding& finding) {
      return finding.severity == topics::Finding::Severity::problem && finding.is_about(topic.name);
    });
    if (differs || refused || context.json()) continue;
    context.terminal.out_line(
        topic.config_error ? fmt::format("{} {}: its settings were not checked: {}",
                                         context.terminal.styled_out(Terminal::Style::dim, "·"), topic.name,
                                         topic.config_error->detail)
                           : fmt::format("{} {}", context.terminal.styled_out(Terminal::Style::good, "✓"), topic.name));
  }
  for (const TopicAction& action : plan.actions)
    show(context, action, context.terminal.styled_out(Terminal::Style::bad, "✗"));
  const bool fine = tell_findings(context, findings);
  if (!plan.actions.empty()) context.terminal.note("'tokenrail topics apply' makes these changes");
  return fine && plan.actions.empty() ? exit_done : exit_bad;
}

int run_topics_list(const Context& context) {
  if (auto checked = check_partitions_flag(context); !checked) return context.failed(checked.error());
  // What would be made where nothing is there yet: the one place that knows every setting.
  const TopicOptions options = context.topic_options();
  const auto plan = plan_topics(wanted_topics(options), {}, options);
  std::vector<std::vector<std::string>> rows{{"TOPIC", "PARTITIONS", "SETTINGS"}};
  for (const TopicAction& action : plan.actions) {
    if (context.json()) {
      show(context, action, {});
      continue;
    }
    std::vector<std::string> settings;
    for (const auto& [name, value] : action.config) settings.push_back(fmt::format("{}={}", name, value));
    rows.push_back({action.topic, std::to_string(action.partitions), fmt::format("{}", fmt::join(settings, " "))});
  }
  if (!context.json()) context.terminal.out(table(rows));
  return exit_done;
}

}  // namespace tokenrail::cli
