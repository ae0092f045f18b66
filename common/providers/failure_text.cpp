#include "common/providers/failure_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_scan.hpp"
#include "common/events/utf8.hpp"
#include "common/url.hpp"

namespace tokenrail::providers {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds wait_max = std::chrono::hours(24);

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<milliseconds> wait_of(double value_ms) {
  if (value_ms <= 0) return std::nullopt;
  if (value_ms >= static_cast<double>(wait_max.count())) return wait_max;
  return milliseconds(static_cast<milliseconds::rep>(std::ceil(value_ms)));
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::optional<std::chrono::sys_seconds> http_date(std::string_view text) {
  constexpr std::string_view pattern = "www, dd mmm yyyy hh:mm:ss GMT";
  text = trimmed(text);
  if (text.size() != pattern.size() || !text.ends_with(" GMT")) return std::nullopt;
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto digits = [&](std::size_t at, std::size_t count) {
    int value = -1;
    const auto* begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + count, value);
    return error == std::errc{} && end == begin + count ? value : -1;
  };
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const int day = digits(5, 2), year = digits(12, 4), hour = digits(17, 2), minute = digits(20, 2);
  const int second = digits(23, 2);
  if (month == months.end() || hour < 0 || minute < 0 || second < 0 || day < 0 || year < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month - months.begin() + 1)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::string quotable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  text = trimmed(text);
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    std::string_view piece = step.valid ? text.substr(0, step.bytes) : std::string_view("\xEF\xBF\xBD");
    if (step.bytes == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F)) piece = " ";
    if (out.size() + piece.size() > bytes_max) {
      out += "…";
      break;
    }
    out += piece;
    text.remove_prefix(step.bytes);
  }
  return out;
}

ErrorBody read_error_body(std::string_view body) {
  const auto readable = events::repair_strings(body);
  ErrorBody out{.text = readable};
  const events::JsonDocument document(readable);
  if (document.error() != simdjson::SUCCESS) return out;
  const events::ObjectReader root(document.root());
  const auto error = root.find("error");
  const auto text = error ? events::string_of(*error) : std::nullopt;
  const events::ObjectReader fields(error && error->is_object() ? *error : document.root());
  const auto said = text ? std::optional<std::string>(std::string(*text)) : fields.text_if("message");
  if (said) {
    out.text = *said;
  } else if (const auto detail = root.text_if("detail")) {
    out.text = *detail;
  } else if (error) {
    out.text = simdjson::minify(*error);
  }
  for (const auto* const name : {"code", "type", "status", "reason", "error_type"}) {
    if (const auto word = fields.text_if(name)) out.code += (out.code.empty() ? "" : " ") + *word;
  }
  // Google's APIs name the precise reason in a list beside the message.
  simdjson::dom::array details;
  if (const auto list = fields.find("details"); list && list->get_array().get(details) == simdjson::SUCCESS) {
    for (const auto detail : details) {
      const auto word = events::ObjectReader(detail).text_if("reason");
      if (word) out.code += (out.code.empty() ? "" : " ") + *word;
    }
  }
  return out;
}

std::optional<milliseconds> retry_after(const http::ResponseHead& head) {
  if (const auto text = head.header("retry-after-ms")) {
    if (const auto value = number(*text)) {
      if (const auto wait = wait_of(*value)) return wait;
    }
  }
  const auto text = head.header("retry-after");
  if (!text) return std::nullopt;
  if (const auto value = number(*text)) return wait_of(*value * 1000);
  const auto until = http_date(*text);
  const auto date = head.header("date");
  const auto now = date ? http_date(*date) : std::nullopt;
  if (!until || !now) return std::nullopt;
  return wait_of(static_cast<double>(milliseconds(*until - *now).count()));
}

std::optional<std::chrono::milliseconds> delay_in(std::string_view text) {
  constexpr std::string_view before = "try again in ";
  const auto at = text.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + before.size());
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr Unit units[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  double total = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) break;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* unit = nullptr;
    for (const auto& one : units) {
      if (unit == nullptr && text.starts_with(one.name)) unit = &one;
    }
    if (unit == nullptr) break;
    text.remove_prefix(unit->name.size());
    total += value * unit->milliseconds;
  }
  constexpr double day = 24.0 * 3'600'000;
  if (!(total > 0)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(std::ceil(std::min(total, day))));
}

std::string without_credentials(std::string_view url) {
  const auto userinfo = split_url(url).userinfo;
  if (userinfo.data() == nullptr) return std::string(url);
  const auto begin = static_cast<std::size_t>(userinfo.data() - url.data());
  std::string out(url);
  out.erase(begin, userinfo.size() + 1);
  return out;
}

bool contains_folded(std::string_view text, std::string_view needle) {
  return std::ranges::search(text, needle, {}, lower).begin() != text.end() || needle.empty();
}

}  // namespace tokenrail::providers
