#include "tests/simulator/behaviour.hpp"

#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <simdjson.h>

namespace tokenrail::simulator {

namespace {

using std::chrono::milliseconds;

struct FaultName {
  std::string_view name;  ///< as it is written; a number may follow behind a colon
  Fault fault;
  int at;  ///< where no number follows
};
constexpr FaultName fault_names[] = {
    {"none", Fault::none, 0},
    {"status", Fault::status, 500},
    {"reset-after", Fault::reset, 0},
    {"close-after", Fault::close, 0},
    {"eof-after", Fault::eof, 0},
    {"error-after", Fault::error, 0},
    {"malformed-after", Fault::malformed, 0},
    {"endless", Fault::endless, 0},
    {"hang-after", Fault::hang, 0},
    {"hang", Fault::silent, 0},
    {"huge-line", Fault::huge_line, 100},
    {"slow-headers", Fault::slow_headers, 50},
    {"newlines", Fault::newlines, 100},
    {"reset", Fault::reset_at_once, 0},
    {"context-length", Fault::context_length, 400},
    {"content-filter", Fault::content_filter, 400},
    {"garbled-after", Fault::garbled, 0},
    {"garbled-twice-after", Fault::garbled_twice, 0},
    {"no-end", Fault::no_end, 0},
    {"hang-at", Fault::hang_at, 0},
    {"reset-at", Fault::reset_at, 0},
    {"close-at", Fault::close_at, 0},
    {"eof-at", Fault::eof_at, 0},
    {"drip", Fault::drip, 10},
};

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

std::unexpected<Error> wrong(std::string_view key, std::string_view value, std::string_view allowed) {
  return fail(ErrorKind::invalid_input,
              fmt::format("simulator: {}={} is not understood; allowed: {}", key, value, allowed));
}

Result<void> set_count(std::string_view key, std::string_view value, int min, int& out) {
  int number = 0;
  if (!read_number(value, number) || number < min) return wrong(key, value, fmt::format("a number from {}", min));
  out = number;
  return {};
}

Result<void> set_time(std::string_view key, std::string_view value, milliseconds& out) {
  int number = 0;
  if (!read_number(value, number) || number < 0) return wrong(key, value, "milliseconds");
  out = milliseconds(number);
  return {};
}

Result<void> set_switch(std::string_view key, std::string_view value, bool& out) {
  out = value == "on" || value == "true" || value == "1";
  return out || value == "off" || value == "false" || value == "0" ? Result<void>() : wrong(key, value, "on, off");
}

Result<void> set_fault(std::string_view value, Behaviour& behaviour) {
  const auto colon = value.find(':');
  const auto name = value.substr(0, colon);
  for (const auto& row : fault_names) {
    if (row.name != name) continue;
    int at = row.at;
    if (colon != std::string_view::npos && (!read_number(value.substr(colon + 1), at) || at < 0)) break;
    if (row.fault == Fault::status && (at < 200 || at > 599)) break;
    behaviour.fault = row.fault;
    behaviour.fault_at = at;
    return {};
  }
  std::string names;
  for (const auto& row : fault_names) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return wrong("fault", value, names + ", most with :N");
}

Result<void> set_pace(std::string_view value, Behaviour& behaviour) {
  int least = 0;
  int most = 0;
  const auto dash = value.find('-');
  const auto first = value.substr(0, dash);
  const auto last = dash == std::string_view::npos ? first : value.substr(dash + 1);
  if (!read_number(first, least) || !read_number(last, most) || least < 0 || most < least) {
    return wrong("pace", value, "milliseconds, or a range like 5-50");
  }
  behaviour.pace_min = milliseconds(least);
  behaviour.pace_max = milliseconds(most);
  return {};
}

Result<void> set_continues(std::string_view value, Continues& out) {
  if (value == "asked") {
    out = Continues::asked;
    return {};
  }
  bool on = true;
  if (!set_switch("continues", value, on)) return wrong("continues", value, "on, off or asked");
  out = on ? Continues::on : Continues::off;
  return {};
}

Result<void> set_object(std::string_view key, std::string_view value, std::string& out) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(value.data(), value.size()).get_object().get(object) != simdjson::SUCCESS) {
    return wrong(key, value, "a JSON object");
  }
  out = simdjson::minify(object);
  return {};
}

