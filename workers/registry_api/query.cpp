#include "workers/registry_api/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/config/edit_distance.hpp"
#include "common/events/utf8.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t parameters_max = 100;
constexpr std::size_t shown_bytes_max = 64;
constexpr std::size_t suggestion_distance_max = 3;

constexpr std::array paging{
    QueryParameter{.name = "page_size",
                   .type = QueryParameter::Type::integer,
                   .description = "How many to return at most: 50 without it, and never more than 1000."},
    QueryParameter{.name = "page_token",
                   .description = "next_page_token of the page before, with the same filters and order."},
};
constexpr std::array<std::string_view, 3> not_part_of_the_filter{"page_size", "page_token", "fields"};

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

std::string shown(std::string_view text) {
  return telemetry::one_line(text.substr(0, shown_bytes_max));
}

bool is_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

/// What is wrong with a value; empty: nothing.
std::string mistake_in(const QueryParameter& parameter, std::string_view value) {
  switch (parameter.type) {
    case QueryParameter::Type::integer:
      return is_integer(value) ? "" : "must be a whole number";
    case QueryParameter::Type::boolean:
      return value == "true" || value == "false" ? "" : "must be true or false";
    case QueryParameter::Type::choice: {
      const auto choices = split(parameter.choices, '|');
      if (std::ranges::find(choices, value) != choices.end()) return "";
      return fmt::format("must be one of {}", fmt::join(choices, ", "));
    }
    case QueryParameter::Type::text:
      break;
  }
  return "";
}

std::string unknown(std::string_view name, std::span<const QueryParameter> known) {
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const auto& parameter : known) names.push_back(parameter.name);
  const auto near = config::nearest(name.substr(0, shown_bytes_max), names, suggestion_distance_max);
  if (near) return fmt::format("The query parameter '{}' is not known here. Did you mean '{}'?", shown(name), *near);
  if (names.empty()) return fmt::format("The query parameter '{}' is not known here. There is none.", shown(name));
  return fmt::format("The query parameter '{}' is not known here. There are {}.", shown(name), fmt::join(names, ", "));
}

}  // namespace

std::span<const QueryParameter> paging_parameters() {
  return paging;
}

const QueryParameter& dry_run_parameter() {
  static constexpr QueryParameter parameter{
      .name = "dry_run",
      .type = QueryParameter::Type::boolean,
      .description = "true: everything is checked and answered as usual, and nothing is kept."};
  return parameter;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16U + *low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  for (std::string_view rest = out; !rest.empty();) {
    const auto step = events::utf8_step(rest);
    if (!step.valid) return std::nullopt;
    rest.remove_prefix(step.bytes);
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::expected<Query, Problem> Query::parse(std::string_view text, std::span<const QueryParameter> known,
                                           bool ignore_unknown) {
  Query query;
  if (!text.empty()) {
    for (const auto part : split(text, '&')) {
      if (part.empty()) continue;
      if (query.values_.size() == parameters_max)
        return refuse(Fault::invalid_query, fmt::format("There are more than {} query parameters.", parameters_max));
      const auto equals = part.find('=');
      auto name = percent_decoded(part.substr(0, equals), true);
      auto value = percent_decoded(equals == std::string_view::npos ? "" : part.substr(equals + 1), true);
      if (!name || !value)
        return refuse(Fault::invalid_query, fmt::format("The query parameter '{}' is not percent-encoded UTF-8.",
                                                        shown(part.substr(0, equals))));
      const auto parameter = std::ranges::find(known, *name, &QueryParameter::name);
      if (parameter == known.end() && ignore_unknown) continue;
      if (parameter == known.end()) return refuse(Fault::invalid_query, unknown(*name, known));
      if (!parameter->repeated && query.text(*name))
        return refuse(Fault::invalid_query, fmt::format("The query parameter '{}' is given twice.", *name));
      if (const auto mistake = mistake_in(*parameter, *value); !mistake.empty())
        return refuse(Fault::invalid_query, fmt::format("The query parameter '{}' {}.", *name, mistake));
      query.values_.emplace_back(std::move(*name), std::move(*value));
    }
  }
  for (const auto& parameter : known) {
    if (parameter.required && !query.text(parameter.name))
      return refuse(Fault::invalid_query, fmt::format("The query parameter '{}' is missing.", parameter.name));
  }
  return query;
}

std::optional<std::string> Query::text(std::string_view name) const {
  const auto found = std::ranges::find(values_, name, &std::pair<std::string, std::string>::first);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Query::texts(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [known, value] : values_)
    if (known == name) all.push_back(value);
  return all;
}

std::optional<std::int64_t> Query::integer(std::string_view name) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(value->data(), value->data() + value->size(), number);
  return number;
}

std::optional<bool> Query::boolean(std::string_view name) const {
  const auto value = text(name);
  return value ? std::optional(*value == "true") : std::nullopt;
}

std::string Query::filter() const {
  std::vector<std::string> parts;
  for (const auto& [name, value] : values_) {
    if (std::ranges::find(not_part_of_the_filter, name) == not_part_of_the_filter.end())
      parts.push_back(percent_encoded(name) + '=' + percent_encoded(value));
  }
  std::ranges::sort(parts);
  return fmt::format("{}", fmt::join(parts, "&"));
}

}  // namespace tokenrail::registry_api
