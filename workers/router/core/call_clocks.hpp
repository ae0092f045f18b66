// The clocks of an attempt's calls: since when it runs, when it last received a token, and when its next step is due.
//
// All times are steady. Owned by its Attempt, which reads the time and takes the steps. Never sets a timer itself.
// Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class CallClocks {
 public:
  /// How long the body of an error is waited for; its status has arrived already.
  static constexpr Millis refusal_wait{5'000};

  explicit CallClocks(Millis now) : attempt_began_(now) {}

  [[nodiscard]] Millis attempt_began() const { return attempt_began_; }
  /// Since the attempt began.
  [[nodiscard]] Millis running_for(Millis now) const { return now - attempt_began_; }
  /// From the attempt's beginning to its first token; nothing: none has come.
  [[nodiscard]] std::optional<Millis> first_token_after() const {
    return first_token_at_.transform([this](Millis at) { return at - attempt_began_; });
  }
  /// The tokens so far are of an answer that is dropped.
  void forget_first_token() { first_token_at_.reset(); }

  void call_begins(Millis now) {
    heard_at_ = now;
    token_in_call_ = false;
  }
  /// The transfer goes on after it was held up by this router.
  void resumed(Millis now) { heard_at_ = now; }
  /// The call began to answer with an error status.
  void refused(Millis now) { refused_at_ = now; }

  struct Token {
    bool first_of_attempt = false;
    bool first_of_call = false;
  };
  /// The bytes at hand hold a token. No hedge is due any more.
  Token token(Millis now) {
    heard_at_ = now;
    token_in_piece_ = true;
    hedge_at_ = Millis::max();
    const Token which{.first_of_attempt = !first_token_at_, .first_of_call = !std::exchange(token_in_call_, true)};
    if (which.first_of_attempt) first_token_at_ = now;
    return which;
  }
  /// The bytes at hand have been decoded.
  void bytes_decoded() { heard_since_token_ = !std::exchange(token_in_piece_, false); }

  /// Millis::max(): never.
  void hedge_at(Millis at) { hedge_at_ = at; }
  [[nodiscard]] bool hedge_is_due(Millis now) const { return now >= hedge_at_; }
  void retry_at(Millis at) { retry_at_ = at; }

  /// When an attempt that waits for its next call has something to do.
  [[nodiscard]] Millis wait_ends(Millis deadline) const { return std::min(retry_at_, deadline); }
  /// When the body of an error is not waited for any longer.
  [[nodiscard]] Millis refusal_ends() const { return refused_at_ + refusal_wait; }
  /// When a call that answers has something to do. `first_token_by`: until then the first token has to come.
  [[nodiscard]] Millis call_due(Millis first_token_by, Millis idle_timeout, Millis deadline) const {
    const auto quiet = token_in_call_ ? heard_at_ + idle_timeout : first_token_by;
    return std::min({quiet, deadline, hedge_at_});
  }

  /// What a call whose time ran out had sent.
  enum class Silence { no_token, fell_silent, kept_alive };
  [[nodiscard]] Silence silence() const {
    if (!token_in_call_) return Silence::no_token;
    return heard_since_token_ ? Silence::kept_alive : Silence::fell_silent;
  }

 private:
  Millis attempt_began_;
  Millis heard_at_{0};              ///< the last token, or the moment from which the next one is waited for
  bool token_in_piece_ = false;     ///< the bytes at hand held one
  bool token_in_call_ = false;      ///< the call that runs has delivered one
  bool heard_since_token_ = false;  ///< bytes came that held no token
  Millis refused_at_{0};
  Millis retry_at_{0};
  Millis hedge_at_ = Millis::max();
  std::optional<Millis> first_token_at_{};
};

}  // namespace tokenrail::router
