// `tokenrail connections test`, `tokenrail registry test` and `tokenrail registry explain`: does it work, may it be
// used, and if not, why.
#include <expected>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "cli/table.hpp"

namespace tokenrail::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// What each stage came to, and below that what to do about those that failed.
void show_stages(const Context& context, const std::string& test) {
  Rows rows{{"STAGE", "STATUS", "MS", "CAUSE", "MESSAGE"}};
  std::vector<std::string> fixes;
  for (const auto& stage : elements_of(test, "stages")) {
    rows.push_back({member_of(stage, "stage"), member_of(stage, "status"), member_of(stage, "latencyMs"),
                    member_of(stage, "cause"), member_of(stage, "message")});
    if (auto fix = member_of(stage, "fix"); !fix.empty())
      fixes.push_back(fmt::format("{}: {}", member_of(stage, "stage"), fix));
  }
  context.terminal.out(table(rows));
  for (const auto& fix : fixes) context.terminal.out_line(fix);
}

/// Tests a connection and shows the result under `title`. Whether it works, or the exit code.
std::expected<bool, int> show_test(const Context& context, Governance& governance, const std::string& connection,
                                   const std::string& model, const std::string& title) {
  const auto test = governance.test_connection(connection, model);
  if (!test) return std::unexpected(context.failed(test.error()));
  const auto outcome = member_of(test->json, "outcome");
  if (context.json()) {
    context.terminal.out_line(test->json);
  } else {
    if (!title.empty()) context.terminal.out_line(title);
    show_stages(context, test->json);
  }
  context.terminal.note(outcome == "ok" ? "it works" : fmt::format("it does not work: {}", outcome));
  return outcome == "ok";
}

int test_model(const Context& context, Governance& governance) {
  const auto& name = context.call.arguments[0];
  const auto model = governance.model(name);
  if (!model) return context.failed(model.error());
  const auto deployments = elements_of(model->json, "deployments");
  if (deployments.empty())
    return context.failed(Error{ErrorKind::not_found, fmt::format("no connection serves {}", name)});
  bool all = true;
  for (const auto& deployment : deployments) {
    auto upstream = member_of(deployment, "upstreamName");
    if (upstream.empty()) upstream = member_of(model->json, "modelName");
    const auto works = show_test(context, governance, member_of(deployment, "connectionId"), upstream,
                                 fmt::format("{} at {}:", upstream, member_of(deployment, "connection")));
    if (!works) return works.error();
    all = all && *works;
  }
  return all ? exit_done : exit_bad;
}

}  // namespace

int run_connections_test(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    const auto works =
        show_test(context, governance, context.call.arguments[0], context.call.value("model").value_or(""), {});
    if (!works) return works.error();
    return static_cast<int>(*works ? exit_done : exit_bad);
  });
}

int run_registry_test(const Context& context) {
  return with_governance(context, [&](Governance& governance) { return test_model(context, governance); });
}

int run_registry_explain(const Context& context) {
  return with_governance(context, [&](Governance& governance) -> int {
    const auto explained = governance.explanation(context.call.arguments[0]);
    if (!explained) return context.failed(explained.error());
    const bool usable = member_of(explained->json, "usable") == "true";
    if (context.json()) {
      context.terminal.out_line(explained->json);
      return usable ? exit_done : exit_bad;
    }
    Rows rows{{"CLAUSE", "HOLDS", "SCOPE", "DETAIL", "WHAT TO DO"}};
    for (const auto& clause : elements_of(explained->json, "clauses")) {
      rows.push_back({member_of(clause, "clause"), member_of(clause, "holds"), member_of(clause, "scope"),
                      member_of(clause, "detail"), member_of(clause, "hint")});
    }
    context.terminal.out(table(rows));
    for (const auto& target : elements_of(explained->json, "targets")) {
      context.terminal.out_line(
          fmt::format("answered by {} at {}", member_of(target, "model"), member_of(target, "connection")));
    }
    if (const auto failure = member_of(explained->json, "failure.message"); !failure.empty())
      context.terminal.out_line(failure);
    return usable ? exit_done : exit_bad;
  });
}

}  // namespace tokenrail::cli
