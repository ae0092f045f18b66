// /api/tags, /api/version and /api/show.
#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_number.hpp"
#include "common/events/json_scan.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/model_entries.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "common/providers/other_api.hpp"

namespace tokenrail::providers::ollama {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

std::optional<std::int64_t> count_of(dom::element element) {
  auto count = events::integer_of(element);
  if (!count) count = events::whole_number(events::string_of(element).value_or(""));
  return count && *count > 0 ? count : std::nullopt;
}

std::optional<std::int64_t> count_at(const events::ObjectReader& object, std::string_view key) {
  const auto element = object.find(key);
  return element ? count_of(*element) : std::nullopt;
}

/// True where the field is there as a list, an empty one included. Entries that are no words are left out.
bool texts_at(const events::ObjectReader& object, std::string_view key, std::vector<std::string>& out) {
  const auto list = object.find(key);
  if (!list || !list->is_array()) return false;
  for (const auto element : simdjson::dom::array(list->get_array().value_unsafe())) {
    const auto text = events::string_of(element);
    if (text && !text->empty()) out.emplace_back(*text);
  }
  return true;
}

/// What is wrong with the entry, or nothing. `json` may be any bytes.
std::string read_listed(std::string_view json, ListedModel& model) {
  const events::JsonDocument document(json);
  if (document.error() == simdjson::NUMBER_ERROR) {
    // The scan has no bound on numbers, so the entry can still be named.
    const auto raw = events::scan_json(json, {"name", "model", ""}).fields;
    const auto name = events::decode_json_string(raw[0] ? *raw[0] : raw[1].value_or("")).value_or("");
    return fmt::format("(\"{}\") has a number that no 64 bits can express", quotable(name, 100));
  }
  if (document.error() != simdjson::SUCCESS) return "is not JSON";
  const events::ObjectReader object(document.root());
  if (!object.is_object()) return fmt::format("is {}, not an object", events::kind_of(document.root()));
  model.name = object.text("name");
  if (model.name.empty()) model.name = object.text("model");
  if (model.name.empty()) return "has no name";
  model.digest = object.text("digest");
  model.modified_at = object.text("modified_at");
  model.size_bytes = count_at(object, "size").value_or(0);
  texts_at(object, "capabilities", model.capabilities);
  if (const auto element = object.find("details")) {
    const events::ObjectReader details(*element);
    model.family = details.text("family");
    model.parameter_size = details.text("parameter_size");
    model.quantization = details.text("quantization_level");
    model.context_length = count_at(details, "context_length");
  }
  return "";
}

/// False where the JSON is broken. An entry that is no word is left out.
bool read_capabilities(ondemand::value value, ModelDetails& details) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return true;
  details.capabilities_known = true;
  for (auto element : array) {
    ondemand::value word;
    if (std::move(element).get(word) != simdjson::SUCCESS) return false;
    std::string_view text;
    if (word.get_string().get(text) == simdjson::SUCCESS && !text.empty()) details.capabilities.emplace_back(text);
  }
  return true;
}

/// The fields of `model_info` that say something here.
struct ModelInfo {
  std::string architecture{};
  std::vector<std::pair<std::string, std::int64_t>> counts{};

  /// False where the JSON is broken.
  bool read(ondemand::value value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return true;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return false;
      std::string_view unescaped;
      if (field.unescaped_key().get(unescaped) != simdjson::SUCCESS) return false;
      std::string key(unescaped);
      auto fact = field.value();
      if (key == "general.architecture") {
        std::string_view text;
        if (fact.get_string().get(text) == simdjson::SUCCESS) architecture = text;
      } else if (key == "general.parameter_count" || key.ends_with("_length")) {
        const auto number = events::whole_number(fact.raw_json_token());
        if (number && *number > 0) counts.emplace_back(std::move(key), *number);
      }
    }
    return true;
  }
  [[nodiscard]] std::optional<std::int64_t> count(std::string_view key) const {
    const auto found = std::ranges::find(counts, key, &std::pair<std::string, std::int64_t>::first);
    return found == counts.end() ? std::nullopt : std::optional(found->second);
  }
  /// `<architecture>.<suffix>`, else the first key that ends so: models of several parts have several.
  [[nodiscard]] std::optional<std::int64_t> count_of_architecture(std::string_view suffix) const {
    if (const auto own = architecture.empty() ? std::nullopt : count(architecture + std::string(suffix))) return own;
    const auto found = std::ranges::find_if(counts, [&](const auto& entry) { return entry.first.ends_with(suffix); });
    return found == counts.end() ? std::nullopt : std::optional(found->second);
  }
};

