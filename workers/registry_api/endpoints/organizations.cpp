// /v1/orgs: the organisations.
#include "common/registry/organizations.hpp"

#include <array>

#include "workers/registry_api/access.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Organizations;

awaitable<Answer> list_organizations(Call& call) {
  if (call.principal.platform_admin) {
    co_return co_await answer_page(
        call, [actor = call.actor()](GovernedDatabase& database, const registry::PageRequest& page) {
          return Organizations(database).list(actor, page);
        });
  }
  // A caller has few organisations, and each is read as a member of it: no page.
  const auto documents =
      co_await call.context->database->run([actor = call.actor(), roles = call.principal.roles](
                                               GovernedDatabase& database) -> Result<registry::DocumentPage> {
        registry::DocumentPage all;
        for (const auto& [org, role] : roles) {
          auto member = actor;
          member.scope.org_id = org;
          auto found = Organizations(database).get(member, org);
          if (!found && found.error().kind == ErrorKind::not_found) continue;
          if (!found) return std::unexpected(found.error());
          all.items.push_back(std::move(*found));
        }
        all.total = static_cast<std::int64_t>(all.items.size());
        return all;
      });
  co_return page_answer(call, {}, documents);
}

awaitable<Answer> create_organization(Call& call) {
  Organizations::New wanted{.id = *call.body.text_of("id"),
                            .slug = call.body.text_of("slug").value_or(""),
                            .display_name = call.body.text_of("displayName").value_or(""),
                            .mode = call.body.text_of("mode").value_or("open")};
  const auto made = co_await call.context->database->run(
      [actor = call.actor(), wanted = std::move(wanted)](GovernedDatabase& database) {
        return Organizations(database).create(actor, wanted);
      });
  if (!made) co_return std::unexpected(as(problem_of(made.error()), Fault::conflict, Fault::already_exists));
  co_return created_reply("/v1/orgs/" + percent_encoded(made->id), made->version, made->json);
}

/// The platform's scope is no organisation that can be read or changed.
std::optional<Problem> not_an_organization(const Call& call) {
  if (!call.org().empty()) return std::nullopt;
  return no_such_organisation(call.path["org"]);
}

awaitable<Answer> get_organization(Call& call) {
  if (auto refused = not_an_organization(call)) co_return std::unexpected(std::move(*refused));
  co_return co_await answer_document(call, [actor = call.actor(), org = call.org()](GovernedDatabase& database) {
    return Organizations(database).get(actor, org);
  });
}

awaitable<Answer> change_organization(Call& call) {
  if (auto refused = not_an_organization(call)) co_return std::unexpected(std::move(*refused));
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto changed = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), match = *match, patch = call.body.write()](GovernedDatabase& database) {
        Organizations organizations(database);
        return write_if_matching(
            match, Kind::other, [&] { return organizations.get(actor, org); },
            [&](std::optional<std::int64_t> expected) { return organizations.change(actor, org, patch, expected); });
      });
  if (!changed) co_return std::unexpected(changed.error());
  co_return versioned_reply(call, changed->version, changed->json);
}

awaitable<Answer> delete_organization(Call& call) {
  if (auto refused = not_an_organization(call)) co_return std::unexpected(std::move(*refused));
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), match = *match](GovernedDatabase& database) {
        Organizations organizations(database);
        return write_if_matching(
            match, Kind::other, [&] { return organizations.get(actor, org); },
            [&](std::optional<std::int64_t> expected) { return organizations.remove(actor, org, expected); });
      });
  if (!removed) co_return std::unexpected(as(removed.error(), Fault::conflict, Fault::in_use));
  co_return no_content();
}

}  // namespace

void add_organization_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::organization());
  static constexpr std::array query{fields_parameter};
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs",
                    .operation = "orgs.list",
                    .summary = "Lists the caller's organisations; for a platform administrator all of them.",
                    .access = Access::caller,
                    .query = query,
                    .paged = true,
                    .reply = &page,
                    .tag = "organisations",
                    .handler = list_organizations});
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs",
                    .operation = "orgs.create",
                    .summary = "Creates an organisation.",
                    .access = Access::platform,
                    .permission = "platform:orgs:write",
                    .idempotent_by_key = true,
                    .body = &schemas::organization_input(),
                    .reply = &schemas::organization(),
                    .status = 201,
                    .tag = "organisations",
                    .handler = create_organization});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}",
                    .operation = "orgs.get",
                    .summary = "Reads an organisation.",
                    .permission = "org:models:read",
                    .query = query,
                    .conditional = true,
                    .reply = &schemas::organization(),
                    .tag = "organisations",
                    .handler = get_organization});
  routes.push_back({.method = "PATCH",
                    .pattern = "/v1/orgs/{org}",
                    .operation = "orgs.change",
                    .summary = "Changes an organisation's settings.",
                    .permission = "org:settings:write",
                    .conditional = true,
                    .body = &schemas::organization_patch(),
                    .reply = &schemas::organization(),
                    .tag = "organisations",
                    .handler = change_organization});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}",
                    .operation = "orgs.delete",
                    .summary = "Deletes an organisation that has no models, connections and credentials left.",
                    .access = Access::platform,
                    .permission = "platform:orgs:write",
                    .conditional = true,
                    .status = 204,
                    .tag = "organisations",
                    .handler = delete_organization});
}

}  // namespace tokenrail::registry_api
