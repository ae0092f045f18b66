// What providers said, as it came: …/connections/{connection}/lists, and …/models/{model}/answers.
#include "common/registry/provider_answers.hpp"

#include <array>
#include <utility>

#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ProviderAnswers;

constexpr std::int64_t connections_max = 10'000;

awaitable<Answer> list_lists(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope(), connection = call.path["connection"]](
                               GovernedDatabase& database, const registry::PageRequest& page) {
    return ProviderAnswers(database).lists(actor, scope, connection, page);
  });
}

awaitable<Answer> get_list(Call& call) {
  return answer_document(
      call, [actor = call.actor(), scope = call.scope(), connection = call.path["connection"], id = call.path["list"]](
                GovernedDatabase& database) { return ProviderAnswers(database).list(actor, scope, connection, id); });
}

awaitable<Answer> get_answers(Call& call) {
  return answer_document(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database) {
        return ProviderAnswers(database).of_model(actor, scope, id);
      },
      Kind::model);
}

Schema list_schema(bool with_body) {
  std::vector<Property> properties{required("id", described(text(), "SHA-256 of the list.")),
                                   required("fetchedAt", date_time())};
  if (with_body)
    properties.push_back(required("body", described(Schema{.type = Schema::Type::text},
                                                    "The text that the provider sent. Where the list has "
                                                    "several pages, one a line.")));
  return open_object(with_body ? "ProviderList" : "ProviderListEntry", std::move(properties));
}

const Schema& answers_schema() {
  static const auto schema = [] {
    const auto answer =
        open_object("ProviderAnswer", {required("connection", text()), required("connectionId", text()),
                                       required("upstreamName", text()), required("answeredAt", date_time()),
                                       optional("list", described(any_object(), "The model's entry of the list.")),
                                       optional("details", described(any_object(),
                                                                     "The answer to a question about "
                                                                     "the model, where it was asked."))});
    return open_object("ProviderAnswers",
                       {required("model", text()), required("answers", list_of(answer, connections_max))});
  }();
  return schema;
}

}  // namespace

void add_provider_answer_routes(std::vector<Route>& routes) {
  static constexpr std::array query{owner_parameter};
  static const auto page = schemas::page_of(list_schema(false));
  static const auto list = list_schema(true);
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/connections/{connection}/lists",
                    .operation = "connections.lists",
                    .summary = "Lists the last ten lists of models that the provider sent, newest first.",
                    .permission = "org:connections:read",
                    .query = query,
                    .paged = true,
                    .reply = &page,
                    .tag = "connections",
                    .handler = list_lists});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/connections/{connection}/lists/{list}",
                    .operation = "connections.list_text",
                    .summary = "Reads a provider's list of models as it came.",
                    .permission = "org:connections:read",
                    .query = query,
                    .reply = &list,
                    .tag = "connections",
                    .handler = get_list});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/models/{model}/answers",
                    .operation = "models.answers",
                    .summary = "Reads what each provider said of the model, as it came.",
                    .permission = "org:models:read",
                    .query = query,
                    .reply = &answers_schema(),
                    .tag = "models",
                    .handler = get_answers});
}

}  // namespace tokenrail::registry_api
