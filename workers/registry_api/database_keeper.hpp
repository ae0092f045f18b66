// Answers to requests with an Idempotency-Key, kept in the database, so that every process of the API knows them.
#pragma once

#include <string>

#include "workers/registry_api/answer_keeper.hpp"
#include "workers/registry_api/database_pool.hpp"

namespace tokenrail::registry_api {

class DatabaseKeeper final : public AnswerKeeper {
 public:
  explicit DatabaseKeeper(DatabasePool& database) : database_(database) {}

  boost::asio::awaitable<Result<KeyClaim>> claim(registry::Actor actor, std::string key,
                                                 std::string fingerprint) override;
  boost::asio::awaitable<Result<void>> finish(registry::Actor actor, std::string key, http::Reply reply) override;
  boost::asio::awaitable<Result<void>> abandon(registry::Actor actor, std::string key) override;

 private:
  DatabasePool& database_;
};

/// Headers as a JSON object, and back. Pure.
[[nodiscard]] std::string headers_as_json(const std::vector<http::Field>& headers);
[[nodiscard]] std::vector<http::Field> headers_from_json(const std::string& json);

}  // namespace tokenrail::registry_api
