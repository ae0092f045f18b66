// /v1/orgs/{org}/models: what an organisation sees, field by field its own row over the platform's. A model is named by
// its id, its slug, or provider/name, encoded (ollama%2Fllama3).
#include <algorithm>
#include <array>

#include "common/registry/governed_models.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Models;
using Type = QueryParameter::Type;

constexpr std::array filter_parameters{
    QueryParameter{.name = "kind", .description = "generation, embedding, rerank, …"},
    QueryParameter{.name = "provider", .description = "Slug of a provider, such as ollama."},
    QueryParameter{.name = "status",
                   .type = Type::choice,
                   .description = "What follows from all that is known of the model.",
                   .choices = "active|disabled|blocked|maintenance|retired|missing|unserved"},
    QueryParameter{.name = "capability",
                   .description = "A capability that the model is known to have; repeated: all of them.",
                   .repeated = true},
    QueryParameter{.name = "tag", .description = "A tag; repeated: all of them.", .repeated = true},
    QueryParameter{.name = "scope",
                   .type = Type::choice,
                   .description = "Only the platform's models, or only those with a row of the organisation's own.",
                   .choices = "platform|organization"},
    QueryParameter{.name = "q", .description = "Part of the slug or the display name, whatever the case."},
    QueryParameter{.name = "hidden", .type = Type::boolean, .description = "false: without hidden models."},
    QueryParameter{.name = "free",
                   .type = Type::boolean,
                   .description = "true: models whose prices are all known and 0; false: those with one above 0."},
    QueryParameter{.name = "context_min",
                   .type = Type::integer,
                   .description = "Tokens; models whose context window is unknown are left out."},
    QueryParameter{.name = "view", .description = "Name of a saved view: only the models that it shows."},
    QueryParameter{.name = "order_by",
                   .type = Type::choice,
                   .description = "name (the default), updated (latest first) or context (largest first).",
                   .choices = "name|updated|context"},
    owner_parameter,
    fields_parameter,
};

registry::ModelOrder order_of(std::string_view text) {
  if (text == "updated") return registry::ModelOrder::updated;
  return text == "context" ? registry::ModelOrder::context : registry::ModelOrder::name;
}

awaitable<Answer> list_models(Call& call) {
  registry::ModelFilter filter{.kind = call.query.text("kind").value_or(""),
                               .provider = call.query.text("provider").value_or(""),
                               .status = call.query.text("status").value_or(""),
                               .capabilities = call.query.texts("capability"),
                               .tags = call.query.texts("tag"),
                               .scope = call.query.text("scope").value_or(""),
                               .search = call.query.text("q").value_or(""),
                               .hidden = call.query.boolean("hidden").value_or(true),
                               .free = call.query.boolean("free"),
                               .context_min = call.query.integer("context_min"),
                               .view = call.query.text("view").value_or("")};
  return answer_page(call, [actor = call.actor(), scope = call.scope(), filter = std::move(filter),
                            order = order_of(call.query.text("order_by").value_or(""))](
                               GovernedDatabase& database, const registry::PageRequest& page) {
    return Models(database).list(actor, scope, filter, page, order);
  });
}

awaitable<Answer> get_model(Call& call) {
  return answer_document(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database) {
        return Models(database).get(actor, scope, id);
      },
      Kind::model);
}

/// What a creation was refused for: a conflict is a name that is taken, and what it names has to be there.
Problem creation_problem(const Error& error) {
  auto problem = as(problem_of(error), Fault::conflict, Fault::already_exists);
  if (problem.fault == Fault::not_found || problem.fault == Fault::invalid_value)
    problem.fault = Fault::invalid_model_config;
  return problem;
}

awaitable<Answer> create_model(Call& call) {
  const auto made = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), fields = call.body.write()](GovernedDatabase& database) {
        return Models(database).create(actor, scope, fields);
      });
  if (!made) co_return std::unexpected(creation_problem(made.error()));
  co_return created_reply(location_of(call, "models", made->id), made->version, made->json);
}

awaitable<Answer> change_model(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const bool whole_maps = call.query.text("maps") == "replace";
  const auto changed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], match = *match, patch = call.body.write(),
       whole_maps](GovernedDatabase& database) {
        Models models(database);
        return write_if_matching(
            match, Kind::model, [&] { return models.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) {
              return whole_maps ? models.replace(actor, scope, id, patch, expected)
                                : models.change(actor, scope, id, patch, expected);
            });
      });
  if (!changed) co_return std::unexpected(changed.error());
  co_return versioned_reply(call, changed->version, changed->json);
}

/// A replacement as a patch: what it does not name is cleared.
std::string replacement_patch(const Json& body) {
  Json::Object patch;
  for (const auto& property : schemas::model_patch().properties) {
    const auto* given = body.find(property.name);
    patch.push_back({.name = property.name, .value = given == nullptr ? Json() : *given});
  }
  // Deployments that registry-sync found stay, unless others are named.
  if (body.find("deployments") == nullptr)
    std::erase_if(patch, [](const JsonMember& member) { return member.name == "deployments"; });
  return Json(std::move(patch)).write();
}

struct Replaced {
  registry::Document document;
  bool created = false;
};

