#include "common/providers/cohere/models.hpp"

#include <array>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/providers/cohere/endpoints.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/model_entries.hpp"
#include "common/providers/other_api.hpp"

namespace tokenrail::providers::cohere {

namespace {

namespace ondemand = simdjson::ondemand;

struct Word {
  std::string_view theirs;
  std::string_view ours;
};
/// What an endpoint says about the kind of a model; features are words that the registry has too.
constexpr std::array<Word, 7> endpoint_words{{{"chat", "chat"},
                                              {"chat", "streaming"},
                                              {"embed", "embedding"},
                                              {"embed_image", "embedding"},
                                              {"rerank", "rerank"},
                                              {"classify", "classification"},
                                              {"transcriptions", "transcription"}}};

/// Each word once, in the order in which they come.
class Capabilities {
 public:
  explicit Capabilities(std::vector<std::string>& words) : words_(words) {}
  void add(std::string_view word) {
    if (!word.empty() && known_.emplace(word).second) words_.emplace_back(word);
  }

 private:
  std::vector<std::string>& words_;
  std::set<std::string, std::less<>> known_{};
};

template <class Visit>
void for_each_text(const events::ObjectReader& object, std::string_view name, Visit visit) {
  const auto list = object.find(name);
  if (!list || !list->is_array()) return;
  for (const auto entry : simdjson::dom::array(list->get_array().value_unsafe())) {
    if (const auto text = events::string_of(entry)) visit(*text);
  }
}

/// What is wrong with the entry, or nothing.
std::string read_listed(std::string_view json, ListedModel& model) {
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return "cannot be read";
  const events::ObjectReader entry(document.root());
  if (!entry.is_object()) return "is not an object";
  model.name = entry.text("name");
  if (model.name.empty()) return "has no name";
  if (const auto length = entry.integer_if("context_length"); length && *length > 0) model.context_length = length;
  Capabilities capabilities(model.capabilities);
  for_each_text(entry, "endpoints", [&](std::string_view endpoint) {
    bool known = false;
    for (const auto& word : endpoint_words) {
      if (word.theirs != endpoint) continue;
      known = true;
      capabilities.add(word.ours);
    }
    if (!known) capabilities.add(endpoint);
  });
  for_each_text(entry, "features", [&](std::string_view feature) { capabilities.add(feature); });
  return "";
}

std::unexpected<Error> not_it(std::string_view body) {
  if (auto other = other_api_text(body, "cohere"); !other.empty()) return fail(ErrorKind::unavailable, other);
  return fail(ErrorKind::unavailable,
              "the answer to /v1/models is not a list of models; check that the base URL is Cohere's");
}

class Lister final : public ModelLister {
 public:
  [[nodiscard]] http::Request list(const Target& target, std::string_view page) const override {
    http::Request request;
    request.method = "GET";
    request.url = endpoint(target.base_url, "/v1/models?page_size=1000");
    if (!page.empty()) request.url += "&page_token=" + percent_encoded(page);
    request.headers.push_back({.name = "Accept", .value = "application/json"});
    authorise(request, target.credential);
    return request;
  }

  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    // Read on demand: each entry is parsed by itself, so that a bad one affects no other.
    ListDocument list(body);
    ondemand::object object;
    if (!list.valid() || list.document().get_object().get(object) != simdjson::SUCCESS) {
      return not_it(body);
    }
    ModelPage page;
    bool listed = false;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return not_it(body);
      const auto key = field.key();
      if (key == "models") {
        listed = read_models(field.value(), page);
        if (!listed) return not_it(body);
      } else if (key == "next_page_token") {
        std::string_view token;
        if (field.value().get_string().get(token) == simdjson::SUCCESS) page.next = token;
      }
    }
    if (!listed) return not_it(body);
    return page;
  }

 private:
  /// False where this is no list.
  static bool read_models(ondemand::value models, ModelPage& page) {
    bool null = false;
    if (models.is_null().get(null) == simdjson::SUCCESS && null) return true;
    ondemand::array array;
    if (models.get_array().get(array) != simdjson::SUCCESS) return false;
    std::set<std::string> names;
    return read_model_entries(array, page, names, read_listed);
  }
};

}  // namespace

const ModelLister& lister() {
  static const Lister lister;
  return lister;
}

}  // namespace tokenrail::providers::cohere
