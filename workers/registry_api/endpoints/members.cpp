// /v1/orgs/{org}/members: who belongs to an organisation, and in which role.
#include "common/registry/organizations.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Organizations;

awaitable<Answer> list_members(Call& call) {
  return answer_page(
      call, [actor = call.actor(), org = call.org()](GovernedDatabase& database, const registry::PageRequest& page) {
        return Organizations(database).members(actor, org, page);
      });
}

awaitable<Answer> set_member(Call& call) {
  Organizations::Member member{.issuer = *call.body.text_of("issuer"),
                               .subject = *call.body.text_of("subject"),
                               .role = *call.body.text_of("role"),
                               .display_name = call.body.text_of("displayName").value_or(""),
                               .denied = call.body.texts_of("denied")};
  for (std::size_t i = 0; i < member.denied.size(); ++i) {
    if (auth::permission_of(member.denied[i])) continue;
    co_return std::unexpected(
        Problem{.fault = Fault::invalid_body,
                .detail = "A permission that is to be denied is not known.",
                .errors = {{.pointer = "/denied/" + std::to_string(i), .detail = "is no permission"}}});
  }
  co_return co_await answer_document(
      call, [actor = call.actor(), org = call.org(), member = std::move(member)](GovernedDatabase& database) {
        return Organizations(database).set_member(actor, org, member);
      });
}

awaitable<Answer> remove_member(Call& call) {
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), member = call.path["member"]](GovernedDatabase& database) {
        return Organizations(database).remove_member(actor, org, member);
      });
  if (!removed) co_return std::unexpected(problem_of(removed.error()));
  co_return no_content();
}

}  // namespace

void add_member_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::member());
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/members",
                    .operation = "members.list",
                    .summary = "Lists the members of an organisation.",
                    .permission = "org:members:read",
                    .paged = true,
                    .reply = &page,
                    .tag = "members",
                    .handler = list_members});
  routes.push_back({.method = "PUT",
                    .pattern = "/v1/orgs/{org}/members",
                    .operation = "members.set",
                    .summary = "Adds a member, or gives one another role.",
                    .permission = "org:members:write",
                    .body = &schemas::member_input(),
                    .reply = &schemas::member(),
                    .tag = "members",
                    .handler = set_member});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/members/{member}",
                    .operation = "members.remove",
                    .summary = "Removes a member, and what the member owns here.",
                    .permission = "org:members:write",
                    .status = 204,
                    .tag = "members",
                    .handler = remove_member});
}

}  // namespace tokenrail::registry_api
