#include "workers/registry_api/routes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/telemetry/text_escape.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t shown_path_bytes_max = 200;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) segments.emplace_back();
  }
  return segments;
}

std::string shown(std::string_view path) {
  return telemetry::one_line(path.substr(0, shown_path_bytes_max));
}

}  // namespace

const std::string& PathParameters::operator[](std::string_view name) const {
  static const std::string none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

RouteTable::Pattern RouteTable::parse(std::string_view pattern) {
  Pattern segments;
  for (const auto part : segments_of(pattern)) {
    if (!part.starts_with('{')) {
      segments.push_back({.literal = part, .parameter = {}, .verb = {}});
      continue;
    }
    const auto end = part.find('}');
    segments.push_back({.literal = {}, .parameter = part.substr(1, end - 1), .verb = part.substr(end + 1)});
  }
  return segments;
}

bool RouteTable::matches(const Pattern& pattern, std::span<const std::string_view> path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto& segment = pattern[i];
    if (segment.parameter.empty() ? path[i] != segment.literal
                                  : path[i].size() <= segment.verb.size() || !path[i].ends_with(segment.verb)) {
      return false;
    }
  }
  return true;
}

std::vector<int> RouteTable::rank(const Pattern& pattern) {
  std::vector<int> ranks;
  for (const auto& segment : pattern) ranks.push_back(segment.parameter.empty() ? 0 : segment.verb.empty() ? 2 : 1);
  return ranks;
}

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  std::set<std::string> seen;
  for (const auto& route : routes_) {
    patterns_.push_back(parse(route.pattern));
    ranks_.push_back(rank(patterns_.back()));
    std::string shape(route.method);
    for (const auto& segment : patterns_.back())
      shape += segment.parameter.empty() ? fmt::format("/{}", segment.literal) : fmt::format("/{{}}{}", segment.verb);
    if (!seen.insert(shape).second)
      throw std::logic_error(fmt::format("two routes match alike: {} {}", route.method, route.pattern));
  }
}

std::string RouteTable::allowed(std::string_view path) const {
  const auto segments = segments_of(path);
  std::set<std::string_view> methods;
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (matches(patterns_[i], segments)) methods.insert(routes_[i].method);
  if (methods.empty()) return {};
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
  return fmt::format("{}", fmt::join(methods, ", "));
}

std::expected<Match, Problem> RouteTable::find(std::string_view method, std::string_view path) const {
  const auto asked = method == "HEAD" ? std::string_view("GET") : method;
  const auto segments = segments_of(path);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].method != asked || !matches(patterns_[i], segments)) continue;
    if (!best || ranks_[i] < ranks_[*best]) best = i;
  }
  if (!best) {
    const auto allow = allowed(path);
    if (allow.empty()) return refuse(Fault::not_found, fmt::format("There is no {}.", shown(path)));
    Problem problem{.fault = Fault::method_not_allowed, .detail = fmt::format("{} takes {}.", shown(path), allow)};
    problem.headers.push_back({.name = "Allow", .value = allow});
    return std::unexpected(std::move(problem));
  }
  Match match{.route = &routes_[*best]};
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& segment = patterns_[*best][i];
    if (segment.parameter.empty()) continue;
    auto value = percent_decoded(segments[i].substr(0, segments[i].size() - segment.verb.size()), false);
    if (!value) {
      return refuse(Fault::invalid_path,
                    fmt::format("'{}' in the path is not percent-encoded UTF-8.", shown(segments[i])));
    }
    match.parameters.set(segment.parameter, std::move(*value));
  }
  return match;
}

}  // namespace tokenrail::registry_api
