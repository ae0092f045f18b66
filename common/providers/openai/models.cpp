// Lists of models in OpenAI's form, with the fields that each server adds.
#include <algorithm>
#include <initializer_list>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/catalog/catalog.hpp"
#include "common/events/json_document.hpp"
#include "common/events/json_number.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/model_entries.hpp"
#include "common/providers/openai/openai.hpp"
#include "common/providers/other_api.hpp"

namespace tokenrail::providers::openai {

namespace {

namespace ondemand = simdjson::ondemand;
using events::ObjectReader;

constexpr std::size_t page_bytes_max = 512;

struct Field {
  std::string_view parent;  ///< empty: of the entry itself
  std::string_view name;
};
/// The first that is a positive count holds.
constexpr Field context_fields[] = {
    {"", "context_length"},              // OpenRouter, Together, Groq
    {"", "max_model_len"},               // vLLM
    {"", "context_window"},              // Groq
    {"", "max_context_length"},          // Mistral, LM Studio
    {"", "max_input_tokens"},            // gateways
    {"meta", "n_ctx"},                   // llama.cpp: as the server was started
    {"meta", "n_ctx_train"},             // llama.cpp: as the model was made
    {"top_provider", "context_length"},  // OpenRouter
};
constexpr Field output_fields[] = {{"", "max_completion_tokens"},
                                   {"", "max_output_length"},
                                   {"", "max_output_tokens"},
                                   {"top_provider", "max_completion_tokens"}};

struct Word {
  std::string_view theirs;
  std::string_view ours;
};
/// Flags of `capabilities` (Mistral, LM Studio), entries of it (llama.cpp), `supported_parameters` (OpenRouter), and
/// `supported_features` (Groq).
constexpr Word capability_words[] = {
    {"completion_chat", "chat"},
    {"completion", "chat"},
    {"function_calling", "tools"},
    {"trained_for_tool_use", "tools"},
    {"tool_use", "tools"},
    {"tools", "tools"},
    {"reasoning", "reasoning"},
    {"vision", "vision"},
    {"multimodal", "vision"},
    {"audio", "audio_in"},
    {"completion_fim", "fill_in_middle"},
    {"response_format", "json_mode"},
    {"json_mode", "json_mode"},
    {"structured_outputs", "json_schema"},
    {"embedding", "embedding"},
    {"embeddings", "embedding"},
};
constexpr Word modality_words[] = {{"image", "vision"}, {"audio", "audio_in"}, {"file", "files"}};

std::optional<std::int64_t> first_count(const ObjectReader& entry, std::span<const Field> fields) {
  for (const auto& [parent, name] : fields) {
    const auto holder = parent.empty() ? std::nullopt : entry.find(parent);
    if (!parent.empty() && !holder) continue;
    const auto found = holder ? ObjectReader(*holder).find(name) : entry.find(name);
    if (!found) continue;
    auto count = events::integer_of(*found);
    if (!count) count = events::whole_number(events::string_of(*found).value_or(""));
    if (count && *count > 0) return count;
  }
  return std::nullopt;
}

void add_word(std::vector<std::string>& out, std::span<const Word> words, std::string_view theirs) {
  for (const auto& word : words) {
    if (word.theirs != theirs) continue;
    if (std::ranges::find(out, word.ours) == out.end()) out.emplace_back(word.ours);
  }
}

/// Words of a list, or names of an object's fields that are true.
void add_words(std::vector<std::string>& out, std::span<const Word> words, const ObjectReader& object,
               std::string_view name) {
  const auto found = object.find(name);
  if (!found) return;
  if (found->is_array()) {
    for (const auto entry : simdjson::dom::array(found->get_array().value_unsafe())) {
      add_word(out, words, events::string_of(entry).value_or(""));
    }
  } else if (found->is_object()) {
    for (const auto& [key, value] : simdjson::dom::object(found->get_object().value_unsafe())) {
      bool flag = false;
      if (value.get_bool().get(flag) == simdjson::SUCCESS && flag) add_word(out, words, key);
    }
  }
}

bool lists(const ObjectReader& object, std::string_view name, std::string_view word) {
  const auto found = object.find(name);
  if (!found || !found->is_array()) return false;
  return std::ranges::any_of(found->get_array().value_unsafe(),
                             [&](auto entry) { return events::string_of(entry).value_or("") == word; });
}

void read_capabilities(const ObjectReader& entry, ListedModel& model) {
  auto& out = model.capabilities;
  for (const auto* const name : {"capabilities", "supported_parameters", "supported_features"}) {
    add_words(out, capability_words, entry, name);
  }
  add_words(out, modality_words, entry, "input_modalities");
  if (lists(entry, "output_modalities", "text")) out.emplace_back("chat");
  if (const auto architecture = entry.find("architecture"); architecture && architecture->is_object()) {
    const ObjectReader shape(*architecture);
    add_words(out, modality_words, shape, "input_modalities");
    if (lists(shape, "output_modalities", "text")) out.emplace_back("chat");
  }
  const auto type = entry.text("type");
  if (type == "llm" || type == "vlm" || type == "chat") out.emplace_back("chat");
  if (type == "vlm") out.emplace_back("vision");
  if (type == "embedding" || type == "embeddings") out.emplace_back("embedding");
  std::ranges::sort(out);
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
}

/// What is wrong with the entry, or nothing.
std::string read_listed(std::string_view json, ListedModel& model, bool& listed) {
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return "cannot be read";
  const ObjectReader entry(document.root());
  if (!entry.is_object()) return fmt::format("is {}, not an object", events::kind_of(document.root()));
  for (const auto* const name : {"id", "key", "name", "model"}) {
    if (model.name.empty()) model.name = entry.text(name);
  }
  if (model.name.empty()) return "has no id";
  listed = entry.flag("active", true);  // Groq lists models that it does not serve
  for (const auto* const name : {"display_name", "name"}) {
    if (model.display_name.empty()) model.display_name = entry.text(name);
  }
  if (model.display_name == model.name) model.display_name.clear();
  model.context_length = first_count(entry, context_fields);
  model.output_tokens_max = first_count(entry, output_fields);
  constexpr Field size_fields[] = {{"", "size_bytes"}, {"meta", "size"}};
  model.size_bytes = first_count(entry, size_fields).value_or(0);
  model.parameter_size = entry.text("params_string");
  model.family = entry.text("architecture");
  if (model.family.empty()) model.family = entry.text("arch");
  model.quantization = entry.text("quantization");
  for (const auto& [parent, name] : {Field{"quantization", "name"}, Field{"meta", "ftype"}}) {
    if (const auto object = entry.find(parent); object && model.quantization.empty()) {
      model.quantization = ObjectReader(*object).text(name);
    }
  }
  if (const auto pricing = entry.find("pricing"); pricing && pricing->is_object())
    model.prices = catalog::listed_prices(simdjson::minify(*pricing), entry.text("type"));
  read_capabilities(entry, model);
  return "";
}

std::unexpected<Error> not_it(std::string_view body, std::string_view adapter) {
  const auto other = other_api_text(body, adapter);
  // "An OpenAI-compatible server" is what was asked for.
  if (!other.empty() && !other.contains("an OpenAI-compatible server")) return fail(ErrorKind::unavailable, other);
  return fail(
      ErrorKind::unavailable,
      "the answer to /models is not a list of models; check that the base URL leads to an OpenAI-compatible API");
}

/// The query of `links.next` (OpenRouter), or what `has_more` asks for.
std::string next_page(std::string_view body, const ModelPage& page) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return "";
  const ObjectReader root(document.root());
  if (const auto links = root.find("links")) {
    const auto next = ObjectReader(*links).text("next");
    const auto query = next.find('?');
    if (query != std::string::npos && next.size() - query <= page_bytes_max) return next.substr(query + 1);
  }
  if (!root.flag("has_more") || page.models.empty()) return "";
  const auto last = root.text("last_id");
  return "after=" + percent_encoded(last.empty() ? page.models.back().name : last);
}

/// The list itself, wherever the server puts it.
bool find_list(ondemand::document& document, ondemand::array& out) {
  ondemand::json_type type{};
  if (document.type().get(type) != simdjson::SUCCESS) return false;
  if (type == ondemand::json_type::array) return document.get_array().get(out) == simdjson::SUCCESS;
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  for (const auto* const name : {"data", "models"}) {
    ondemand::value value;
    const auto error = object.find_field_unordered(name).get(value);
    if (error == simdjson::SUCCESS && value.get_array().get(out) == simdjson::SUCCESS) return true;
    // After any other error the parser cannot go on in this document.
    if (error != simdjson::SUCCESS && error != simdjson::NO_SUCH_FIELD) return false;
  }
  return false;
}

}  // namespace

http::Request list_request(const Target& target, std::string url, std::string_view page) {
  http::Request request;
  request.method = "GET";
  request.url = std::move(url);
  if (!page.empty()) {
    request.url += request.url.contains('?') ? '&' : '?';
    request.url += page;
  }
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target.credential);
  return request;
}

Result<ModelPage> parse_model_list(std::string_view body, std::string_view adapter) {
  // Read on demand: each entry is parsed by itself, so that a bad one affects no other.
  ListDocument list(body);
  ondemand::array array;
  if (!list.valid() || !find_list(list.document(), array)) return not_it(body, adapter);
  ModelPage page;
  std::set<std::string> names;
  std::set<std::string> inactive;
  const auto read = [&](std::string_view json, ListedModel& model) {
    bool listed = true;
    auto problem = read_listed(json, model, listed);
    if (!listed && !names.contains(model.name)) inactive.insert(model.name);
    return problem;
  };
  if (!read_model_entries(array, page, names, read)) return not_it(body, adapter);
  std::erase_if(page.models, [&](const ListedModel& model) { return inactive.contains(model.name); });
  page.next = next_page(list.text(), page);
  return page;
}

}  // namespace tokenrail::providers::openai
