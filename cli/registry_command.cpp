// `tokenrail registry list`, `registry sync`, `registry republish`, `registry set-parameters` and `migrate`: what a
// person does with the registry's database.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/database.hpp"
#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "cli/model_listing.hpp"
#include "cli/published_registry.hpp"
#include "common/events/cloud_events.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/store.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;

Result<std::vector<events::ModelState>> models_of_projection(const Context& context) {
  const auto projection = read_published_registry(context);
  if (!projection) return std::unexpected(projection.error());
  if (!projection->complete())
    context.terminal.note("note: the registry has not been published whole yet; routers wait for that too");
  std::vector<events::ModelState> models;
  for (const auto& [key, model] : projection->models()) models.push_back(model);
  return models;
}

std::string run_json(const registry::SyncRun& run) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("connection", run.connection_name);
  json.field("status", run.status);
  json.field("listed", run.listed);
  json.field("added", run.added);
  json.field("updated", run.updated);
  json.field("unchanged", run.unchanged);
  json.field("missing", run.missing);
  json.field("held", run.held);
  json.field("failed", run.failed);
  if (!run.error_class.empty()) json.field("errorClass", run.error_class);
  if (!run.detail.empty()) json.field("detail", run.detail);
  json.end_object();
  return line;
}

std::string run_line(const Terminal& terminal, const registry::SyncRun& run) {
  const bool well = run.status == "ok";
  std::string line =
      fmt::format("{} {}: {} listed, {} added, {} updated, {} unchanged, {} missing",
                  terminal.styled_out(well ? Terminal::Style::good : Terminal::Style::bad, well ? "✓" : "✗"),
                  run.connection_name, run.listed, run.added, run.updated, run.unchanged, run.missing);
  if (run.held > 0) line += fmt::format(", {} held (tokenrail registry held)", run.held);
  if (run.failed > 0) line += fmt::format(", {} could not be read (registry-sync's log says which)", run.failed);
  if (!well) line += fmt::format(" ({}{}{})", run.status, run.detail.empty() ? "" : ": ", without_controls(run.detail));
  return line;
}

std::string unfinished_line(const Context& context, const std::string& name, const std::string& timeout) {
  const registry::SyncRun run{.connection_id = {},
                              .connection_name = name,
                              .trigger = "manual",
                              .status = "unfinished",
                              .detail = fmt::format("not done within {}; the sync goes on", timeout)};
  if (context.json()) return run_json(run);
  return fmt::format("{} {}: {}", context.terminal.styled_out(Terminal::Style::bad, "✗"), name, run.detail);
}

/// What waits for a decision in the scope that the API shows; empty: nothing.
std::string held_words_of_api(const Context& context) {
  const auto governance = open_governance(context);
  if (!governance) return {};
  const auto documents = all_pages([&](const auto& page) { return (*governance)->held_changes(page); });
  if (!documents || documents->empty()) return {};
  // Their ids grow with the time.
  std::vector<registry::HeldChange> changes;
  for (const auto& document : *documents)
    changes.push_back({.id = document.id,
                       .model_name = member_of(document.json, "model"),
                       .reason = member_of(document.json, "reason"),
                       .since_ms = events::rfc3339_ms(member_of(document.json, "since")).value_or(0)});
  return registry::held_words(changes);
}

/// Says what waits for a decision; what cannot be read is no reason not to list models.
void note_held_changes(const Context& context, bool by_api) {
  if (by_api) {
    if (const auto words = held_words_of_api(context); !words.empty()) context.terminal.note(words);
    return;
  }
  const auto held = registry::Store(database_options(context)).held_changes("");
  if (held && !held->empty()) context.terminal.note(registry::held_words(*held));
}

Result<std::vector<events::ModelState>> models_of_api(const Context& context) {
  const auto governance = open_governance(context);
  if (!governance) return std::unexpected(governance.error());
  const auto documents = all_pages([&](const auto& page) { return (*governance)->models(page); });
  if (!documents) return std::unexpected(documents.error());
  std::vector<events::ModelState> models;
  for (const auto& document : *documents) models.push_back(model_of(document.json));
  return models;
}

