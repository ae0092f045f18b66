// /v1/catalogs: entries of catalogues of models, and quality scores. A program reads a catalogue, compares it with the
// entries here, and sends what is to be written. Platform administrators only.
#include "common/registry/catalogs.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/catalog/row_json.hpp"
#include "common/events/json_writer.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using catalog::PlannedEntry;
using registry::Catalogs;
using registry::GovernedDatabase;

constexpr std::array kinds{PlannedEntry::Kind::added, PlannedEntry::Kind::changed, PlannedEntry::Kind::held,
                           PlannedEntry::Kind::released, PlannedEntry::Kind::gone};
constexpr std::int64_t name_length_max = 255;
constexpr std::int64_t count_max = 1'000'000'000;

std::expected<catalog::Source, Problem> source_of(const Call& call) {
  const auto source = catalog::source_from(call.path["catalog"]);
  if (source) return *source;
  return refuse(Fault::not_found, "There is no such catalogue. There are litellm, models-dev, openrouter and ollama.");
}

std::string models_changed(std::int64_t models) {
  return Json(Json::Object{{"models", Json(models)}}).write();
}

awaitable<Answer> list_entries(Call& call) {
  const auto source = source_of(call);
  if (!source) co_return std::unexpected(source.error());
  co_return co_await answer_page(
      call, [actor = call.actor(), source = *source](GovernedDatabase& database, const registry::PageRequest& page) {
        return Catalogs(database).entry_page(actor, source, page);
      });
}

// ---- writing

/// A row out of the member of an entry of the body.
std::expected<catalog::Row, Problem> row_of(const Json& entry, std::string_view member, std::size_t at) {
  const auto row =
      catalog::parse_row(*entry.text_of("provider"), *entry.text_of("modelName"), entry.find(member)->write());
  if (row) return *row;
  return std::unexpected(Problem{
      .fault = Fault::invalid_body,
      .detail = row.error().detail,
      .errors = {{.pointer = fmt::format("/entries/{}/{}", at, member), .detail = "is no entry of a catalogue"}}});
}

std::expected<PlannedEntry, Problem> entry_of(const Json& given, std::size_t at) {
  PlannedEntry entry;
  for (const auto kind : kinds)
    if (name_of(kind) == *given.text_of("kind")) entry.kind = kind;
  auto row = row_of(given, "entry", at);
  if (!row) return std::unexpected(std::move(row.error()));
  entry.row = std::move(*row);
  if (given.find("counts") != nullptr) {
    auto counts = row_of(given, "counts", at);
    if (!counts) return std::unexpected(std::move(counts.error()));
    entry.counts = std::move(*counts);
  }
  entry.reason = given.text_of("reason").value_or("");
  entry.keeps_rejected = given.boolean_of("keepsRejected").value_or(false);
  return entry;
}

awaitable<Answer> apply_entries(Call& call) {
  const auto source = source_of(call);
  if (!source) co_return std::unexpected(source.error());
  std::vector<PlannedEntry> entries;
  for (const auto& given : *call.body.find("entries")->array()) {
    auto entry = entry_of(given, entries.size());
    if (!entry) co_return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  const auto changed = co_await call.context->database->run(
      [actor = call.actor(), source = *source, entries = std::move(entries)](GovernedDatabase& database) {
        return Catalogs(database).apply(actor, source, entries);
      });
  if (!changed) co_return std::unexpected(problem_of(changed.error(), Kind::other));
  co_return json_reply(200, models_changed(*changed));
}

awaitable<Answer> record_import(Call& call) {
  const auto source = source_of(call);
  if (!source) co_return std::unexpected(source.error());
  const auto count = [&](std::string_view name) { return *call.body.integer_of(name); };
  const registry::CatalogImport import{.source = *source,
                                       .file_name = call.body.text_of("fileName").value_or(""),
                                       .listed = count("listed"),
                                       .added = count("added"),
                                       .changed = count("changed"),
                                       .unchanged = count("unchanged"),
                                       .gone = count("gone"),
                                       .held = count("held"),
                                       .refused = count("refused")};
  const auto recorded = co_await call.context->database->run(
      [actor = call.actor(), import](GovernedDatabase& database) { return Catalogs(database).record(actor, import); });
  if (!recorded) co_return std::unexpected(problem_of(recorded.error(), Kind::other));
  co_return no_content();
}

awaitable<Answer> infer(Call& call) {
  const auto changed = co_await call.context->database->run(
      [actor = call.actor()](GovernedDatabase& database) { return Catalogs(database).infer(actor); });
  if (!changed) co_return std::unexpected(problem_of(changed.error(), Kind::other));
  co_return json_reply(200, models_changed(*changed));
}

struct Scored {
  std::int64_t models = 0;
  std::vector<std::string> unknown{};
};

awaitable<Answer> set_scores(Call& call) {
  std::vector<registry::QualityScore> scores;
  for (const auto& given : *call.body.find("scores")->array())
    scores.push_back({.provider = *given.text_of("provider"),
                      .model_name = *given.text_of("modelName"),
                      .metric = *given.text_of("metric"),
                      .source = *given.text_of("source"),
                      .score = *given.text_of("score"),
                      .date = *given.text_of("date")});
  const auto scored = co_await call.context->database->run(
      [actor = call.actor(), scores = std::move(scores)](GovernedDatabase& database) -> Result<Scored> {
        Scored result;
        const auto changed = Catalogs(database).set_scores(actor, scores, result.unknown);
        if (!changed) return std::unexpected(changed.error());
        result.models = *changed;
        return result;
      });
  if (!scored) co_return std::unexpected(problem_of(scored.error(), Kind::other));
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("models", scored->models);
  json.begin_array("unknownModels");
  for (const auto& name : scored->unknown) json.element(name);
  json.end_array();
  json.end_object();
  co_return json_reply(200, std::move(body));
}

// ---- the routes

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Handler handler) {
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .access = Access::platform,
          .permission = "platform:models:write",
          .tag = "catalogues",
          .handler = handler};
}

