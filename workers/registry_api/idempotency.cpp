#include "workers/registry_api/idempotency.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t key_bytes_max = 255;

}  // namespace

std::expected<std::optional<std::string>, Problem> idempotency_key(std::optional<std::string_view> header) {
  if (!header) return std::nullopt;
  auto key = *header;
  // The draft makes it a structured string; most clients send it bare.
  if (key.size() >= 2 && key.starts_with('"') && key.ends_with('"')) key = key.substr(1, key.size() - 2);
  const bool clean = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7F && c != '"'; });
  if (key.empty() || key.size() > key_bytes_max || !clean) {
    return refuse(Fault::invalid_header,
                  fmt::format("The header Idempotency-Key must be 1 to {} visible ASCII characters. A UUID fits.",
                              key_bytes_max));
  }
  return std::string(key);
}

std::string request_fingerprint(std::string_view method, std::string_view path, std::string_view query,
                                std::string_view canonical_body) {
  // Each part with its length: no two requests give the same text.
  return crypto::sha256_hex(fmt::format("{} {}\n{} {}\n{} {}\n{}", method.size(), method, path.size(), path,
                                        query.size(), query, canonical_body));
}

bool worth_storing(int status) {
  return status < 500 && status != 401 && status != 403 && status != 409 && status != 412 && status != 429;
}

}  // namespace tokenrail::registry_api
