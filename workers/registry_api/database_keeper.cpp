#include "workers/registry_api/database_keeper.hpp"

#include <utility>

#include "common/events/json_writer.hpp"
#include "common/registry/governance_log.hpp"
#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernanceLog;
using registry::GovernedDatabase;

KeyClaim::State state_of(GovernanceLog::Claimed outcome) {
  switch (outcome) {
    case GovernanceLog::Claimed::fresh:
      return KeyClaim::State::fresh;
    case GovernanceLog::Claimed::replayed:
      return KeyClaim::State::replayed;
    case GovernanceLog::Claimed::in_flight:
      return KeyClaim::State::in_flight;
    case GovernanceLog::Claimed::mismatch:
      return KeyClaim::State::mismatch;
  }
  return KeyClaim::State::in_flight;
}

}  // namespace

std::string headers_as_json(const std::vector<http::Field>& headers) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  for (const auto& header : headers) json.field(header.name, header.value);
  json.end_object();
  return out;
}

std::vector<http::Field> headers_from_json(const std::string& json) {
  std::vector<http::Field> headers;
  const auto value = parse_json(json);
  if (!value || value->object() == nullptr) return headers;
  for (const auto& member : *value->object())
    if (const auto* text = member.value.text()) headers.push_back({.name = member.name, .value = *text});
  return headers;
}

awaitable<Result<KeyClaim>> DatabaseKeeper::claim(registry::Actor actor, std::string key, std::string fingerprint) {
  const auto claimed = co_await database_.run([actor = std::move(actor), key = std::move(key),
                                               fingerprint = std::move(fingerprint)](GovernedDatabase& database) {
    return GovernanceLog(database).claim(actor, key, fingerprint);
  });
  if (!claimed) co_return std::unexpected(claimed.error());
  co_return KeyClaim{.state = state_of(claimed->outcome),
                     .reply = {.status = static_cast<int>(claimed->answer.status),
                               .headers = headers_from_json(claimed->answer.headers),
                               .body = claimed->answer.body}};
}

awaitable<Result<void>> DatabaseKeeper::finish(registry::Actor actor, std::string key, http::Reply reply) {
  GovernanceLog::StoredAnswer answer{
      .status = reply.status, .headers = headers_as_json(reply.headers), .body = std::move(reply.body)};
  co_return co_await database_.run(
      [actor = std::move(actor), key = std::move(key), answer = std::move(answer)](GovernedDatabase& database) {
        return GovernanceLog(database).finish(actor, key, answer);
      });
}

awaitable<Result<void>> DatabaseKeeper::abandon(registry::Actor actor, std::string key) {
  co_return co_await database_.run([actor = std::move(actor), key = std::move(key)](GovernedDatabase& database) {
    return GovernanceLog(database).abandon(actor, key);
  });
}

}  // namespace tokenrail::registry_api
