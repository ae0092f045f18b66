// `tokenrail catalog update|scores` and `tokenrail registry inspect`: what others publish about models.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "cli/table.hpp"
#include "common/catalog/catalog.hpp"
#include "common/catalog/plan.hpp"
#include "common/catalog/scores.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/catalogs.hpp"

namespace tokenrail::cli {
namespace {

namespace fs = std::filesystem;
using Kind = catalog::PlannedEntry::Kind;

constexpr std::size_t lines_max = 20;
constexpr std::size_t file_bytes_max = 256UL * 1024 * 1024;

Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error)
    return fail(ErrorKind::invalid_input, fmt::format("{} cannot be read: {}", path.string(), error.message()));
  if (bytes > file_bytes_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("{} has {} bytes, more than {}", path.string(), bytes, file_bytes_max));
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return fail(ErrorKind::invalid_input, fmt::format("{} cannot be read", path.string()));
  return text;
}

struct File {
  fs::path path;
  std::string text;
  catalog::Source source;
};

/// The catalogues of a folder: of several of one source the last by name, which is the newest where names have dates.
Result<std::vector<File>> files_of(const Context& context, const fs::path& path,
                                   const std::optional<catalog::Source>& source) {
  if (!fs::is_directory(path)) {
    auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    const auto found = source ? source : catalog::source_of(*text);
    if (!found)
      return std::unexpected(Error{.kind = ErrorKind::invalid_input,
                                   .detail = fmt::format("{} is no catalogue that this program knows", path.string()),
                                   .hint = "Give the file as the source publishes it, and --source."});
    return std::vector<File>{{.path = path, .text = std::move(*text), .source = *found}};
  }
  std::set<fs::path> paths;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(path, error))
    if (item.is_regular_file() && item.path().extension() == ".json") paths.insert(item.path());
  if (error)
    return fail(ErrorKind::invalid_input, fmt::format("{} cannot be read: {}", path.string(), error.message()));
  std::map<catalog::Source, File> newest;
  for (const auto& one : paths) {
    auto text = read_file(one);
    if (!text) return std::unexpected(text.error());
    const auto found = catalog::source_of(*text);
    if (!found || (source && *found != *source)) {
      context.terminal.note(fmt::format("{} was passed over: it is no such catalogue", one.filename().string()));
      continue;
    }
    newest.insert_or_assign(*found, File{.path = one, .text = std::move(*text), .source = *found});
  }
  if (newest.empty())
    return fail(ErrorKind::invalid_input, fmt::format("{} has no catalogue that this program knows", path.string()));
  std::vector<File> files;
  for (auto& [name, file] : newest) files.push_back(std::move(file));
  return files;
}

char sign_of(Kind kind) {
  switch (kind) {
    case Kind::added:
      return '+';
    case Kind::gone:
      return '-';
    case Kind::held:
      return '!';
    case Kind::changed:
    case Kind::released:
      return '~';
  }
  return ' ';
}

struct Shown {
  const File& file;
  const catalog::Catalog& read;
  const catalog::Plan& plan;
  std::size_t rounded = 0;
  std::size_t skipped = 0;
};

Shown shown_of(const File& file, const catalog::Catalog& read, const catalog::Plan& plan) {
  Shown shown{.file = file, .read = read, .plan = plan};
  for (const auto& entry : read.entries) {
    shown.rounded += entry.rounded;
    shown.skipped += entry.skipped.size();
  }
  return shown;
}

void show(const Context& context, const Shown& shown) {
  const auto& [file, read, plan, rounded, skipped] = shown;
  auto& terminal = context.terminal;
  const auto licence = catalog::licence_of(file.source);
  terminal.out_line(fmt::format("{}: {} ({})", catalog::name_of(file.source), file.path.filename().string(),
                                licence.empty() ? "no licence named" : fmt::format("{} licence", licence)));
  terminal.out_line(fmt::format(
      "{} added, {} changed, {} unchanged, {} gone, {} held, {} refused; {} prices rounded, {} fields left out",
      plan.count(Kind::added), plan.count(Kind::changed) + plan.count(Kind::released), plan.unchanged,
      plan.count(Kind::gone), plan.count(Kind::held) + plan.held_already, read.refused.size(), rounded, skipped));
  std::size_t lines = 0;
  // What waits for a decision first.
  for (const auto kind : {Kind::held, Kind::changed, Kind::released, Kind::gone, Kind::added}) {
    for (const auto& entry : plan.entries) {
      if (entry.kind != kind || ++lines > lines_max) continue;
      terminal.out_line(without_controls(fmt::format(
          "{} {}/{}{}{}", sign_of(kind), entry.row.provider, entry.row.model_name, entry.changes.empty() ? "" : ": ",
          kind == Kind::held ? entry.reason : fmt::format("{}", fmt::join(entry.changes, ", ")))));
    }
  }
  if (lines > lines_max) terminal.out_line(fmt::format("… and {} more; --json lists all", lines - lines_max));
}