Schema any_text() {
  return {.type = Schema::Type::text};
}

Schema row_schema() {
  return described(any_object(), "Facts and prices of a model; a fact that is absent is unknown.");
}

Schema entries_input() {
  std::vector<std::string> names;
  for (const auto kind : kinds) names.emplace_back(name_of(kind));
  const auto entry = object(
      "CatalogChange", {required("kind", choice(std::move(names))), required("provider", text(1, name_length_max)),
                        required("modelName", text(1, name_length_max)), required("entry", row_schema()),
                        optional("counts", described(row_schema(), "What of the entry counts; without it all of it.")),
                        optional("reason", described(text(0, 1024), "Why something of the entry is held.")),
                        optional("keepsRejected", described(boolean(), "The entry repeats what a person rejected."))});
  return object("CatalogChanges",
                {required("entries", list_of(entry, static_cast<std::int64_t>(registry::catalog_batch), 1))});
}

Schema import_input() {
  const auto count = integer(0, count_max);
  return object("CatalogImportInput",
                {optional("fileName", text(0, 255)), required("listed", count), required("added", count),
                 required("changed", count), required("unchanged", count), required("gone", count),
                 required("held", count), required("refused", count)});
}

Schema scores_input() {
  const auto score = object(
      "QualityScore", {required("provider", text(1, name_length_max)), required("modelName", text(1, name_length_max)),
                       required("metric", text(1, 64)), required("source", text(1, 255)),
                       required("score", described(text(1, 8),
                                                   "A decimal number from 0 to 1, at most four digits behind the "
                                                   "point.")),
                       required("date", described(text(10, 10), "YYYY-MM-DD."))});
  return object("QualityScores", {required("scores", list_of(score, 1000, 1))});
}

}  // namespace

void add_catalog_routes(std::vector<Route>& routes) {
  static const auto entry =
      open_object("CatalogEntry", {required("provider", any_text()), required("modelName", any_text()),
                                   required("entry", row_schema()), required("held", nullable(row_schema())),
                                   required("rejected", nullable(row_schema())), required("gone", boolean())});
  static const auto page = schemas::page_of(entry);
  static const auto entries = entries_input();
  static const auto import = import_input();
  static const auto scores = scores_input();
  static const auto models =
      open_object("ModelsChanged", {required("models", described(integer(0), "How many models changed.")),
                                    optional("unknownModels", list_of(any_text(), 1'000'000))});

  auto list = route("GET", "/v1/catalogs/{catalog}/entries", "catalogs.entries",
                    "Lists what is kept of a catalogue: litellm, models-dev, openrouter or ollama.", list_entries);
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);
  auto apply =
      route("POST", "/v1/catalogs/{catalog}:apply", "catalogs.apply",
            "Writes entries of a catalogue, and puts them into the models that they are about.", apply_entries);
  apply.idempotent_by_key = true;
  apply.body = &entries;
  apply.reply = &models;
  routes.push_back(apply);
  auto record = route("POST", "/v1/catalogs/{catalog}/imports", "catalogs.record",
                      "Keeps the counts of an import of a catalogue.", record_import);
  record.idempotent_by_key = true;
  record.body = &import;
  record.status = 204;
  routes.push_back(record);
  auto names = route("POST", "/v1/catalogs:infer", "catalogs.infer",
                     "Puts what follows from the names of models into them, by the rules of this version.", infer);
  names.reply = &models;
  routes.push_back(names);
  auto quality =
      route("POST", "/v1/quality-scores", "quality_scores.set",
            "Sets quality scores of the platform's models, and names the models that there are not.", set_scores);
  quality.idempotent_by_key = true;
  quality.body = &scores;
  quality.reply = &models;
  routes.push_back(quality);
}

}  // namespace tokenrail::registry_api
