// Sources of bytes that know nothing of an API: a fixed body, and faults at a byte of another source.
#include <utility>

#include "tests/simulator/answer.hpp"

namespace tokenrail::simulator {

namespace {

using std::chrono::milliseconds;
using Then = Step::Then;

/// Cuts another source's bytes at a place, or sends them one by one.
class ByteFaults final : public AnswerSource {
 public:
  ByteFaults(std::unique_ptr<AnswerSource> source, const Behaviour& behaviour)
      : source_(std::move(source)), fault_(behaviour.fault), at_(static_cast<std::size_t>(behaviour.fault_at)) {}

  void next(Step& step) override {
    if (fault_ == Fault::drip) return drip(step);
    source_->next(step);
    sent_ += step.bytes.size();
    if (sent_ < at_ && step.then == Then::more) return;
    // A body that is shorter breaks off at its end.
    if (sent_ > at_) step.bytes.resize(step.bytes.size() - (sent_ - at_));
    step.stamp_at = 0;
    step.text.clear();
    step.tokens = 0;
    step.fault = true;
    step.then = end_of(fault_);
  }

 private:
  void drip(Step& step) {
    if (dripped_ >= held_.bytes.size()) {
      source_->next(held_);
      dripped_ = 0;
    }
    step = {};
    step.fault = true;
    step.wait = milliseconds(fault_ == Fault::drip ? static_cast<int>(at_) : 0);
    if (dripped_ == 0) {
      step.wait += held_.wait;
      step.text = held_.text;
      step.tokens = held_.tokens;
    }
    if (!held_.bytes.empty()) step.bytes = held_.bytes.substr(dripped_++, 1);
    if (dripped_ >= held_.bytes.size()) step.then = held_.then;
  }

  std::unique_ptr<AnswerSource> source_;
  const Fault fault_;
  const std::size_t at_;
  std::size_t sent_ = 0;
  Step held_{};
  std::size_t dripped_ = 0;
};

class BodySource final : public AnswerSource {
 public:
  BodySource(std::string body, bool lines, Behaviour behaviour)
      : body_(std::move(body)), lines_(lines), behaviour_(std::move(behaviour)) {}

  void next(Step& step) override {
    step = {};
    if (at_ == 0) step.wait = behaviour_.first;
    if (at_ > 0) step.wait = behaviour_.pace_min;
    switch (behaviour_.fault) {
      case Fault::reset:
      case Fault::close:
      case Fault::eof:
      case Fault::hang:
      case Fault::malformed:
        step.bytes = body_.substr(0, body_.size() / 2);
        step.fault = true;
        step.then = end_of(behaviour_.fault);
        return;
      default:
        break;
    }
    auto end = body_.size();
    if (lines_) {
      if (const auto line_end = body_.find('\n', at_); line_end != std::string::npos) end = line_end + 1;
    }
    step.bytes = body_.substr(at_, end - at_);
    at_ = end;
    if (at_ >= body_.size()) step.then = Then::complete;
  }

 private:
  std::string body_;
  bool lines_;
  Behaviour behaviour_;
  std::size_t at_ = 0;
};

}  // namespace

Then end_of(Fault fault) {
  switch (fault) {
    case Fault::reset:
    case Fault::reset_at:
      return Then::reset;
    case Fault::close:
    case Fault::close_at:
      return Then::close;
    case Fault::hang:
    case Fault::hang_at:
      return Then::hang;
    default:
      return Then::complete;
  }
}

std::unique_ptr<AnswerSource> with_byte_faults(std::unique_ptr<AnswerSource> source, const Behaviour& behaviour) {
  switch (behaviour.fault) {
    case Fault::hang_at:
    case Fault::reset_at:
    case Fault::close_at:
    case Fault::eof_at:
    case Fault::drip:
      return std::make_unique<ByteFaults>(std::move(source), behaviour);
    default:
      return source;
  }
}

std::unique_ptr<AnswerSource> make_body_source(std::string body, bool lines, Behaviour behaviour) {
  return std::make_unique<BodySource>(std::move(body), lines, std::move(behaviour));
}

}  // namespace tokenrail::simulator
