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

awaitable<Answer> get_member(Call& call) {
  return answer_document(
      call, [actor = call.actor(), org = call.org(), member = call.path["member"]](GovernedDatabase& database) {
        return Organizations(database).member(actor, org, member);
      });
}

awaitable<Answer> set_member(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
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
  const auto set = co_await call.context->database->run([actor = call.actor(), org = call.org(), match = *match,
                                                         member = std::move(member)](GovernedDatabase& database) {
    Organizations organizations(database);
    return set_if_matching(
        match, Kind::other, [&] { return organizations.member_named(actor, org, member.issuer, member.subject); },
        [&](std::optional<std::int64_t> expected) { return organizations.set_member(actor, org, member, expected); });
  });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

awaitable<Answer> remove_member(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run([actor = call.actor(), org = call.org(), match = *match,
                                                             member = call.path["member"]](GovernedDatabase& database) {
    Organizations organizations(database);
    return write_if_matching(
        match, Kind::other, [&] { return organizations.member(actor, org, member); },
        [&](std::optional<std::int64_t> expected) {
          return organizations.remove_member(actor, org, member, expected);
        });
  });
  if (!removed) co_return std::unexpected(removed.error());
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
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/members/{member}",
                    .operation = "members.get",
                    .summary = "Reads a member.",
                    .permission = "org:members:read",
                    .conditional = true,
                    .reply = &schemas::member(),
                    .tag = "members",
                    .handler = get_member});
  routes.push_back({.method = "PUT",
                    .pattern = "/v1/orgs/{org}/members",
                    .operation = "members.set",
                    .summary = "Adds a member, or gives one another role.",
                    .permission = "org:members:write",
                    .conditional = true,
                    .takes_absent = true,
                    .body = &schemas::member_input(),
                    .reply = &schemas::member(),
                    .tag = "members",
                    .handler = set_member});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/members/{member}",
                    .operation = "members.remove",
                    .summary = "Removes a member, and what the member owns here.",
                    .permission = "org:members:write",
                    .conditional = true,
                    .status = 204,
                    .tag = "members",
                    .handler = remove_member});
}

}  // namespace tokenrail::registry_api