/// PUT by natural key: the model becomes what the body says, whether it was there or not.
awaitable<Answer> replace_model(Call& call) {
  const auto& id = call.path["model"];
  const auto slash = id.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == id.size())
    co_return refuse(Fault::invalid_path, "PUT names a model by provider/name, encoded: ollama%2Fllama3.");
  const auto provider = id.substr(0, slash);
  const auto name = id.substr(slash + 1);
  const bool other_provider = call.body.text_of("provider").value_or(provider) != provider;
  if (other_provider || call.body.text_of("modelName").value_or(name) != name)
    co_return refuse(Fault::invalid_value, "The body names another provider or model than the path.");
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());

  auto fields = call.body;
  fields = merge_patch(std::move(fields), Json(Json::Object{{"provider", Json(provider)}, {"modelName", Json(name)}}));
  auto replaced = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id, match = *match, fields = fields.write(),
       patch = replacement_patch(call.body)](GovernedDatabase& database) -> std::expected<Replaced, Problem> {
        Models models(database);
        auto now = models.get(actor, scope, id);
        if (!now && now.error().kind == ErrorKind::not_found) {
          if (auto failed = match.check(std::nullopt)) return std::unexpected(std::move(*failed));
          auto made = models.create(actor, scope, fields);
          if (!made && match.absent() && made.error().kind == ErrorKind::conflict) {
            now = models.get(actor, scope, id);
            if (now) return std::unexpected(precondition_failed(now->version));
          }
          if (!made) return std::unexpected(creation_problem(made.error()));
          return Replaced{.document = std::move(*made), .created = true};
        }
        if (!now) return std::unexpected(problem_of(now.error(), Kind::model));
        if (match.absent()) return std::unexpected(precondition_failed(now->version));
        auto changed = write_if_matching(
            match, Kind::model, [&] { return models.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) { return models.replace(actor, scope, id, patch, expected); });
        if (!changed) return std::unexpected(std::move(changed.error()));
        return Replaced{.document = std::move(*changed)};
      });
  if (!replaced) co_return std::unexpected(std::move(replaced.error()));
  const auto& document = replaced->document;
  if (replaced->created)
    co_return created_reply(location_of(call, "models", document.id), document.version, document.json);
  co_return versioned_reply(call, document.version, document.json);
}

awaitable<Answer> delete_model(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], match = *match,
       force = call.query.boolean("force").value_or(false)](GovernedDatabase& database) {
        Models models(database);
        return write_if_matching(
            match, Kind::model, [&] { return models.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) { return models.remove(actor, scope, id, force, expected); });
      });
  if (!removed) co_return std::unexpected(as(removed.error(), Fault::conflict, Fault::in_use));
  co_return no_content();
}

awaitable<Answer> model_statistics(Call& call) {
  return answer_document(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database) {
    return Models(database).statistics(actor, scope);
  });
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Handler handler) {
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = method == "GET" ? "org:models:read" : "org:models:write",
          .tag = "models",
          .handler = handler};
}

}  // namespace

void add_model_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::model());
  static constexpr std::array reads{owner_parameter, fields_parameter};
  static constexpr std::array writes{owner_parameter};
  static constexpr std::array changes{
      owner_parameter,
      QueryParameter{.name = "maps",
                     .type = Type::choice,
                     .description =
                         "merge (the default): capabilities and metadata are merged into those that are there; "
                         "replace: they become what the body says.",
                     .choices = "merge|replace"}};
  static constexpr std::array deletes{owner_parameter, force_parameter};

  auto list =
      route("GET", "/v1/orgs/{org}/models", "models.list", "Lists the models that the organisation sees.", list_models);
  list.query = filter_parameters;
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);

  auto create =
      route("POST", "/v1/orgs/{org}/models", "models.create", "Creates a model that no provider lists.", create_model);
  create.query = writes;
  create.idempotent_by_key = true;
  create.body = &schemas::model_input();
  create.reply = &schemas::model();
  create.status = 201;
  routes.push_back(create);

  auto get = route("GET", "/v1/orgs/{org}/models/{model}", "models.get", "Reads a model.", get_model);
  get.query = reads;
  get.conditional = true;
  get.reply = &schemas::model();
  routes.push_back(get);

  auto replace =
      route("PUT", "/v1/orgs/{org}/models/{model}", "models.replace",
            "Makes the model provider/name be what the body says; what the body lacks is cleared.", replace_model);
  replace.query = writes;
  replace.conditional = true;
  replace.takes_absent = true;
  replace.body = &schemas::model_replacement();
  replace.may_create = true;
  replace.reply = &schemas::model();
  routes.push_back(replace);

  auto change = route("PATCH", "/v1/orgs/{org}/models/{model}", "models.change",
                      "Changes a model; null gives a field back to the provider or the platform.", change_model);
  change.query = changes;
  change.conditional = true;
  change.body = &schemas::model_patch();
  change.reply = &schemas::model();
  routes.push_back(change);

  auto remove = route("DELETE", "/v1/orgs/{org}/models/{model}", "models.delete",
                      "Deletes the organisation's own row: a model, or what it set over the platform's.", delete_model);
  remove.query = deletes;
  remove.conditional = true;
  remove.status = 204;
  routes.push_back(remove);

  auto stats = route("GET", "/v1/orgs/{org}/stats", "models.stats", "Counts models by provider, kind and status.",
                     model_statistics);
  stats.query = writes;
  stats.reply = &schemas::statistics();
  routes.push_back(stats);
}

}  // namespace tokenrail::registry_api
