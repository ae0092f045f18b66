// An issuer's key endpoint that answers when the test says so, behind the interface of the HTTP client.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "common/http/client.hpp"

namespace tokenrail::auth::testing {

class FakeIssuer final : public http::Client {
 public:
  http::TransferId start(http::Request request, http::Clocks with, http::Limits within,
                         http::Listener& listener) override {
    last_request = std::move(request);
    clocks = with;
    limits = within;
    const auto id = static_cast<http::TransferId>(++fetches);
    running_[id] = &listener;
    return id;
  }
  void cancel(http::TransferId id) override { running_.erase(id); }
  void resume(http::TransferId) override {}
  [[nodiscard]] std::size_t transfers() const override { return running_.size(); }

  /// Ends the oldest fetch.
  void answer(const std::string& body, int status = 200) {
    auto& listener = take();
    listener.on_head({.status = status});
    listener.on_body(body);
    listener.on_end({.ending = http::Ending::complete, .detail = {}});
  }
  void fail(http::Ending ending, const std::string& detail) { take().on_end({.ending = ending, .detail = detail}); }

  unsigned fetches = 0;
  http::Request last_request{};
  http::Clocks clocks{};
  http::Limits limits{};

 private:
  http::Listener& take() {
    auto* const listener = running_.begin()->second;
    running_.erase(running_.begin());
    return *listener;
  }
  std::map<http::TransferId, http::Listener*> running_;
};

}  // namespace tokenrail::auth::testing
