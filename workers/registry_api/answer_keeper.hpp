// Where answers to requests with an Idempotency-Key are kept. Each actor has keys of its own in each organisation.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "common/http/server.hpp"
#include "common/registry/actor.hpp"
#include "common/result.hpp"

namespace tokenrail::registry_api {

struct KeyClaim {
  enum class State {
    fresh,      ///< the key is the caller's now, and the request is to be carried out
    replayed,   ///< it was carried out before: `reply` is its answer
    in_flight,  ///< it is being carried out
    mismatch,   ///< the key came with another request before
  };
  State state = State::fresh;
  http::Reply reply{};
};

class AnswerKeeper {
 public:
  virtual ~AnswerKeeper() = default;
  virtual boost::asio::awaitable<Result<KeyClaim>> claim(registry::Actor actor, std::string key,
                                                         std::string fingerprint) = 0;
  /// Keeps the answer of a fresh key, so that later requests get it.
  virtual boost::asio::awaitable<Result<void>> finish(registry::Actor actor, std::string key, http::Reply reply) = 0;
  /// The request of a fresh key had no answer worth keeping; the key is free again.
  virtual boost::asio::awaitable<Result<void>> abandon(registry::Actor actor, std::string key) = 0;
};

}  // namespace tokenrail::registry_api
