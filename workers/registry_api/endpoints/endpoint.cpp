#include "workers/registry_api/endpoints/endpoint.hpp"

#include <chrono>
#include <vector>

#include <fmt/format.h>

namespace tokenrail::registry_api {

Problem problem_of(const Error& error, Kind kind) {
  auto problem = registry_api::problem_of(error);
  if (kind != Kind::model) return problem;
  if (problem.fault == Fault::not_found) problem.fault = Fault::model_not_found;
  if (problem.fault == Fault::invalid_value) problem.fault = Fault::invalid_model_config;
  return problem;
}

Problem as(Problem problem, Fault from, Fault to) {
  if (problem.fault == from) problem.fault = to;
  return problem;
}

registry::PageRequest page_request(const ListPage& page) {
  return {.count_max = page.size, .after = page.after};
}

Answer page_answer(const Call& call, const ListPage& page, const Result<registry::DocumentPage>& found, Kind kind) {
  if (!found) return std::unexpected(problem_of(found.error(), kind));
  std::vector<std::string> items;
  items.reserve(found->items.size());
  for (const auto& item : found->items) items.push_back(item.json);
  const auto next = found->next.empty() ? std::string() : call.context->page_tokens.issue(page.list, found->next);
  return json_reply(200, page_body(items, next, found->total));
}

Answer document_answer(const Call& call, const Result<registry::Document>& found, Kind kind) {
  if (!found) return std::unexpected(problem_of(found.error(), kind));
  // Version 0: what has no versions has no ETag.
  if (found->version == 0) return json_reply(200, found->json);
  return versioned_reply(call, found->version, found->json);
}

std::optional<std::int64_t> expiry_of(const Json& body) {
  const auto days = body.integer_of("expiresInDays");
  if (!days) return std::nullopt;
  const auto until = std::chrono::system_clock::now() + std::chrono::days(*days);
  return std::chrono::duration_cast<std::chrono::milliseconds>(until.time_since_epoch()).count();
}

std::string location_of(const Call& call, std::string_view collection, std::string_view id) {
  return fmt::format("/v1/orgs/{}/{}/{}", percent_encoded(call.path["org"]), collection, percent_encoded(id));
}

}  // namespace tokenrail::registry_api
