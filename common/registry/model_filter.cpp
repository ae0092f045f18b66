#include "common/registry/model_filter.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry {

namespace {

using simdjson::dom::element;

std::unexpected<Error> wrong(std::string_view member, std::string_view needed, element value) {
  return fail(ErrorKind::invalid_input,
              fmt::format("The member {} of the filter must be {}, not {}.", member, needed, events::kind_of(value)));
}

Result<void> take_text(std::string_view member, element value, std::string& into) {
  const auto text = events::string_of(value);
  if (!text) return wrong(member, "a string", value);
  into = *text;
  return {};
}

Result<void> take_words(std::string_view member, element value, std::vector<std::string>& into) {
  simdjson::dom::array words;
  if (value.get(words) != simdjson::SUCCESS) return wrong(member, "a list of strings", value);
  for (const auto word : words) {
    auto& added = into.emplace_back();
    if (auto taken = take_text(member, word, added); !taken) return taken;
  }
  return {};
}

template <class Flag>
Result<void> take_flag(std::string_view member, element value, Flag& into) {
  bool flag = false;
  if (value.get(flag) != simdjson::SUCCESS) return wrong(member, "true or false", value);
  into = flag;
  return {};
}

Result<void> take(std::string_view member, element value, ModelFilter& filter) {
  if (member == "kind") return take_text(member, value, filter.kind);
  if (member == "provider") return take_text(member, value, filter.provider);
  if (member == "status") return take_text(member, value, filter.status);
  if (member == "scope") return take_text(member, value, filter.scope);
  if (member == "q") return take_text(member, value, filter.search);
  if (member == "capabilities") return take_words(member, value, filter.capabilities);
  if (member == "tags") return take_words(member, value, filter.tags);
  if (member == "hidden") return take_flag(member, value, filter.hidden);
  if (member == "free") return take_flag(member, value, filter.free);
  if (member == "contextMin") {
    filter.context_min = events::integer_of(value);
    if (!filter.context_min) return wrong(member, "a whole number", value);
    return {};
  }
  return fail(
      ErrorKind::invalid_input,
      fmt::format("A filter has no member {}. It may have kind, provider, status, capabilities, tags, scope, q, "
                  "hidden, free and contextMin.",
                  member));
}

void write_words(events::JsonWriter& json, std::string_view name, const std::vector<std::string>& words) {
  if (words.empty()) return;
  json.begin_array(name);
  for (const auto& word : words) json.element(word);
  json.end_array();
}

}  // namespace

Result<ModelFilter> model_filter_from_json(std::string_view text) {
  const events::JsonDocument document(text);
  simdjson::dom::object members;
  if (document.error() != simdjson::SUCCESS || document.root().get(members) != simdjson::SUCCESS)
    return fail(ErrorKind::invalid_input, "The filter of a view must be a JSON object.");
  ModelFilter filter;
  for (const auto member : members)
    if (auto taken = take(member.key, member.value, filter); !taken) return std::unexpected(taken.error());
  return filter;
}

std::string model_filter_json(const ModelFilter& filter) {
  std::string text;
  events::JsonWriter json(text);
  const auto word = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) json.field(name, value);
  };
  json.begin_object();
  word("kind", filter.kind);
  word("provider", filter.provider);
  word("status", filter.status);
  write_words(json, "capabilities", filter.capabilities);
  write_words(json, "tags", filter.tags);
  word("scope", filter.scope);
  word("q", filter.search);
  if (!filter.hidden) json.field("hidden", false);
  if (filter.free) json.field("free", *filter.free);
  if (filter.context_min) json.field("contextMin", *filter.context_min);
  json.end_object();
  return text;
}

std::string search_pattern(std::string_view search) {
  constexpr std::size_t trigram = 3;
  constexpr auto is_letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::string_view longest;
  std::size_t letters_max = 0;
  for (std::size_t begin = 0; begin < search.size();) {
    const auto word = search.substr(begin, search.substr(begin).find(' '));
    begin += word.size() + 1;
    // Trigrams are of letters and digits that follow each other; which other letters are some depends on the database.
    std::size_t run = 0;
    std::size_t longest_run = 0;
    for (const char c : word) {
      run = is_letter(c) ? run + 1 : 0;
      longest_run = std::max(longest_run, run);
    }
    if (longest_run <= letters_max) continue;
    letters_max = longest_run;
    longest = word;
  }
  if (letters_max < trigram) return {};
  std::string pattern = "%";
  for (const char c : longest) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace tokenrail::registry
