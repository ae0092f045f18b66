// GET /v1beta/models, and the publisher's models of Vertex AI.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_number.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/gemini.hpp"
#include "common/providers/model_entries.hpp"
#include "common/providers/other_api.hpp"
#include "common/url.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

/// What a method makes a model good for, in the registry's words.
struct Method {
  std::string_view name;
  std::string_view capability;
};
constexpr Method methods[] = {
    {"generateContent", "chat"}, {"generateContent", "streaming"}, {"embedContent", "embedding"}};
/// Of a model with other methods only, such as those for video and live audio.
constexpr std::string_view no_method = "other";

std::optional<std::int64_t> count_at(const events::ObjectReader& object, std::string_view key) {
  const auto element = object.find(key);
  if (!element) return std::nullopt;
  auto count = events::integer_of(*element);
  if (!count) count = events::whole_number(events::string_of(*element).value_or(""));
  return count && *count > 0 ? count : std::nullopt;
}

void read_capabilities(const events::ObjectReader& object, ListedModel& model) {
  dom::array list;
  const auto found = object.find("supportedGenerationMethods");
  if (!found || found->get_array().get(list) != simdjson::SUCCESS) return;
  for (const auto& method : methods) {
    const bool has = std::ranges::any_of(
        list, [&](dom::element element) { return events::string_of(element).value_or("") == method.name; });
    if (has) model.capabilities.emplace_back(method.capability);
  }
  if (model.capabilities.empty()) model.capabilities.emplace_back(no_method);
  if (object.flag("thinking")) model.capabilities.emplace_back("reasoning");
}

/// What is wrong with the entry, or nothing.
std::string read_listed(std::string_view json, ListedModel& model) {
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return "cannot be read";
  const events::ObjectReader object(document.root());
  if (!object.is_object()) return fmt::format("is {}, not an object", events::kind_of(document.root()));
  const auto name = object.text("name");
  // The collection is the same for all; requests work without it.
  constexpr std::string_view collections[] = {"models/", "publishers/google/models/"};
  model.name = name;
  for (const auto prefix : collections) {
    if (name.starts_with(prefix)) model.name = name.substr(prefix.size());
  }
  if (model.name.empty()) return "has no name";
  model.display_name = object.text("displayName");
  model.context_length = count_at(object, "inputTokenLimit");
  model.output_tokens_max = count_at(object, "outputTokenLimit");
  read_capabilities(object, model);
  return "";
}

std::unexpected<Error> not_it(std::string_view body) {
  if (auto other = other_api_text(body, "gemini"); !other.empty()) return fail(ErrorKind::unavailable, other);
  return fail(ErrorKind::unavailable,
              "the answer is not a list of Gemini's models; check that the base URL is that of the Gemini API");
}

/// False where the list cannot be read to its end.
bool read_models(ondemand::value value, ModelPage& page, std::set<std::string>& names) {
  ondemand::array array;
  return value.get_array().get(array) == simdjson::SUCCESS && read_model_entries(array, page, names, read_listed);
}

class Lister final : public ModelLister {
 public:
  [[nodiscard]] http::Request list(const Target& target, std::string_view page) const override {
    http::Request request;
    if (is_vertex(target.base_url)) {
      // Models belong to their publisher there, not to a project.
      const auto host = target.base_url.substr(0, target.base_url.size() - split_url(target.base_url).rest.size());
      request.url = host + "/v1beta1/publishers/google/models?pageSize=100";
    } else {
      request.url = api_url(target.base_url, "/v1beta", "/models?pageSize=1000");
    }
    if (!page.empty()) request.url += "&pageToken=" + percent_encoded(page);
    request.headers.push_back({.name = "Accept", .value = "application/json"});
    authorise(request, target.credential);
    return request;
  }

  [[nodiscard]] ModelFacts facts(const ListedModel& listed, const ModelDetails* details) const override {
    auto facts = ModelLister::facts(listed, details);
    if (facts.capabilities.erase(std::string(no_method)) > 0 && facts.kind == "generation") facts.kind = "other";
    return facts;
  }

  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    // Read on demand: each entry is parsed by itself, so that a bad one affects no other.
    ListDocument list(body);
    ondemand::object object;
    if (!list.valid() || list.document().get_object().get(object) != simdjson::SUCCESS) {
      return not_it(body);
    }
    ModelPage page;
    std::set<std::string> names;
    bool known = false;
    bool fields = false;
    for (auto result : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(result).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return not_it(body);
      }
      fields = true;
      if (key == "models" || key == "publisherModels") {
        known = true;
        if (!read_models(field.value(), page, names)) return not_it(body);
      } else if (key == "nextPageToken") {
        known = true;
        std::string_view token;
        if (field.value().get_string().get(token) == simdjson::SUCCESS) page.next = token;
      }
    }
    // An empty list is an empty object.
    if ((fields && !known)) return not_it(body);
    return page;
  }
};

}  // namespace

const ModelLister& lister() {
  static const Lister instance;
  return instance;
}

}  // namespace tokenrail::providers::gemini
