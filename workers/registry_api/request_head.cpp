#include "workers/registry_api/request_head.hpp"

#include <algorithm>

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t request_id_bytes_max = 128;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.:/+=").contains(c);
}

void add_if_absent(http::Reply& reply, std::string_view name, std::string_view value) {
  const auto wanted = lower(name);
  const bool there =
      std::ranges::any_of(reply.headers, [&](const http::Field& field) { return lower(field.name) == wanted; });
  if (!there) reply.headers.push_back({.name = std::string(name), .value = std::string(value)});
}

}  // namespace

std::optional<std::string> accepted_request_id(std::optional<std::string_view> header) {
  if (!header || header->empty() || header->size() > request_id_bytes_max) return std::nullopt;
  if (!std::ranges::all_of(*header, is_token_character)) return std::nullopt;
  return std::string(*header);
}

std::optional<Problem> check_content_type(std::optional<std::string_view> header, bool patch) {
  auto type = lower(header.value_or("").substr(0, header.value_or("").find(';')));
  while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
  if (type == "application/json" || (patch && type == "application/merge-patch+json")) return std::nullopt;
  return Problem{.fault = Fault::unsupported_media_type,
                 .detail = patch ? "The body must be application/merge-patch+json or application/json."
                                 : "The body must be application/json."};
}

void add_common_headers(http::Reply& reply, std::string_view request_id) {
  add_if_absent(reply, "X-Request-Id", request_id);
  add_if_absent(reply, "X-Content-Type-Options", "nosniff");
  add_if_absent(reply, "Cache-Control", "no-store");
  add_if_absent(reply, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

std::vector<http::Field> cors_headers(std::optional<std::string_view> origin, const std::vector<std::string>& allowed) {
  if (allowed.empty()) return {};
  std::vector<http::Field> headers{{.name = "Vary", .value = "Origin"}};
  if (!origin || std::ranges::find(allowed, *origin) == allowed.end()) return headers;
  headers.push_back({.name = "Access-Control-Allow-Origin", .value = std::string(*origin)});
  headers.push_back({.name = "Access-Control-Allow-Methods", .value = "GET, HEAD, POST, PUT, PATCH, DELETE"});
  headers.push_back({.name = "Access-Control-Allow-Headers",
                     .value = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id"});
  headers.push_back({.name = "Access-Control-Expose-Headers",
                     .value = "ETag, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
                              "X-Request-Id"});
  headers.push_back({.name = "Access-Control-Max-Age", .value = "600"});
  return headers;
}

}  // namespace tokenrail::registry_api
