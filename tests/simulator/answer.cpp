#include "tests/simulator/answer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tests/simulator/dialects/dialect.hpp"
#include "tests/simulator/words.hpp"

namespace tokenrail::simulator {

namespace {

using std::chrono::milliseconds;
using Then = Step::Then;

/// Whether an answer stops where that fault happens.
bool ends_early(Fault fault) {
  switch (fault) {
    case Fault::reset:
    case Fault::close:
    case Fault::eof:
    case Fault::error:
    case Fault::malformed:
    case Fault::hang:
      return true;
    default:
      return false;
  }
}

/// Frames end with an empty line, or are one line each.
void drop_last_frame(std::string& frames) {
  const auto content = frames.find_last_not_of("\r\n");
  const auto before = content == std::string::npos ? content : frames.rfind("\n\n", content);
  frames.resize(before == std::string::npos ? 0 : before + 2);
}

class ChatSource final : public AnswerSource {
 public:
  ChatSource(const Dialect& dialect, ChatCall call, Behaviour behaviour, CreatedAt created_at)
      : call_(std::move(call)),
        behaviour_(std::move(behaviour)),
        created_at_(std::move(created_at)),
        tokens_(call_, behaviour_),
        dialect_(dialect),
        random_(hash_of(call_.message) ^ behaviour_.seed) {
    thinking_ = behaviour_.thinking >= 0 ? behaviour_.thinking : (call_.think == 1 ? 4 : 0);
    if (call_.think == 0) thinking_ = 0;
    tool_ = behaviour_.tool == "auto" ? call_.first_tool : behaviour_.tool;
    calls_ = tool_.empty() ? 0 : behaviour_.tool_calls;
    before_first_ = behaviour_.first;
    call_.input_tokens = behaviour_.input_tokens >= 0
                             ? behaviour_.input_tokens
                             : std::max<std::int64_t>(1, static_cast<std::int64_t>(call_.request_bytes / 4));
    frames_ = dialect_.frames(call_, created_at_);
  }

  void next(Step& step) override {
    step = {};
    if (!call_.has_messages) {
      frames_->loaded(step.bytes);
      step.then = Then::complete;
      return;
    }
    if (!call_.stream) return whole(step);
    if (behaviour_.fault == Fault::newlines) {
      step.wait = milliseconds(behaviour_.fault_at);
      frames_->keepalive(step.bytes);
      step.fault = true;
      return;
    }
    if (waiting(step)) return;
    step.wait = sent_ == 0 && !started_ ? before_first_ : (sent_ > 0 ? pace() : milliseconds(0));
    if (!started_) frames_->begin(step.bytes);
    started_ = true;
    if (fault_is_due()) return break_off(step);
    garble(step);
    if (huge_left_ > 0 || (behaviour_.fault == Fault::huge_line && !huge_done_)) return huge(step);
    if (sent_ < thinking_) return think(step);
    if (const auto told = static_cast<std::size_t>(sent_ - thinking_);
        told < tokens_.count() || behaviour_.fault == Fault::endless) {
      return token(step);
    }
    if (called_ < calls_) return call_tool(step);
    if (breaks_off()) return break_off(step);  // an answer shorter than the fault's place breaks off before its end
    std::string end;
    frames_->end(end, ending());
    if (behaviour_.fault == Fault::no_end) {
      step.fault = true;
      drop_last_frame(end);
    }
    step.bytes += end;
    step.then = Then::complete;
  }

 private:
  /// Bytes that keep the connection alive while the model is loading.
  bool waiting(Step& step) {
    if (started_ || behaviour_.keepalive.count() <= 0 || before_first_ <= behaviour_.keepalive) return false;
    step.wait = behaviour_.keepalive;
    frames_->keepalive(step.bytes);
    before_first_ -= behaviour_.keepalive;
    return true;
  }

  milliseconds pace() {
    const auto range = static_cast<std::uint64_t>((behaviour_.pace_max - behaviour_.pace_min).count());
    random_ += golden;
    return behaviour_.pace_min + milliseconds(range == 0 ? 0 : mixed(random_) % (range + 1));
  }

  [[nodiscard]] bool breaks_off() const { return ends_early(behaviour_.fault); }
  [[nodiscard]] bool fault_is_due() const { return breaks_off() && sent_ == behaviour_.fault_at; }

  void break_off(Step& step) {
    step.fault = true;
    step.then = end_of(behaviour_.fault);
    if (behaviour_.fault == Fault::error) frames_->error(step.bytes, behaviour_.error);
    if (behaviour_.fault == Fault::malformed) frames_->malformed(step.bytes);
  }

  void garble(Step& step) {
    const int wanted = behaviour_.fault == Fault::garbled ? 1 : behaviour_.fault == Fault::garbled_twice ? 2 : 0;
    if (garbled_ >= wanted || sent_ < behaviour_.fault_at) return;
    for (; garbled_ < wanted; ++garbled_) frames_->malformed(step.bytes);
    step.fault = true;
  }

  static std::string thought(int index) { return index == 0 ? "Thinking" : fmt::format(" {}", index); }

  void think(Step& step) {
    frames_->thinking(step.bytes, thought(sent_));
    step.tokens = 1;
    ++sent_;
  }

