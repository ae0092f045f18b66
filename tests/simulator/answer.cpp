#include "tests/simulator/answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::simulator {

namespace {

using std::chrono::milliseconds;
using Then = Step::Then;

constexpr std::array<std::string_view, 16> words = {"amber",  "brook",  "cedar",   "delta",   "ember", "fjord",
                                                    "grove",  "harbor", "inlet",   "juniper", "kite",  "lantern",
                                                    "meadow", "north",  "orchard", "pebble"};
constexpr std::array<std::string_view, 16> wide_words = {"äther",   "brücke", "çedilla", "délta", "🌍",          "日本",
                                                         "smörgås", "Ωmega",  "naïve",   "žluť",  "👩‍🚀", "ключ",
                                                         "עולם",    "한국",   "ñandú",   "€uro"};

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

/// Pieces that begin with their blanks, so that joined they are the text again.
std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  bool word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && word) {
      pieces.emplace_back(text.substr(begin, i - begin));
      begin = i;
      word = false;
    } else if (text[i] != ' ') {
      word = true;
    }
  }
  if (begin < text.size()) pieces.emplace_back(text.substr(begin));
  return pieces;
}

std::string filled(std::string text, std::string_view place, std::string_view value) {
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
  return text;
}

std::string template_text(std::string_view message, std::string_view model, const Behaviour& behaviour) {
  return filled(filled(behaviour.text, "{message}", message), "{model}", model);
}

/// The tokens of one answer, one at a time, so that an endless answer needs no memory.
class Tokens {
 public:
  Tokens(const ChatCall& call, const Behaviour& behaviour) : message_(call.message), behaviour_(behaviour) {
    if (!behaviour.text.empty()) pieces_ = pieces_of(template_text(call.message, call.model, behaviour));
    count_ = behaviour.text.empty() ? static_cast<std::size_t>(behaviour.tokens) : pieces_.size();
    if (call.tokens_max >= 0 && static_cast<std::size_t>(call.tokens_max) < count_) {
      count_ = static_cast<std::size_t>(call.tokens_max);
      cut_ = true;
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] std::string at(std::size_t index) const {
    if (pieces_.empty()) return answer_token(message_, behaviour_, index);
    return pieces_[index % pieces_.size()];
  }

 private:
  std::string message_;
  Behaviour behaviour_;
  std::vector<std::string> pieces_{};
  std::size_t count_ = 0;
  bool cut_ = false;
};

class ChatSource final : public AnswerSource {
 public:
  ChatSource(ChatCall call, Behaviour behaviour, CreatedAt created_at)
      : call_(std::move(call)),
        behaviour_(std::move(behaviour)),
        created_at_(std::move(created_at)),
        tokens_(call_, behaviour_),
        random_(hash_of(call_.message) ^ behaviour_.seed) {
    thinking_ = behaviour_.thinking >= 0 ? behaviour_.thinking : (call_.think == 1 ? 4 : 0);
    if (call_.think == 0) thinking_ = 0;
    tool_ = behaviour_.tool == "auto" ? call_.first_tool : behaviour_.tool;
    calls_ = tool_.empty() ? 0 : behaviour_.tool_calls;
    before_first_ = behaviour_.first;
  }

  void next(Step& step) override {
    step = {};
    if (!call_.has_messages) return loaded(step);
    if (!call_.stream) return whole(step);
    if (behaviour_.fault == Fault::newlines) {
      step.wait = milliseconds(behaviour_.fault_at);
      step.bytes = "\n";
      step.fault = true;
      return;
    }
    if (waiting(step)) return;
    step.wait = sent_ == 0 && !started_ ? before_first_ : (sent_ > 0 ? pace() : milliseconds(0));
    started_ = true;
    if (fault_is_due()) return break_off(step);
    if (huge_left_ > 0 || (behaviour_.fault == Fault::huge_line && !huge_done_)) return huge(step);
    if (sent_ < thinking_) return token(step, true);
    if (const auto told = static_cast<std::size_t>(sent_ - thinking_);
        told < tokens_.count() || behaviour_.fault == Fault::endless) {
      return token(step, false);
    }
    if (called_ < calls_) return tool_call(step);
    if (fault_waits_for_the_end()) return break_off(step);
    step.bytes = done_line();
    step.then = Then::complete;
  }

 private:
  /// Line ends while the model is loading.
  bool waiting(Step& step) {
    if (started_ || behaviour_.keepalive.count() <= 0 || before_first_ <= behaviour_.keepalive) return false;
    step.wait = behaviour_.keepalive;
    step.bytes = "\n";
    before_first_ -= behaviour_.keepalive;
    return true;
  }

