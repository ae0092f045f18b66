#include "common/events/call_defaults.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_document.hpp"

namespace tokenrail::events {
namespace {

using simdjson::dom::element;

constexpr std::size_t stop_max = 64;
constexpr std::size_t stop_bytes_max = 4'096;
constexpr std::size_t shown_bytes_max = 64;

/// Fields of a provider's body that only a request can set.
constexpr std::array<std::string_view, 6> request_fields{"model", "messages", "contents", "input", "stream", "tools"};

class Reader {
 public:
  explicit Reader(std::vector<InvalidDefault>& invalid) : invalid_(invalid) {}

  void read(std::string_view key, element value) {
    constexpr auto integer_max = std::numeric_limits<std::int32_t>::max();
    if (value.is_null()) return;
    if (key == "temperature") {
      number(key, value, 2, defaults.temperature);
    } else if (key == "topP") {
      number(key, value, 1, defaults.top_p);
    } else if (key == "topK") {
      integer(key, value, integer_max, defaults.top_k);
    } else if (key == "maxTokens") {
      integer(key, value, integer_max, defaults.tokens_max);
    } else if (key == "numCtx") {
      integer(key, value, integer_max, defaults.num_ctx);
    } else if (key == "stop") {
      stop(value);
    } else if (key == "keepAlive") {
      keep_alive(value);
    } else if (key == "providerConfig") {
      provider_config(value);
    } else {
      refuse(key.substr(0, std::min(key.size(), shown_bytes_max)), "is not a parameter that this version knows");
    }
  }

  CallDefaults defaults{};

 private:
  void refuse(std::string_view key, std::string reason) {
    invalid_.push_back({.key = std::string(key), .reason = std::move(reason)});
  }

  void number(std::string_view key, element value, double max, std::optional<double>& into) {
    const auto read = number_of(value);
    if (read && *read >= 0 && *read <= max) {
      into = read;
    } else {
      refuse(key, fmt::format("must be a number from 0 to {}", max));
    }
  }

  void integer(std::string_view key, element value, std::int64_t max, std::optional<std::int64_t>& into) {
    const auto read = integer_of(value);
    if (read && *read >= 1 && *read <= max) {
      into = read;
    } else {
      refuse(key, fmt::format("must be a whole number from 1 to {}", max));
    }
  }

  void stop(element value) {
    const auto fits = [](const std::optional<std::string_view>& text) {
      return text && !text->empty() && text->size() <= stop_bytes_max;
    };
    std::vector<std::string> texts;
    bool well = true;
    if (value.is_array()) {
      for (const auto entry : simdjson::dom::array(value.get_array().value_unsafe())) {
        const auto text = string_of(entry);
        well = well && fits(text) && texts.size() < stop_max;
        if (well) texts.emplace_back(*text);
      }
    } else {
      const auto text = string_of(value);
      well = fits(text);
      if (well) texts.emplace_back(*text);
    }
    if (well) {
      defaults.stop = std::move(texts);
    } else {
      refuse("stop", fmt::format("must be a text of 1 to {} bytes, or an array of at most {} of them", stop_bytes_max,
                                 stop_max));
    }
  }

  /// "1h30m", "-1s", "300ms", as Ollama reads them.
  static bool is_duration(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    if (text.empty() || text.size() > 32) return false;
    while (!text.empty()) {
      const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
      const auto figure = text.substr(0, digits);
      if (figure.empty() || figure.front() == '.' || figure.back() == '.' || std::ranges::count(figure, '.') > 1) {
        return false;
      }
      text.remove_prefix(digits);
      const auto letters = std::min(text.find_first_of("0123456789."), text.size());
      constexpr std::array<std::string_view, 6> units{"h", "m", "s", "ms", "us", "ns"};
      if (std::ranges::find(units, text.substr(0, letters)) == units.end()) return false;
      text.remove_prefix(letters);
    }
    return true;
  }

  void keep_alive(element value) {
    const auto seconds = integer_of(value);
    const auto text = string_of(value);
    const bool well =
        seconds ? *seconds >= -1 && *seconds <= std::numeric_limits<std::int32_t>::max() : text && is_duration(*text);
    if (well) {
      defaults.keep_alive = seconds ? std::to_string(*seconds) : simdjson::minify(value);
    } else {
      refuse("keepAlive", R"(must be a number of seconds (-1: for ever) or a duration such as "10m")");
    }
  }

  void provider_config(element value) {
    if (!value.is_object()) {
      refuse("providerConfig", "must be a JSON object");
      return;
    }
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    for (const auto field : simdjson::dom::object(value.get_object().value_unsafe())) {
      if (std::ranges::find(request_fields, field.key) != request_fields.end()) {
        refuse(fmt::format("providerConfig.{}", field.key), "is the request's own");
      } else {
        json.raw_field(field.key, simdjson::minify(field.value));
      }
    }
    json.end_object();
    defaults.provider_config = text == "{}" ? std::string() : std::move(text);
  }

  std::vector<InvalidDefault>& invalid_;
};

}  // namespace

CallDefaults read_call_defaults(std::string_view json, std::vector<InvalidDefault>& invalid) {
  Reader reader(invalid);
  if (json.size() > call_defaults_bytes_max) {
    invalid.push_back({.key = "", .reason = fmt::format("must have at most {} bytes", call_defaults_bytes_max)});
    return {};
  }
  const JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS || !document.root().is_object()) {
    invalid.push_back({.key = "", .reason = "must be a JSON object"});
    return {};
  }
  for (const auto field : simdjson::dom::object(document.root().get_object().value_unsafe()))
    reader.read(field.key, field.value);
  return std::move(reader.defaults);
}

std::string to_text(const InvalidDefault& invalid) {
  return fmt::format("{} {}", invalid.key.empty() ? "the whole" : invalid.key, invalid.reason);
}

std::string to_json(const CallDefaults& defaults) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (defaults.temperature) json.field("temperature", *defaults.temperature);
  if (defaults.top_p) json.field("topP", *defaults.top_p);
  if (defaults.top_k) json.field("topK", *defaults.top_k);
  if (defaults.tokens_max) json.field("maxTokens", *defaults.tokens_max);
  if (!defaults.stop.empty()) {
    json.begin_array("stop");
    for (const auto& text : defaults.stop) json.element(text);
    json.end_array();
  }
  if (defaults.num_ctx) json.field("numCtx", *defaults.num_ctx);
  if (!defaults.keep_alive.empty()) json.raw_field("keepAlive", defaults.keep_alive);
  if (!defaults.provider_config.empty()) json.raw_field("providerConfig", defaults.provider_config);
  json.end_object();
  return out;
}

}  // namespace tokenrail::events
