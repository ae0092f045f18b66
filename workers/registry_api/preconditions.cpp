#include "workers/registry_api/preconditions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/registry/document.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t tags_max = 50;

struct Tag {
  std::string text;  ///< with its quotes
  bool weak = false;
};

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool is_star(std::string_view header) {
  return without_blanks(header) == "*";
}

/// Nothing where the header is no list of ETags.
std::optional<std::vector<Tag>> parse_tags(std::string_view header) {
  std::vector<Tag> tags;
  header = without_blanks(header);
  while (!header.empty()) {
    Tag tag;
    if (header.starts_with("W/")) {
      tag.weak = true;
      header.remove_prefix(2);
    }
    if (!header.starts_with('"')) return std::nullopt;
    const auto end = header.find('"', 1);
    if (end == std::string_view::npos || tags.size() == tags_max) return std::nullopt;
    tag.text = header.substr(0, end + 1);
    tags.push_back(std::move(tag));
    header = without_blanks(header.substr(end + 1));
    if (header.empty()) break;
    if (!header.starts_with(',')) return std::nullopt;
    header = without_blanks(header.substr(1));
    if (header.empty()) return std::nullopt;
  }
  if (tags.empty()) return std::nullopt;
  return tags;
}

}  // namespace

std::string etag_of(std::int64_t version) {
  return fmt::format("\"v{}\"", version);
}

std::expected<Precondition, Problem> Precondition::parse(std::optional<std::string_view> if_match,
                                                         std::optional<std::string_view> if_none_match, bool required) {
  Precondition match;
  match.given_ = if_match || if_none_match;
  if (!match.given_ && required)
    return refuse(Fault::precondition_required, "The server takes changes with a precondition only.");
  if (if_match && if_none_match)
    return refuse(Fault::invalid_header, "Send If-Match or If-None-Match, not both: together they never hold.");
  if (if_none_match) {
    if (!is_star(*if_none_match))
      return refuse(Fault::invalid_header, "A change takes If-None-Match with * only: nothing is there yet.");
    match.absent_ = true;
    return match;
  }
  if (!if_match) return match;
  if (is_star(*if_match)) {
    match.any_ = true;
    return match;
  }
  const auto tags = parse_tags(*if_match);
  if (!tags) {
    return refuse(
        Fault::invalid_header,
        "The header If-Match is not a list of ETags. Send the ETag of the resource with its quotes: \"v12\".");
  }
  for (const auto& tag : *tags)
    if (!tag.weak) match.tags_.push_back(tag.text);
  return match;
}

std::optional<Problem> Precondition::check(std::optional<std::int64_t> current) const {
  if (!given_ || (current && any_) || (!current && absent_)) return std::nullopt;
  if (current && std::ranges::find(tags_, etag_of(*current)) != tags_.end()) return std::nullopt;
  return precondition_failed(current);
}

std::optional<std::int64_t> Precondition::expected_version(std::optional<std::int64_t> current) const {
  if (absent_) return registry::no_row;
  return given_ && !any_ ? current : std::nullopt;
}

Problem precondition_failed(std::optional<std::int64_t> current) {
  return {.fault = Fault::precondition_failed,
          .detail = current ? fmt::format("The resource has version {} now.", *current)
                            : std::string("The resource is not there."),
          .current_version = current};
}

bool not_modified(std::optional<std::string_view> if_none_match, std::int64_t version) {
  if (!if_none_match) return false;
  if (is_star(*if_none_match)) return true;
  const auto tags = parse_tags(*if_none_match);
  return tags && std::ranges::find(*tags, etag_of(version), &Tag::text) != tags->end();
}

}  // namespace tokenrail::registry_api