/// The connections that a sync by the API asks: the named one, else those of the scope that are synced.
Result<std::vector<std::string>> connections_to_sync(const Context& context, Governance& governance) {
  if (const auto named = context.call.value("connection")) return std::vector<std::string>{*named};
  const auto documents = all_pages([&](const auto& page) { return governance.connections(page); });
  if (!documents) return std::unexpected(documents.error());
  std::vector<std::string> names;
  const auto own = context.call.value("org") ? "organization" : "platform";
  for (const auto& document : *documents) {
    const auto is = [&](std::string_view member, std::string_view value) {
      return member_of(document.json, member) == value;
    };
    if (is("scope", own) && is("enabled", "true") && is("syncEnabled", "true"))
      names.push_back(member_of(document.json, "name"));
  }
  return names;
}

/// A run as an operation of the API reports it.
registry::SyncRun run_of(std::string_view run, const std::string& connection) {
  const auto number = [&](std::string_view name) {
    std::int64_t value = 0;
    const auto text = member_of(run, name);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  return {.connection_id = {},
          .connection_name = connection,
          .trigger = "manual",
          .status = member_of(run, "status"),
          .listed = number("listed"),
          .added = number("added"),
          .updated = number("updated"),
          .unchanged = number("unchanged"),
          .missing = number("missing"),
          .failed = number("failed"),
          .error_class = member_of(run, "errorClass"),
          .detail = member_of(run, "detail")};
}

int sync_by_api(const Context& context, Governance& governance, const std::string& timeout_text,
                std::chrono::milliseconds timeout) {
  constexpr auto look_every = 200ms;
  const auto until = std::chrono::steady_clock::now() + timeout;
  const auto connections = connections_to_sync(context, governance);
  if (!connections) return context.failed(connections.error());
  std::vector<std::string> operations;
  for (const auto& connection : *connections) {
    const auto asked = governance.request_sync(connection, context.call.has("accept"));
    if (!asked) return context.failed(asked.error());
    operations.push_back(*asked);
  }
  bool well = true;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& connection = connections->at(i);
    while (true) {
      const auto operation = governance.operation(operations[i]);
      if (!operation) return context.failed(operation.error());
      if (member_of(operation->json, "state") != "running") {
        for (const auto& text : elements_of(operation->json, "result.runs")) {
          const auto run = run_of(text, connection);
          well = well && run.status == "ok";
          context.terminal.out_line(context.json() ? run_json(run) : run_line(context.terminal, run));
        }
        break;
      }
      if (std::chrono::steady_clock::now() >= until) {
        well = false;
        context.terminal.out_line(unfinished_line(context, connection, timeout_text));
        break;
      }
      std::this_thread::sleep_for(look_every);
    }
  }
  if (operations.empty()) context.terminal.note("there is no connection to ask");
  if (well) context.terminal.note("'tokenrail registry list' shows the models");
  return well ? exit_done : exit_bad;
}

}  // namespace

registry::DatabaseOptions database_options(const Context& context) {
  // A person waits for this; a server that does not answer in three seconds is down for his purposes.
  return {.url = context.values.text("database.url"), .application = "tokenrail", .connect_time_max = 3s};
}

int run_migrate(const Context& context) {
  const auto options = database_options(context);
  if (context.call.has("dry-run")) {
    const auto status = registry::migration_status(options);
    if (!status) return context.failed(status.error());
    for (const std::string& name : status->pending) context.terminal.out_line(name);
    context.terminal.note(status->pending.empty() ? "nothing to do"
                                                  : "nothing was changed; 'tokenrail migrate' applies these");
    return exit_done;
  }
  const auto applied = registry::migrate(options);
  if (!applied) return context.failed(applied.error());
  for (const std::string& name : *applied) context.terminal.out_line(name);
  context.terminal.note(applied->empty()
                            ? fmt::format("nothing to do: {} is up to date", registry::database_place(options.url))
                            : fmt::format("{} is up to date", registry::database_place(options.url)));
  return exit_done;
}

int run_registry_list(const Context& context) {
  const bool by_topic = context.call.has("projection");
  const bool by_api = !by_topic && api_is_configured(context.values);
  auto models = by_topic ? models_of_projection(context)
                : by_api ? models_of_api(context)
                         : registry::Store(database_options(context)).list_models();
  if (!models) return context.failed(models.error());
  if (!by_api) take_inherited(*models);
  if (const auto org = context.call.value("org"); org && !by_api) *models = seen_by(*models, *org);
  if (context.json()) {
    for (const auto& model : *models) context.terminal.out_line(listing_json(model));
  } else if (models->empty()) {
    context.terminal.note("no models yet: 'tokenrail registry sync' asks the connections for theirs");
  } else {
    context.terminal.out(listing(*models));
  }
  if (!by_topic) note_held_changes(context, by_api);
  return exit_done;
}

