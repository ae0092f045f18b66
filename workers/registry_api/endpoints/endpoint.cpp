#include "workers/registry_api/endpoints/endpoint.hpp"

#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "common/url.hpp"

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

std::optional<Problem> check_base_url(const Json& body) {
  const auto url = body.text_of("baseUrl");
  if (!url) return std::nullopt;
  const auto parts = split_url(*url);
  const auto wrong = [](std::string detail) {
    return Problem{.fault = Fault::invalid_body,
                   .detail = "/baseUrl " + detail + ".",
                   .errors = {{.pointer = "/baseUrl", .detail = detail}}};
  };
  if ((parts.scheme != "http" && parts.scheme != "https") || parts.host_port.empty())
    return wrong("must begin with http:// or https:// and a host");
  if (!parts.userinfo.empty()) return wrong("must not hold a user or a password; use a credential");
  if (parts.rest.find_first_of("?#") != std::string_view::npos) return wrong("must not hold a query or a fragment");
  return std::nullopt;
}

}  // namespace tokenrail::registry_api
