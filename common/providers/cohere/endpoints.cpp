#include "common/providers/cohere/endpoints.hpp"

#include <utility>

namespace tokenrail::providers::cohere {

std::string endpoint(std::string_view base_url, std::string_view path) {
  const auto trim = [&] {
    while (base_url.ends_with('/')) base_url.remove_suffix(1);
  };
  trim();
  if (base_url.ends_with("/v1") || base_url.ends_with("/v2")) base_url.remove_suffix(3);
  trim();
  return std::string(base_url) + std::string(path);
}

http::Request post(const Target& target, std::string_view path, std::string body) {
  http::Request request;
  request.method = "POST";
  request.url = endpoint(target.base_url, path);
  request.headers.push_back({.name = "Content-Type", .value = "application/json"});
  authorise(request, target.credential);
  request.body = std::move(body);
  return request;
}

}  // namespace tokenrail::providers::cohere