struct TextKey {
  std::string_view key;
  std::string Behaviour::* field;
};
constexpr TextKey text_keys[] = {
    {"text", &Behaviour::text},
    {"tool", &Behaviour::tool},
    {"done_reason", &Behaviour::done_reason},
    {"error", &Behaviour::error},
    {"body", &Behaviour::body},
    {"retry_after", &Behaviour::retry_after},
    {"replay", &Behaviour::replay},
    {"id", &Behaviour::id},
    {"retry_after_ms", &Behaviour::retry_after_ms},
    {"location", &Behaviour::location},
    {"content_type", &Behaviour::content_type},
    {"should_retry", &Behaviour::should_retry},
};

}  // namespace

std::string_view name_of(Fault fault) {
  for (const auto& row : fault_names) {
    if (row.fault == fault) return row.name;
  }
  return "none";
}

Result<void> Behaviour::set(std::string_view key, std::string_view value) {
  for (const auto& row : text_keys) {
    if (row.key != key) continue;
    this->*row.field = value;
    return {};
  }
  if (key == "tokens") return set_count(key, value, 0, tokens);
  if (key == "pace") return set_pace(value, *this);
  if (key == "first") return set_time(key, value, first);
  if (key == "keepalive") return set_time(key, value, keepalive);
  if (key == "thinking") return set_count(key, value, -1, thinking);
  if (key == "tool_calls") return set_count(key, value, 0, tool_calls);
  if (key == "fragments") return set_count(key, value, 0, fragments);
  if (key == "times") return set_count(key, value, -1, times);
  if (key == "flap") return set_count(key, value, 0, flap);
  if (key == "keep_alive") return set_switch(key, value, keep_alive);
  if (key == "prefill") return set_switch(key, value, prefill);
  if (key == "continues") return set_continues(value, continues);
  if (key == "fault") return set_fault(value, *this);
  if (key == "arguments") return set_object(key, value, tool_arguments);
  if (key == "seed") return read_number(value, seed) ? Result<void>() : wrong(key, value, "a number");
  if (key == "split") return read_number(value, split) ? Result<void>() : wrong(key, value, "a number of bytes");
  if (key == "input_tokens") return read_number(value, input_tokens) ? Result<void>() : wrong(key, value, "a number");
  if (key == "output_tokens") return read_number(value, output_tokens) ? Result<void>() : wrong(key, value, "a number");
  if (key == "utf8") return set_switch(key, value, utf8);
  if (key == "stamp") return set_switch(key, value, stamp);
  return fail(ErrorKind::invalid_input, fmt::format("simulator: there is no key {}", key));
}

Result<void> Behaviour::set_all(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: a behaviour is a JSON object");
  }
  for (const auto& [key, value] : object) {
    std::string_view word;
    const auto set_one = value.get_string().get(word) == simdjson::SUCCESS
                             ? set(key, word)
                             : set(key, std::string(simdjson::minify(value)));
    if (!set_one) return set_one;
  }
  return {};
}

Result<std::string> take_directive(std::string_view message, Behaviour& behaviour) {
  const auto trim = [](std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
  };
  constexpr std::string_view opening = "[[sim";
  const auto begin = message.find(opening);
  if (begin == std::string_view::npos) return std::string(trim(message));

  // Values may stand in double quotes, with \" \\ and \n inside, so the end is not simply the next "]]".
  auto at = begin + opening.size();
  while (true) {
    while (at < message.size() && (message[at] == ' ' || message[at] == '\n' || message[at] == '\t')) ++at;
    if (message.substr(at).starts_with("]]")) break;
    const auto equals = message.find('=', at);
    if (equals == std::string_view::npos) {
      return fail(ErrorKind::invalid_input, "simulator: a directive is [[sim key=value …]]");
    }
    const auto key = message.substr(at, equals - at);
    std::string value;
    at = equals + 1;
    if (at < message.size() && message[at] == '"') {
      for (++at; at < message.size() && message[at] != '"'; ++at) {
        if (message[at] == '\\' && at + 1 < message.size()) {
          ++at;
          value += message[at] == 'n' ? '\n' : message[at];
        } else {
          value += message[at];
        }
      }
      ++at;
    } else {
      while (at < message.size() && message[at] != ' ' && message[at] != '\n' &&
             !message.substr(at).starts_with("]]")) {
        value += message[at++];
      }
    }
    if (at >= message.size()) return fail(ErrorKind::invalid_input, "simulator: a directive ends in ]]");
    if (const auto done = behaviour.set(key, value); !done) return std::unexpected(done.error());
  }
  std::string rest(message.substr(0, begin));
  rest += message.substr(at + 2);
  return std::string(trim(rest));
}

}  // namespace tokenrail::simulator