void write_list(events::JsonWriter& json, std::string_view name,
                const std::vector<std::pair<std::string, std::string>>& list) {
  json.begin_array(name);
  for (const auto& [key, reason] : list)
    json.raw_element(object_of({{"key", json_text(key)}, {"reason", json_text(reason)}}));
  json.end_array();
}

std::string report_json(const Context& context, const Shown& shown, std::int64_t models) {
  const auto& [file, read, plan, rounded, skipped] = shown;
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("source", catalog::name_of(file.source));
  json.field("licence", catalog::licence_of(file.source));
  json.field("file", file.path.filename().string());
  json.field("dryRun", context.call.has("dry-run"));
  const auto number = [&](std::string_view name, std::size_t value) {
    json.field(name, static_cast<std::int64_t>(value));
  };
  number("listed", read.entries.size() + read.refused.size());
  number("added", plan.count(Kind::added));
  number("changed", plan.count(Kind::changed) + plan.count(Kind::released));
  number("unchanged", plan.unchanged);
  number("gone", plan.count(Kind::gone));
  number("held", plan.count(Kind::held) + plan.held_already);
  number("refused", read.refused.size());
  number("roundedPrices", rounded);
  number("skippedFields", skipped);
  json.field("models", models);
  json.begin_array("entries");
  for (const auto& entry : plan.entries) {
    std::string changes = "[";
    for (const auto& change : entry.changes) changes += (changes.size() > 1 ? "," : "") + json_text(change);
    json.raw_element(object_of({{"kind", json_text(catalog::name_of(entry.kind))},
                                {"provider", json_text(entry.row.provider)},
                                {"modelName", json_text(entry.row.model_name)},
                                {"changes", changes + "]"},
                                {"reason", entry.reason.empty() ? std::string() : json_text(entry.reason)}}));
  }
  json.end_array();
  std::vector<std::pair<std::string, std::string>> refused;
  for (const auto& one : read.refused) refused.emplace_back(one.key, one.reason);
  write_list(json, "refusedEntries", refused);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& entry : read.entries)
    for (const auto& field : entry.skipped) fields.emplace_back(entry.key + " " + field.field, field.reason);
  write_list(json, "fieldsLeftOut", fields);
  json.end_object();
  return line;
}

/// Returns how many models changed.
Result<std::int64_t> write(Governance& governance, const Shown& shown) {
  const auto& [file, read, plan, rounded, skipped] = shown;
  std::int64_t models = 0;
  const std::span<const catalog::PlannedEntry> all(plan.entries);
  for (std::size_t at = 0; at < all.size(); at += registry::catalog_batch) {
    const auto batch = all.subspan(at, std::min(registry::catalog_batch, all.size() - at));
    const auto changed = governance.apply_catalog(file.source, batch);
    if (!changed) return std::unexpected(changed.error());
    models += *changed;
  }
  if (all.empty()) return models;
  const auto recorded =
      governance.record_import({.source = file.source,
                                .file_name = file.path.filename().string(),
                                .listed = static_cast<std::int64_t>(read.entries.size() + read.refused.size()),
                                .added = static_cast<std::int64_t>(plan.count(Kind::added)),
                                .changed = static_cast<std::int64_t>(plan.count(Kind::changed)),
                                .unchanged = static_cast<std::int64_t>(plan.unchanged),
                                .gone = static_cast<std::int64_t>(plan.count(Kind::gone)),
                                .held = static_cast<std::int64_t>(plan.count(Kind::held) + plan.held_already),
                                .refused = static_cast<std::int64_t>(read.refused.size())});
  if (!recorded) return std::unexpected(recorded.error());
  return models;
}

int update_from(const Context& context, Governance& governance, const File& file) {
  const auto read = catalog::read_catalog(file.source, file.text);
  if (!read) return context.failed(read.error());
  const auto known = governance.catalog_entries(file.source);
  if (!known) return context.failed(known.error());
  const auto plan = catalog::plan_import(*read, *known, context.call.has("accept-held"));
  if (!plan) return context.failed(plan.error());
  const auto shown = shown_of(file, *read, *plan);
  if (!context.json()) show(context, shown);
  std::int64_t models = 0;
  if (!context.call.has("dry-run")) {
    const auto written = write(governance, shown);
    if (!written) return context.failed(written.error());
    models = *written;
  }
  if (context.json()) context.terminal.out_line(report_json(context, shown, models));
  if (context.call.has("dry-run")) {
    context.terminal.note("nothing was changed: this was a dry run");
  } else {
    context.terminal.note(fmt::format("{} models of the registry changed; registry-sync publishes them", models));
  }
  if (plan->count(Kind::held) + plan->held_already > 0)
    context.terminal.note(
        "what is held does not count: 'tokenrail registry held' lists it, and --accept-held takes all of it over");
  return exit_done;
}

}  // namespace