  milliseconds pace() {
    const auto range = static_cast<std::uint64_t>((behaviour_.pace_max - behaviour_.pace_min).count());
    random_ += golden;
    return behaviour_.pace_min + milliseconds(range == 0 ? 0 : mixed(random_) % (range + 1));
  }

  [[nodiscard]] bool breaks_off() const {
    switch (behaviour_.fault) {
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
  [[nodiscard]] bool fault_is_due() const { return breaks_off() && sent_ == behaviour_.fault_at; }
  /// An answer shorter than the fault's place breaks off before its done line.
  [[nodiscard]] bool fault_waits_for_the_end() const { return breaks_off(); }

  void break_off(Step& step) {
    step.fault = true;
    switch (behaviour_.fault) {
      case Fault::reset:
        step.then = Then::reset;
        break;
      case Fault::close:
        step.then = Then::close;
        break;
      case Fault::hang:
        step.then = Then::hang;
        break;
      case Fault::error:
        step.bytes = "{\"error\":";
        events::append_json_string(step.bytes, behaviour_.error);
        step.bytes += "}\n";
        step.then = Then::complete;
        break;
      case Fault::malformed:
        step.bytes = "{\"model\":\"" + call_.model.substr(0, 20) + " this line is not JSON\n";
        step.then = Then::complete;
        break;
      default:
        step.then = Then::complete;
    }
  }

  void begin_line(std::string& out) const {
    out += "{\"model\":";
    events::append_json_string(out, call_.model);
    out += ",\"created_at\":\"";
    out += created_at_();
    out += "\",\"message\":{\"role\":\"assistant\",\"content\":";
  }

  void token(Step& step, bool thinking) {
    begin_line(step.bytes);
    if (thinking) {
      step.bytes += "\"\",\"thinking\":";
      events::append_json_string(step.bytes, sent_ == 0 ? std::string("Thinking") : fmt::format(" {}", sent_));
    } else if (behaviour_.stamp) {
      step.text = '@' + std::string(stamp_digits, '0');
      step.stamp_at = step.bytes.size() + 2;
      step.bytes += '"' + step.text + '"';
    } else {
      step.text = tokens_.at(static_cast<std::size_t>(sent_ - thinking_));
      events::append_json_string(step.bytes, step.text);
    }
    step.bytes += "},\"done\":false}\n";
    step.tokens = 1;
    ++sent_;
  }

  void append_call(std::string& out) {
    out += fmt::format(R"({{"id":"call_{:08x}","function":{{"index":{},"name":)",
                       static_cast<std::uint32_t>(mixed(hash_of(call_.message) + static_cast<std::uint64_t>(called_))),
                       called_);
    events::append_json_string(out, tool_);
    out += ",\"arguments\":" + behaviour_.tool_arguments + "}}";
    ++called_;
  }

  void tool_call(Step& step) {
    begin_line(step.bytes);
    step.bytes += "\"\",\"tool_calls\":[";
    append_call(step.bytes);
    step.bytes += "]},\"done\":false}\n";
  }

  /// In pieces, so that a line of 100 MB costs no such memory here.
  void huge(Step& step) {
    constexpr std::size_t piece = 64 * 1024;
    step.wait = milliseconds(0);
    if (huge_left_ == 0) {
      begin_line(step.bytes);
      step.bytes += '"';
      huge_left_ = static_cast<std::size_t>(std::max(behaviour_.fault_at, 1)) * 1'000'000;
      step.fault = true;
    }
    const auto bytes = std::min(piece, huge_left_);
    step.bytes.append(bytes, 'x');
    huge_left_ -= bytes;
    if (huge_left_ > 0) return;
    step.bytes += "\"},\"done\":false}\n";
    huge_done_ = true;
  }

  [[nodiscard]] std::string done_fields() const {
    const auto input = behaviour_.input_tokens >= 0
                           ? behaviour_.input_tokens
                           : std::max<std::int64_t>(1, static_cast<std::int64_t>(call_.request_bytes / 4));
    const auto output = behaviour_.output_tokens >= 0 ? behaviour_.output_tokens : std::int64_t{sent_} + called_;
    std::string reason;
    events::append_json_string(reason, tokens_.cut() ? "length" : behaviour_.done_reason);
    return fmt::format(
        R"("done":true,"done_reason":{},"total_duration":{},"load_duration":1000000,"prompt_eval_count":{},)"
        R"("prompt_eval_duration":1000000,"eval_count":{},"eval_duration":{}}})",
        reason, 3'000'000 + output * 1'000'000, input, output, output * 1'000'000);
  }

  std::string done_line() {
    std::string out;
    begin_line(out);
    out += "\"\"},";
    out += done_fields();
    out += '\n';
    return out;
  }

  void loaded(Step& step) {
    begin_line(step.bytes);
    step.bytes += "\"\"},\"done\":true,\"done_reason\":\"load\"}";
    if (call_.stream) step.bytes += '\n';
    step.then = Then::complete;
  }

  /// Not streamed: one object, after the time that the tokens would have taken.
  void whole(Step& step) {
    const auto count = behaviour_.fault == Fault::endless ? 0 : static_cast<int>(tokens_.count());
    step.wait = before_first_;
    for (int i = 1; i < count + thinking_; ++i) step.wait += pace();
    std::string thinking;
    for (int i = 0; i < thinking_; ++i) thinking += i == 0 ? std::string("Thinking") : fmt::format(" {}", i);
    for (int i = 0; i < count; ++i) step.text += tokens_.at(static_cast<std::size_t>(i));
    begin_line(step.bytes);
    if (behaviour_.fault == Fault::huge_line)
      step.text.append(static_cast<std::size_t>(behaviour_.fault_at) * 1'000'000, 'x');
    events::append_json_string(step.bytes, step.text);
    if (!thinking.empty()) {
      step.bytes += ",\"thinking\":";
      events::append_json_string(step.bytes, thinking);
    }
    if (calls_ > 0) {
      step.bytes += ",\"tool_calls\":[";
      for (int i = 0; i < calls_; ++i) {
        if (i > 0) step.bytes += ',';
        append_call(step.bytes);
      }
      step.bytes += ']';
    }
    sent_ = count + thinking_;
    step.tokens = sent_;
    step.bytes += "},";
    step.bytes += done_fields();
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
    if (!breaks_off()) return;
    step.fault = true;
    step.text.clear();
    step.tokens = 0;
    switch (behaviour_.fault) {
      case Fault::error:
        step.bytes = "{\"error\":";
        events::append_json_string(step.bytes, behaviour_.error);
        step.bytes += '}';
        break;
      case Fault::malformed:
        step.bytes = "this is not JSON";
        break;
      default:
        // The first half, and then the end of that fault's kind.
        step.bytes.resize(step.bytes.size() / 2);
        step.then = behaviour_.fault == Fault::reset   ? Then::reset
                    : behaviour_.fault == Fault::close ? Then::close
                    : behaviour_.fault == Fault::hang  ? Then::hang
                                                       : Then::complete;
    }
  }

  ChatCall call_;
  Behaviour behaviour_;
  CreatedAt created_at_;
  Tokens tokens_;
  std::uint64_t random_;
  std::string tool_{};
  milliseconds before_first_{0};
  int thinking_ = 0;
  int calls_ = 0;
  int sent_ = 0;  ///< tokens, of thinking and of text
  int called_ = 0;
  std::size_t huge_left_ = 0;
  bool huge_done_ = false;
  bool started_ = false;
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
        step.then = behaviour_.fault == Fault::reset   ? Then::reset
                    : behaviour_.fault == Fault::close ? Then::close
                    : behaviour_.fault == Fault::hang  ? Then::hang
                                                       : Then::complete;
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

std::string answer_token(std::string_view message, const Behaviour& behaviour, std::uint64_t index) {
  const auto& list = behaviour.utf8 ? wide_words : words;
  const auto picked = mixed((hash_of(message) ^ behaviour.seed) + (index + 1) * golden) % list.size();
  std::string token = index == 0 ? "" : " ";
  token += list[picked];
  return token;
}

std::string answer_text(std::string_view message, std::string_view model, const Behaviour& behaviour) {
  if (!behaviour.text.empty()) return template_text(message, model, behaviour);
  std::string text;
  for (int i = 0; i < behaviour.tokens; ++i) text += answer_token(message, behaviour, static_cast<std::uint64_t>(i));
  return text;
}

std::unique_ptr<AnswerSource> make_chat_source(ChatCall call, Behaviour behaviour, CreatedAt created_at) {
  return std::make_unique<ChatSource>(std::move(call), std::move(behaviour), std::move(created_at));
}

std::unique_ptr<AnswerSource> make_body_source(std::string body, bool lines, Behaviour behaviour) {
  return std::make_unique<BodySource>(std::move(body), lines, std::move(behaviour));
}

}  // namespace tokenrail::simulator