  void token(Step& step) {
    if (behaviour_.stamp) {
      step.text = '@' + std::string(stamp_digits, '0');
      const auto before = step.bytes.size();
      frames_->text(step.bytes, step.text);
      step.stamp_at = step.bytes.find(step.text, before) + 1;
    } else {
      step.text = tokens_.at(static_cast<std::size_t>(sent_ - thinking_));
      frames_->text(step.bytes, step.text);
    }
    step.tokens = 1;
    ++sent_;
  }

  void call_tool(Step& step) {
    if (behaviour_.fragments == 0) {
      const auto call = make_call();
      for (const std::size_t part : {0U, 1U}) frames_->tool_call(step.bytes, call, part, 2);
      return;
    }
    const auto parts = static_cast<std::size_t>(behaviour_.fragments);
    step.wait = pace();
    if (fragment_ == 0) {
      fragmented_ = make_call();
      --called_;
    }
    frames_->tool_call(step.bytes, fragmented_, fragment_, parts);
    if (++fragment_ < parts) return;
    fragment_ = 0;
    ++called_;
  }

  ToolCall make_call() {
    const auto number = static_cast<std::uint32_t>(mixed(hash_of(call_.message) + static_cast<std::uint64_t>(called_)));
    ToolCall call{.index = called_,
                  .id = fmt::format("call_{:08x}", number),
                  .name = tool_,
                  .arguments = behaviour_.tool_arguments};
    ++called_;
    return call;
  }

  /// In pieces, so that a line of 100 MB costs no such memory here.
  void huge(Step& step) {
    constexpr std::size_t piece = 64 * 1024;
    constexpr std::string_view place = "@huge@";
    step.wait = milliseconds(0);
    if (huge_left_ == 0) {
      std::string frame;
      frames_->text(frame, place);
      const auto at = frame.find(place);
      step.bytes += frame.substr(0, at);
      huge_end_ = frame.substr(at + place.size());
      huge_left_ = static_cast<std::size_t>(std::max(behaviour_.fault_at, 1)) * 1'000'000;
      step.fault = true;
    }
    const auto bytes = std::min(piece, huge_left_);
    step.bytes.append(bytes, 'x');
    huge_left_ -= bytes;
    if (huge_left_ > 0) return;
    step.bytes += huge_end_;
    huge_done_ = true;
  }

  [[nodiscard]] Ending ending() const {
    return {.reason = tokens_.cut() ? "length" : behaviour_.done_reason,
            .calls = called_ > 0,
            .input_tokens = call_.input_tokens,
            .output_tokens = behaviour_.output_tokens >= 0 ? behaviour_.output_tokens : std::int64_t{sent_} + called_,
            .thinking_tokens = thinking_};
  }

  /// Not streamed: one object, after the time that the tokens would have taken.
  void whole(Step& step) {
    const auto count = behaviour_.fault == Fault::endless ? 0 : static_cast<int>(tokens_.count());
    step.wait = before_first_;
    for (int i = 1; i < count + thinking_; ++i) step.wait += pace();
    WholeAnswer answer;
    for (int i = 0; i < thinking_; ++i) answer.thinking += thought(i);
    for (int i = 0; i < count; ++i) step.text += tokens_.at(static_cast<std::size_t>(i));
    if (behaviour_.fault == Fault::huge_line)
      step.text.append(static_cast<std::size_t>(behaviour_.fault_at) * 1'000'000, 'x');
    answer.text = step.text;
    while (called_ < calls_) answer.calls.push_back(make_call());
    sent_ = count + thinking_;
    answer.ending = ending();
    frames_->whole(step.bytes, answer);
    step.tokens = sent_;
    step.then = Then::complete;
    spoil(step);
  }

  void spoil(Step& step) const {
    if (behaviour_.fault == Fault::endless) {
      step = {};
      step.fault = true;
      step.then = Then::hang;
      return;
    }
    const bool garbled = behaviour_.fault == Fault::garbled || behaviour_.fault == Fault::garbled_twice;
    if (!breaks_off() && !garbled) return;
    step.fault = true;
    step.text.clear();
    step.tokens = 0;
    if (behaviour_.fault == Fault::error) {
      step.bytes = dialect_.refusal({.status = 500, .why = Why::invalid, .text = behaviour_.error}).body;
    } else if (behaviour_.fault == Fault::malformed || garbled) {
      step.bytes = "this is not JSON";
    } else {
      // The first half, and then the end of that fault's kind.
      step.bytes.resize(step.bytes.size() / 2);
      step.then = end_of(behaviour_.fault);
    }
  }

  ChatCall call_;
  Behaviour behaviour_;
  CreatedAt created_at_;
  Tokens tokens_;
  const Dialect& dialect_;
  std::unique_ptr<Frames> frames_{};
  std::uint64_t random_;
  std::string tool_{};
  milliseconds before_first_{0};
  int thinking_ = 0;
  int calls_ = 0;
  int sent_ = 0;  ///< tokens, of thinking and of text
  int called_ = 0;
  ToolCall fragmented_{};     ///< whose arguments come in fragments
  std::size_t fragment_ = 0;  ///< the next of them
  int garbled_ = 0;
  std::size_t huge_left_ = 0;
  std::string huge_end_{};
  bool huge_done_ = false;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<AnswerSource> make_chat_source(const Dialect& dialect, ChatCall call, Behaviour behaviour,
                                               CreatedAt created_at) {
  return std::make_unique<ChatSource>(dialect, std::move(call), std::move(behaviour), std::move(created_at));
}

}  // namespace tokenrail::simulator
