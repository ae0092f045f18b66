#include "tests/conformance/recorded_shapes.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "tests/conformance/exchanges.hpp"
#include "tests/conformance/json_tree.hpp"

namespace tokenrail::conformance {

namespace {

namespace dom = simdjson::dom;

/// Objects under these names are defined by the caller, not by the API.
constexpr std::string_view ends[] = {
    "parameters", "parametersJsonSchema", "input_schema", "schema", "args", "input", "arguments", "response", "data"};

void add_paths(dom::element element, const std::string& path, Paths& out) {
  dom::object object;
  dom::array array;
  if (element.get_object().get(object) == simdjson::SUCCESS) {
    const auto begin = path.find_last_of(".]");
    const auto name = std::string_view(path).substr(begin == std::string::npos ? 0 : begin + 1);
    // "response" is also the whole answer in an event of the Responses API.
    const bool whole = object["object"].error() == simdjson::SUCCESS;
    if (std::ranges::find(ends, name) != std::ranges::end(ends) && !whole) {
      out.insert(path + ":object");
      return;
    }
    for (const auto& [key, value] : object) {
      add_paths(value, path + (path.empty() ? "" : ".") + std::string(key), out);
    }
  } else if (element.get_array().get(array) == simdjson::SUCCESS) {
    for (const auto entry : array) {
      auto label = entry.is_object() ? tree::text(entry, "role") : "";
      if (label.empty() && entry.is_object()) label = tree::text(entry, "type");
      add_paths(entry, path + "[" + label + "]", out);
    }
  } else if (element.is_string()) {
    out.insert(path + ":string");
  } else if (element.is_bool()) {
    out.insert(path + ":bool");
  } else if (!element.is_null()) {
    out.insert(path + ":number");
  }
}

void add_text(dom::parser& parser, std::string_view json, Paths& out) {
  dom::element element;
  if (parser.parse(json.data(), json.size()).get(element) == simdjson::SUCCESS) add_paths(element, "", out);
}

bool is_chat(const Recording& recording) {
  constexpr std::string_view ends_of_paths[] = {"/chat",     "/chat/completions", "/responses",
                                                "/messages", ":generateContent",  ":streamGenerateContent"};
  return std::ranges::any_of(ends_of_paths, [&](auto end) { return recording.path.ends_with(end); });
}

Paths recorded(std::string_view folders, std::string Recording::* part) {
  Paths out;
  std::istringstream words{std::string(folders)};
  std::vector<std::string> names;
  for (std::string folder; words >> folder;) names.push_back(folder);
  for (const auto& name : cases_of(names)) {
    if (name.empty()) continue;
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    if (recording && recording->status == 200 && is_chat(*recording)) out.merge(paths_of((*recording).*part));
  }
  return out;
}

}  // namespace

Paths paths_of(std::string_view body) {
  Paths out;
  dom::parser parser;
  dom::element whole;
  if (parser.parse(body.data(), body.size()).get(whole) == simdjson::SUCCESS) {
    add_paths(whole, "", out);
    return out;
  }
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    auto line = body.substr(at, end - at);
    if (line.starts_with("data:")) line.remove_prefix(5);
    add_text(parser, line, out);
    at = end + 1;
  }
  return out;
}

const Paths& recorded_requests(std::string_view folders) {
  static std::map<std::string, Paths, std::less<>> known;
  const auto [found, fresh] = known.try_emplace(std::string(folders));
  if (fresh) found->second = recorded(folders, &Recording::request);
  return found->second;
}

const Paths& recorded_answers(std::string_view folders) {
  static std::map<std::string, Paths, std::less<>> known;
  const auto [found, fresh] = known.try_emplace(std::string(folders));
  if (fresh) found->second = recorded(folders, &Recording::body);
  return found->second;
}

}  // namespace tokenrail::conformance