int run_registry_sync(const Context& context) {
  const std::string timeout_text = context.call.value("timeout").value_or("60s");
  const auto timeout = duration_flag("timeout", timeout_text);
  if (!timeout) return context.failed(timeout.error());
  if (api_is_configured(context.values)) {
    return with_governance(
        context, [&](Governance& governance) { return sync_by_api(context, governance, timeout_text, *timeout); });
  }
  const auto connection = context.call.value("connection").value_or("");
  if (connection.empty() && context.call.value("org"))
    return context.failed(Error{ErrorKind::invalid_input, "--org says whose --connection is meant: give both"});
  registry::Store store(database_options(context));
  const auto request = store.request_sync(connection, actor_of(context), context.call.has("accept"));
  if (!request) return context.failed(request.error());
  const auto state = store.await_sync(*request, *timeout);
  if (!state) return context.failed(state.error());
  bool well = true;
  for (const auto& run : state->runs) {
    well = well && run.status == "ok";
    context.terminal.out_line(context.json() ? run_json(run) : run_line(context.terminal, run));
  }
  if (!state->finished) {
    well = false;
    for (const auto& name : state->unfinished) context.terminal.out_line(unfinished_line(context, name, timeout_text));
    if (state->unfinished.empty())
      context.terminal.note(
          "the connections are synced, but the topics have not been written yet; registry-sync's "
          "/readyz says why");
  }
  if (state->finished && state->runs.empty()) context.terminal.note("there is no connection to ask");
  if (well) context.terminal.note("'tokenrail registry list' shows the models");
  return well ? exit_done : exit_bad;
}

namespace {

int republish(const Context& context, Governance& governance, const std::string& timeout_text,
              std::chrono::milliseconds timeout) {
  constexpr auto look_every = 200ms;
  const auto until = std::chrono::steady_clock::now() + timeout;
  const auto request = governance.request_republish();
  if (!request) return context.failed(request.error());
  while (true) {
    const auto operation = governance.operation(*request);
    if (!operation) return context.failed(operation.error());
    if (member_of(operation->json, "state") != "running") break;
    if (std::chrono::steady_clock::now() >= until) {
      if (member_of(operation->json, "progress.phase") == "waiting")
        return context.failed(Error{ErrorKind::timed_out,
                                    "No registry-sync has taken the request up. Start one (tokenrail-registry-sync), "
                                    "then ask again."});
      return context.failed(
          Error{ErrorKind::timed_out, fmt::format("The topics were not compared with the database within {}. "
                                                  "registry-sync goes on with it; its /readyz says what it waits for.",
                                                  timeout_text)});
    }
    std::this_thread::sleep_for(look_every);
  }
  context.terminal.note("the compacted topics hold what the database holds");
  return exit_done;
}

}  // namespace

int run_registry_republish(const Context& context) {
  const std::string timeout_text = context.call.value("timeout").value_or("60s");
  const auto timeout = duration_flag("timeout", timeout_text);
  if (!timeout) return context.failed(timeout.error());
  return with_governance(
      context, [&](Governance& governance) { return republish(context, governance, timeout_text, *timeout); });
}

int run_registry_parameters(const Context& context) {
  std::vector<events::InvalidDefault> invalid;
  const auto parameters = events::read_call_defaults(context.call.arguments[1], invalid);
  if (!invalid.empty()) {
    return context.failed(Error{ErrorKind::invalid_input, "the parameters were not set: " + to_text(invalid.front())});
  }
  return with_governance(context, [&](Governance& governance) {
    const auto set =
        governance.set_parameters(context.call.arguments[0], context.call.value("connection").value_or(""), parameters);
    if (!set) return context.failed(set.error());
    const auto changed = member_of(set->json, "changed");
    const auto deployments = fmt::format("{} deployment{}", changed, changed == "1" ? "" : "s");
    if (changed == "0")
      context.terminal.note("nothing to do: the parameters are these already");
    else if (context.call.has("dry-run"))
      context.terminal.note(fmt::format("{} would change; nothing was changed: this was a dry run", deployments));
    else
      context.terminal.note(fmt::format("{} changed; registry-sync publishes the model", deployments));
    return static_cast<int>(exit_done);
  });
}

}  // namespace tokenrail::cli
