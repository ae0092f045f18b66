// /api/tags and /api/show.
#include <cctype>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/ollama/authorise.hpp"
#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {

namespace {

namespace dom = simdjson::dom;

std::string text_at(const dom::object& object, std::string_view key) {
  std::string_view text;
  return object[key].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::optional<std::int64_t> count_at(const dom::object& object, std::string_view key) {
  std::int64_t count = 0;
  if (object[key].get_int64().get(count) != simdjson::SUCCESS || count <= 0) return std::nullopt;
  return count;
}

/// True where the field is there as a list, an empty one included.
bool texts_at(const dom::object& object, std::string_view key, std::vector<std::string>& out) {
  dom::array array;
  if (object[key].get_array().get(array) != simdjson::SUCCESS) return false;
  for (const auto element : array) {
    std::string_view text;
    if (element.get_string().get(text) == simdjson::SUCCESS && !text.empty()) out.emplace_back(text);
  }
  return true;
}

bool read_listed(const dom::element& element, ListedModel& model) {
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return false;
  model.name = text_at(object, "name");
  if (model.name.empty()) model.name = text_at(object, "model");
  if (model.name.empty()) return false;
  model.digest = text_at(object, "digest");
  model.modified_at = text_at(object, "modified_at");
  model.size_bytes = count_at(object, "size").value_or(0);
  texts_at(object, "capabilities", model.capabilities);
  dom::object details;
  if (object["details"].get_object().get(details) == simdjson::SUCCESS) {
    model.family = text_at(details, "family");
    model.parameter_size = text_at(details, "parameter_size");
    model.quantization = text_at(details, "quantization_level");
    model.context_length = count_at(details, "context_length");
  }
  return true;
}

/// `<architecture>.<suffix>`, else the first key that ends so: models of several parts have several.
std::optional<std::int64_t> architecture_count(const dom::object& info, const std::string& architecture,
                                               std::string_view suffix) {
  if (!architecture.empty()) {
    if (const auto count = count_at(info, architecture + std::string(suffix))) return count;
  }
  for (const auto& [key, value] : info) {
    std::int64_t count = 0;
    if (key.ends_with(suffix) && value.get_int64().get(count) == simdjson::SUCCESS && count > 0) return count;
  }
  return std::nullopt;
}

}  // namespace

std::string normal_base_url(std::string_view base_url) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = base_url.find_first_not_of(blanks);
  if (first == std::string_view::npos) return "";
  base_url = base_url.substr(first, base_url.find_last_not_of(blanks) - first + 1);
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  if (base_url.empty()) return "";

  std::string url(base_url);
  auto host = url.find("://");
  if (host == std::string::npos) {
    url.insert(0, "http://");  // as Ollama's own clients read "localhost:11434"
    host = 4;
  }
  // Scheme and host mean the same in any case; user, password and path do not.
  const auto path = std::min(url.find_first_of("/?#", host + 3), url.size());
  const auto at = url.substr(0, path).rfind('@');
  const auto host_begin = at == std::string::npos ? host + 3 : at + 1;
  const auto lower = [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) url[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(url[i])));
  };
  lower(0, host);
  lower(host_begin, path);
  return url;
}

http::Request list_models(const Target& target) {
  http::Request request;
  request.method = "GET";
  request.url = target.base_url + "/api/tags";
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target);
  return request;
}

Result<ModelList> parse_model_list(std::string_view body) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  dom::element models;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root.get_object().get(object) != simdjson::SUCCESS || object["models"].get(models) != simdjson::SUCCESS) {
    return fail(ErrorKind::unavailable,
                "the answer to /api/tags is not a list of models; check that the base URL is Ollama's");
  }
  ModelList list;
  if (models.is_null()) return list;  // how the server writes an empty list
  dom::array array;
  if (models.get_array().get(array) != simdjson::SUCCESS) {
    return fail(ErrorKind::unavailable, "the answer to /api/tags has no list under \"models\"");
  }
  std::set<std::string> names;
  int entry = 1;
  for (const auto element : array) {
    ListedModel model;
    std::string_view problem;
    if (!read_listed(element, model)) {
      problem = "has no name";
    } else if (!names.insert(model.name).second) {
      problem = "has the name of another";
    }
    if (problem.empty()) {
      list.models.push_back(std::move(model));
    } else if (++list.skipped == 1) {
      list.first_skipped = fmt::format("entry {} {}", entry, problem);
    }
    ++entry;
  }
  return list;
}

http::Request show_model(const Target& target) {
  http::Request request;
  request.method = "POST";
  request.url = target.base_url + "/api/show";
  request.headers.push_back({.name = "Content-Type", .value = "application/json"});
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target);
  events::JsonWriter json(request.body);
  json.begin_object();
  json.field("model", target.upstream_name);
  json.end_object();
  return request;
}

Result<ModelDetails> parse_model_details(std::string_view body) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root.get_object().get(object) != simdjson::SUCCESS ||
      (object["model_info"].error() != simdjson::SUCCESS && object["details"].error() != simdjson::SUCCESS)) {
    return fail(ErrorKind::unavailable,
                "the answer to /api/show does not describe a model; check that the base URL is Ollama's");
  }
  ModelDetails details;
  details.capabilities_known = texts_at(object, "capabilities", details.capabilities);
  dom::object info;
  if (object["model_info"].get_object().get(info) == simdjson::SUCCESS) {
    details.architecture = text_at(info, "general.architecture");
    details.parameter_count = count_at(info, "general.parameter_count");
    details.context_length = architecture_count(info, details.architecture, ".context_length");
    details.embedding_length = architecture_count(info, details.architecture, ".embedding_length");
  }
  return details;
}

}  // namespace tokenrail::providers::ollama
