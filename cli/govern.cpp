#include "cli/govern.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <simdjson.h>
#include <unistd.h>

#include "cli/governance.hpp"
#include "cli/table.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {

namespace {

/// Documents come from PostgreSQL in JSON's loose form; programs get them in one form, without blanks.
std::string compact(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return std::string(json);
  return simdjson::minify(root);
}

std::string shown(simdjson::dom::element element) {
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return {};
    case simdjson::dom::element_type::STRING:
      return without_controls(std::string(std::string_view(element.get_string().value_unsafe())));
    case simdjson::dom::element_type::ARRAY: {
      std::string text;
      for (const auto item : simdjson::dom::array(element.get_array().value_unsafe()))
        text += (text.empty() ? "" : ", ") + shown(item);
      return text;
    }
    default:
      return simdjson::minify(element);
  }
}

std::optional<simdjson::dom::element> element_at(simdjson::dom::parser& parser, std::string_view json,
                                                 std::string_view path) {
  simdjson::dom::element element;
  if (parser.parse(json).get(element) != simdjson::SUCCESS) return std::nullopt;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (element[path.substr(0, dot)].get(element) != simdjson::SUCCESS) return std::nullopt;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return element;
}

}  // namespace

registry::Actor actor_of(const Context& context) {
  const auto* user = ::getpwuid(::geteuid());
  return {.name = fmt::format("cli:{}", user != nullptr ? user->pw_name : "unknown"),
          .scope = scope_of(context),
          .all_organizations = true,
          .dry_run = context.call.has("dry-run")};
}

registry::Scope scope_of(const Context& context) {
  return {.org_id = context.call.value("org").value_or("")};
}

std::string member_of(std::string_view json, std::string_view path) {
  simdjson::dom::parser parser;
  const auto element = element_at(parser, json, path);
  return element ? shown(*element) : std::string();
}

std::vector<std::string> elements_of(std::string_view json, std::string_view path) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  const auto element = element_at(parser, json, path);
  std::vector<std::string> elements;
  if (!element || element->get_array().get(array) != simdjson::SUCCESS) return elements;
  for (const auto item : array) elements.push_back(simdjson::minify(item));
  return elements;
}

std::vector<std::pair<std::string, std::string>> members_of(std::string_view json, std::string_view path) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const auto element = element_at(parser, json, path);
  std::vector<std::pair<std::string, std::string>> members;
  if (!element || element->get_object().get(object) != simdjson::SUCCESS) return members;
  for (const auto member : object) members.emplace_back(member.key, shown(member.value));
  return members;
}

int with_governance(const Context& context, const std::function<int(Governance&)>& work) {
  const auto governance = open_governance(context);
  if (!governance) return context.failed(governance.error());
  return work(**governance);
}

int show_documents(const Context& context, const Result<std::vector<registry::Document>>& documents,
                   std::initializer_list<std::pair<const char*, const char*>> columns, std::string_view none) {
  if (!documents) return context.failed(documents.error());
  if (context.json()) {
    for (const auto& document : *documents) context.terminal.out_line(compact(document.json));
    return exit_done;
  }
  if (documents->empty()) {
    context.terminal.note(none);
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& [title, path] : columns) rows.front().emplace_back(title);
  for (const auto& document : *documents) {
    auto& row = rows.emplace_back();
    for (const auto& [title, path] : columns) row.push_back(member_of(document.json, path));
  }
  context.terminal.out(table(rows));
  return exit_done;
}

int show_document(const Context& context, const Result<registry::Document>& document) {
  if (!document) return context.failed(document.error());
  if (context.json()) {
    context.terminal.out_line(compact(document->json));
    return exit_done;
  }
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(document->json).get_object().get(members) != simdjson::SUCCESS) return exit_bad;
  std::vector<std::vector<std::string>> rows{{"FIELD", "VALUE"}};
  for (const auto member : members) {
    auto value = shown(member.value);
    if (!value.empty()) rows.push_back({std::string(member.key), std::move(value)});
  }
  context.terminal.out(table(rows));
  return exit_done;
}

int show_change(const Context& context, const Result<registry::Document>& document, std::string_view said) {
  if (!document) return context.failed(document.error());
  if (context.json()) context.terminal.out_line(compact(document->json));
  context.terminal.note(context.call.has("dry-run") ? "nothing was changed: this was a dry run" : said);
  return exit_done;
}

int show_done(const Context& context, const Result<void>& result, std::string_view said) {
  if (!result) return context.failed(result.error());
  context.terminal.note(context.call.has("dry-run") ? "nothing was changed: this was a dry run" : said);
  return exit_done;
}

std::string object_of(std::initializer_list<std::pair<std::string_view, std::string>> members) {
  std::string object;
  events::JsonWriter json(object);
  json.begin_object();
  for (const auto& [name, value] : members)
    if (!value.empty()) json.raw_field(name, value);
  json.end_object();
  return object;
}

std::string json_text(std::string_view text) {
  std::string out;
  events::append_json_string(out, text);
  return out;
}

}  // namespace tokenrail::cli
