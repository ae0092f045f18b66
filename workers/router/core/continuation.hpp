// What is needed to continue an answer that broke off, where its sender asked for that (onInterrupt "continue"): the
// text that was published, what the next call is asked to go on from, and whether it goes on or begins again.
//
// Owned by its Attempt, which makes the calls and publishes the text. Never calls or writes anything itself. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::router {

class Continuation {
 public:
  /// That text of the answer has been published.
  void published(std::string_view text) { text_.append(text); }
  [[nodiscard]] bool has_text() const { return !text_.empty(); }
  [[nodiscard]] std::size_t text_bytes() const { return text_.size(); }
  /// Memory that the text takes.
  [[nodiscard]] std::size_t held_bytes() const;
  void release_text();

  /// The next call goes on from the published text. Providers refuse a prefill that ends in blanks, so these are left
  /// out of it. False: nothing is left then, and no call can go on.
  [[nodiscard]] bool go_on();
  /// How many calls went on from published text.
  [[nodiscard]] int count() const { return count_; }
  /// The text that the call goes on from; empty: it answers from the beginning.
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

  /// A call begins.
  void call_begins();
  /// The text of the call goes on from the prefix. Until that is known, judge() has to be asked.
  [[nodiscard]] bool proven() const { return proven_; }
  enum class Verdict { unknown, goes_on, begins_again };
  /// More text of a call that is not proven. The text is kept until the verdict.
  [[nodiscard]] Verdict judge(std::string_view text);
  /// The call counts as proven. Returns the text that was kept.
  [[nodiscard]] std::string take_unproven();
  /// That deployment begins again instead of going on. The text that was kept is dropped.
  void begins_again(const std::string& deployment_id);
  [[nodiscard]] bool has_begun_again(const std::string& deployment_id) const;

  /// Of a call's text, without the blanks that were published behind the prefix already.
  [[nodiscard]] std::string_view without_repetition(std::string_view text);

 private:
  std::string text_{};             ///< all of it, as published
  std::string prefix_{};           ///< of the call that continues
  std::string repeated_{};         ///< published behind the prefix; the continuation may begin with it
  std::size_t repeated_seen_ = 0;  ///< bytes of repeated_ that it began with, or all that is not looked for any more
  int count_ = 0;
  /// Of a call that continues: its first text, as long as it is the beginning of the whole answer once more.
  std::string unproven_{};
  bool proven_ = true;
  std::vector<std::string> begin_again_{};  ///< deployments that were seen to begin again
};

}  // namespace tokenrail::router
