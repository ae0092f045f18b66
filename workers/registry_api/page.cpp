#include "workers/registry_api/page.hpp"

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t mac_bytes = 16;
constexpr std::size_t token_bytes_max = 2048;

}  // namespace

std::string PageTokens::mac(std::string_view list, std::string_view position) const {
  return crypto::hmac_sha256(key_, fmt::format("page 1\n{}\n{}\n{}", list.size(), list, position)).substr(0, mac_bytes);
}

std::string PageTokens::issue(std::string_view list, std::string_view position) const {
  return crypto::to_base64url(mac(list, position) + std::string(position));
}

std::optional<std::string> PageTokens::position_of(std::string_view token, std::string_view list) const {
  if (token.size() > token_bytes_max) return std::nullopt;
  const auto bytes = crypto::from_base64url(token);
  if (!bytes || bytes->size() <= mac_bytes) return std::nullopt;
  auto position = bytes->substr(mac_bytes);
  if (!crypto::equal_in_constant_time(std::string_view(*bytes).substr(0, mac_bytes), mac(list, position)))
    return std::nullopt;
  return position;
}

std::expected<ListPage, Problem> PageTokens::request(const Query& query, std::string_view list) const {
  ListPage page;
  if (const auto size = query.integer("page_size")) {
    if (*size < 1) return refuse(Fault::invalid_query, "The query parameter 'page_size' must be at least 1.");
    page.size = std::min(*size, page_size_max);
  }
  page.list = fmt::format("{}?{}", list, query.filter());
  const auto token = query.text("page_token");
  if (token && !token->empty()) {
    auto position = position_of(*token, page.list);
    if (!position)
      return refuse(Fault::invalid_page_token, "The page_token does not belong to a list with this filter and order.");
    page.after = std::move(*position);
  }
  return page;
}

std::string page_body(const std::vector<std::string>& items, std::string_view next_page_token,
                      std::optional<std::int64_t> total_size) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_array("data");
  for (const auto& item : items) json.raw_element(item);
  json.end_array();
  json.field("next_page_token", next_page_token);
  if (total_size) json.field("total_size", *total_size);
  json.end_object();
  return body;
}

}  // namespace tokenrail::registry_api