std::unexpected<Error> not_it(std::string_view body, std::string_view what) {
  if (auto other = other_api_text(body, "ollama"); !other.empty()) return fail(ErrorKind::unavailable, other);
  return fail(ErrorKind::unavailable, std::string(what));
}

}  // namespace

http::Request list_models(const Target& target) {
  http::Request request;
  request.method = "GET";
  request.url = target.base_url + "/api/tags";
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target.credential);
  return request;
}

Result<ModelPage> parse_model_list(std::string_view body) {
  constexpr std::string_view not_one =
      "the answer to /api/tags is not a list of models; check that the base URL is Ollama's";
  constexpr std::string_view no_list = "the answer to /api/tags has no list under \"models\"";
  // Read on demand: each entry is parsed by itself, so that a bad one affects no other.
  ListDocument text(body);
  ondemand::object object;
  ondemand::value models;
  if (!text.valid() || text.document().get_object().get(object) != simdjson::SUCCESS ||
      object.find_field_unordered("models").get(models) != simdjson::SUCCESS) {
    return not_it(body, not_one);
  }
  ModelPage list;
  bool null = false;
  if (models.is_null().get(null) == simdjson::SUCCESS && null) return list;  // how the server writes an empty list
  ondemand::array array;
  if (models.get_array().get(array) != simdjson::SUCCESS) return not_it(body, no_list);
  std::set<std::string> names;
  if (!read_model_entries(array, list, names, read_listed)) return not_it(body, not_one);
  return list;
}

http::Request ask_version(const Target& target) {
  http::Request request;
  request.url = target.base_url + "/api/version";
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target.credential);
  return request;
}

std::string parse_version(std::string_view body) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return {};
  return events::ObjectReader(document.root()).text("version");
}

http::Request show_model(const Target& target, std::string_view model) {
  http::Request request;
  request.method = "POST";
  request.url = target.base_url + "/api/show";
  request.headers.push_back({.name = "Content-Type", .value = "application/json"});
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target.credential);
  events::JsonWriter json(request.body);
  json.begin_object();
  json.field("model", model);
  json.end_object();
  return request;
}

Result<ModelDetails> parse_model_details(std::string_view body) {
  constexpr std::string_view not_one =
      "the answer to /api/show does not describe a model; check that the base URL is Ollama's";
  // Read on demand: a value that cannot be read costs that fact alone.
  ListDocument text(body);
  ondemand::object object;
  if (!text.valid() || text.document().get_object().get(object) != simdjson::SUCCESS) return not_it(body, not_one);
  ModelDetails details;
  ModelInfo info;
  bool describes = false;
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return not_it(body, not_one);
    const auto key = field.key();
    describes = describes || key == "model_info" || key == "details";
    if (key == "capabilities" && !read_capabilities(field.value(), details)) return not_it(body, not_one);
    if (key == "model_info" && !info.read(field.value())) return not_it(body, not_one);
  }
  if (!describes) return not_it(body, not_one);
  details.architecture = info.architecture;
  details.parameter_count = info.count("general.parameter_count");
  details.context_length = info.count_of_architecture(".context_length");
  details.embedding_length = info.count_of_architecture(".embedding_length");
  return details;
}

}  // namespace tokenrail::providers::ollama
