#include "workers/router/core/continuation.hpp"

#include <algorithm>
#include <utility>

#include "common/release.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

constexpr std::string_view blanks = " \t\r\n";
// A word or two may come again by chance.
constexpr std::size_t telling_bytes = 8;
// A continuation that begins with so many bytes of the answer's beginning is one that begins again.
constexpr std::size_t repetition_bytes_max = 64;

}  // namespace

std::size_t Continuation::held_bytes() const {
  return held_by(text_);
}

void Continuation::release_text() {
  release(text_);
}

bool Continuation::go_on() {
  const auto end = text_.find_last_not_of(blanks);
  prefix_ = text_.substr(0, end == std::string::npos ? 0 : end + 1);
  if (prefix_.empty()) return false;
  repeated_ = text_.substr(prefix_.size());
  repeated_seen_ = 0;
  ++count_;
  return true;
}

void Continuation::call_begins() {
  proven_ = prefix_.empty() || text_.size() < telling_bytes;
  unproven_.clear();
}

Continuation::Verdict Continuation::judge(std::string_view text) {
  unproven_ += text;
  const auto most = std::min(text_.size(), repetition_bytes_max);
  const auto compared = std::min(unproven_.size(), most);
  if (unproven_.compare(0, compared, text_, 0, compared) != 0) return Verdict::goes_on;
  return compared == most ? Verdict::begins_again : Verdict::unknown;
}

std::string Continuation::take_unproven() {
  if (std::exchange(proven_, true)) return {};
  return std::exchange(unproven_, {});
}

void Continuation::begins_again(const std::string& deployment_id) {
  begin_again_.push_back(deployment_id);
  unproven_.clear();
}

bool Continuation::has_begun_again(const std::string& deployment_id) const {
  return std::ranges::find(begin_again_, deployment_id) != begin_again_.end();
}

std::string_view Continuation::without_repetition(std::string_view text) {
  if (planted(Bug::repeats_blanks)) return text;
  while (repeated_seen_ < repeated_.size() && !text.empty() && text.front() == repeated_[repeated_seen_]) {
    ++repeated_seen_;
    text.remove_prefix(1);
  }
  if (!text.empty()) repeated_seen_ = repeated_.size();
  return text;
}

}  // namespace tokenrail::router
