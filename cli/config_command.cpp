// `tokenrail registry export|plan|apply`: the registry's configuration as a file.
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/config_apply.hpp"
#include "cli/config_plan.hpp"
#include "cli/config_tree.hpp"
#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "cli/table.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

Result<ConfigValue> value_of(const Result<registry::Document>& document) {
  if (!document) return std::unexpected(document.error());
  return value_from_json(document->json);
}

Result<ConfigValue> file_of(const std::string& name) {
  std::string text;
  if (name == "-") {
    text = {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  } else {
    std::ifstream in(name, std::ios::binary);
    text = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.eof() && in.fail()) return fail(ErrorKind::invalid_input, fmt::format("{} cannot be read", name));
  }
  auto value = value_from_yaml(text);
  if (!value) value.error().detail = fmt::format("{} cannot be used: {}", name, value.error().detail);
  return value;
}

std::string change_json(const ConfigChange& change) {
  std::string differences = "[";
  for (const auto& one : change.differences) differences += (differences.size() > 1 ? "," : "") + json_text(one);
  const auto* const kind = change.wanted.kind == Kind::null ? "remove"
                           : change.now.kind == Kind::null  ? "create"
                                                            : "change";
  return object_of({{"kind", json_text(kind)},
                    {"collection", json_text(change.collection)},
                    {"key", json_text(change.key)},
                    {"differences", differences + "]"}});
}

void show(const Context& context, const ConfigPlan& plan) {
  for (const auto& change : plan.changes) {
    if (context.json()) {
      context.terminal.out_line(change_json(change));
      continue;
    }
    const char sign = change.wanted.kind == Kind::null ? '-' : change.now.kind == Kind::null ? '+' : '~';
    context.terminal.out_line(without_controls(fmt::format("{} {} {}", sign, change.collection, change.key)));
    for (const auto& difference : change.differences) context.terminal.out_line(without_controls("    " + difference));
  }
  context.terminal.note(fmt::format("{} to change, {} as they are, {} that the file does not have and that stay",
                                    plan.changes.size(), plan.same, plan.others));
}

Result<ConfigPlan> planned(const Context& context, Governance& governance) {
  const auto file = file_of(context.call.arguments[0]);
  if (!file) return std::unexpected(file.error());
  const auto now = value_of(governance.configuration());
  if (!now) return std::unexpected(now.error());
  if (!context.call.has("prune")) return plan_config(*now, *file);
  auto owned = value_of(governance.owned_by_sync());
  if (!owned) return std::unexpected(owned.error());
  const Prune prune{.owned = std::move(*owned)};
  return plan_config(*now, *file, &prune);
}

int apply(const Context& context, Governance& governance) {
  const auto plan = planned(context, governance);
  if (!plan) return context.failed(plan.error());
  show(context, *plan);
  if (context.call.has("dry-run")) {
    context.terminal.note("nothing was changed: this was a dry run");
    return exit_done;
  }
  ConfigApplier applier(governance);
  std::size_t applied = 0;
  for (const auto& change : plan->changes) {
    auto done = applier.apply(change);
    if (!done) {
      done.error().detail = fmt::format("{} {} was not applied, {} before it were: {}", change.collection, change.key,
                                        applied, done.error().detail);
      return context.failed(done.error());
    }
    ++applied;
  }
  if (const auto finished = applier.finish(); !finished) return context.failed(finished.error());
  context.terminal.note(fmt::format("{} applied; registry-sync publishes them, and routers follow", applied));
  return exit_done;
}

}  // namespace

int run_registry_export(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    auto read = value_of(governance.configuration());
    if (!read) return context.failed(read.error());
    const auto value = without_versions(std::move(*read));
    if (context.json()) {
      context.terminal.out_line(to_json(value));
    } else {
      context.terminal.out(to_yaml(value));
    }
    return static_cast<int>(exit_done);
  });
}

int run_registry_plan(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    const auto plan = planned(context, governance);
    if (!plan) return context.failed(plan.error());
    show(context, *plan);
    return static_cast<int>(exit_done);
  });
}

int run_registry_apply(const Context& context) {
  return with_governance(context, [&](Governance& governance) { return apply(context, governance); });
}

}  // namespace tokenrail::cli