int run_catalog_update(const Context& context) {
  std::optional<catalog::Source> source;
  if (const auto name = context.call.value("source")) {
    source = catalog::source_from(*name);
    if (!source)
      return context.failed(
          Error{ErrorKind::invalid_input,
                fmt::format("'{}' is no catalogue; there are litellm, models-dev, openrouter and ollama", *name)});
  }
  const auto files = files_of(context, context.call.arguments[0], source);
  if (!files) return context.failed(files.error());
  return with_governance(context, [&](Governance& governance) {
    if (!context.call.has("dry-run")) {
      const auto inferred = governance.infer_from_names();
      if (!inferred) return context.failed(inferred.error());
      if (*inferred > 0)
        context.terminal.note(fmt::format("{} models have facts that follow from their names", *inferred));
    }
    for (const auto& file : *files)
      if (const auto code = update_from(context, governance, file); code != exit_done) return code;
    return static_cast<int>(exit_done);
  });
}

namespace {

int set_scores(const Context& context, Governance& governance, const catalog::Scores& read) {
  std::vector<registry::QualityScore> scores;
  for (const auto& score : read.scores)
    scores.push_back({.provider = score.provider,
                      .model_name = score.model_name,
                      .metric = read.metric,
                      .source = read.source,
                      .score = score.score,
                      .date = read.date});
  std::int64_t models = 0;
  std::vector<std::string> unknown;
  const std::span<const registry::QualityScore> all(scores);
  for (std::size_t at = 0; at < all.size(); at += registry::catalog_batch) {
    std::vector<std::string> missing;
    const auto changed =
        governance.set_scores(all.subspan(at, std::min(registry::catalog_batch, all.size() - at)), missing);
    if (!changed) return context.failed(changed.error());
    models += *changed;
    unknown.insert(unknown.end(), missing.begin(), missing.end());
  }
  if (context.json()) {
    std::string line;
    events::JsonWriter json(line);
    json.begin_object();
    json.field("source", read.source);
    json.field("date", read.date);
    json.field("scores", static_cast<std::int64_t>(scores.size()));
    json.field("models", models);
    json.begin_array("unknownModels");
    for (const auto& name : unknown) json.element(name);
    json.end_array();
    json.begin_array("refused");
    for (const auto& refused : read.refused)
      json.raw_element(object_of({{"key", json_text(refused.key)}, {"reason", json_text(refused.reason)}}));
    json.end_array();
    json.end_object();
    context.terminal.out_line(line);
  } else {
    for (const auto& refused : read.refused)
      context.terminal.out_line(without_controls(fmt::format("refused {}: {}", refused.key, refused.reason)));
  }
  context.terminal.note(fmt::format("{} scores read, {} models changed, {} models are not in the registry",
                                    scores.size(), models, unknown.size()));
  if (context.call.has("dry-run")) context.terminal.note("nothing was changed: this was a dry run");
  return exit_done;
}

}  // namespace

int run_catalog_scores(const Context& context) {
  const auto text = read_file(context.call.arguments[0]);
  if (!text) return context.failed(text.error());
  const auto read = catalog::read_scores(*text);
  if (!read) return context.failed(read.error());
  return with_governance(context, [&](Governance& governance) { return set_scores(context, governance, *read); });
}

namespace {

int show_inspection(const Context& context, const Result<registry::Document>& found) {
  if (!found || context.json()) return show_document(context, found);
  const auto& json = found->json;
  auto& terminal = context.terminal;
  terminal.out_line(fmt::format("{} models: {} free, {} paid, {} without a price, {} without a limit",
                                member_of(json, "models"), member_of(json, "free"), member_of(json, "paid"),
                                member_of(json, "withoutPrice"), member_of(json, "withoutLimit")));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return exit_bad;
  const auto list = [&](const char* name, std::initializer_list<std::pair<const char*, const char*>> columns) {
    std::vector<std::vector<std::string>> rows(1);
    for (const auto& [title, path] : columns) rows.front().emplace_back(title);
    simdjson::dom::array items;
    if (root[name].get_array().get(items) != simdjson::SUCCESS) return;
    for (const auto item : items) {
      const auto text = simdjson::minify(item);
      auto& row = rows.emplace_back();
      for (const auto& [title, path] : columns) row.push_back(member_of(text, path));
    }
    if (rows.size() == 1) return;
    terminal.out_line("");
    terminal.out(table(rows));
  };
  list("byProvider", {{"PROVIDER", "provider"},
                      {"MODELS", "models"},
                      {"ACTIVE", "active"},
                      {"FREE", "free"},
                      {"PAID", "paid"},
                      {"NO PRICE", "withoutPrice"},
                      {"NO LIMIT", "withoutLimit"}});
  list("catalogs",
       {{"CATALOGUE", "source"}, {"ENTRIES", "entries"}, {"GONE", "gone"}, {"HELD", "held"}, {"UPDATED", "updatedAt"}});
  list("lists",
       {{"CONNECTION", "connection"}, {"PROVIDER", "provider"}, {"LAST LIST", "lastOkAt"}, {"STALE", "stale"}});
  return exit_done;
}

}  // namespace

int run_registry_inspect(const Context& context) {
  return with_governance(context,
                         [&](Governance& governance) { return show_inspection(context, governance.inspection()); });
}

}  // namespace tokenrail::cli
