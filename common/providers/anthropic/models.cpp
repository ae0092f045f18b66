// /v1/models.
#include <set>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/providers/anthropic/anthropic.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/model_entries.hpp"
#include "common/providers/other_api.hpp"

namespace tokenrail::providers::anthropic {

namespace {

namespace ondemand = simdjson::ondemand;
using events::ObjectReader;

/// Anthropic's words for what a model can do beyond what all of them can.
struct Capability {
  std::string_view theirs;
  std::string_view ours;
};
constexpr Capability capabilities[] = {{"image_input", "vision"},
                                       {"pdf_input", "files"},
                                       {"structured_outputs", "json_schema"},
                                       {"thinking", "reasoning"}};

std::optional<std::int64_t> positive(const ObjectReader& object, std::string_view name) {
  const auto count = object.integer_if(name);
  return count && *count > 0 ? count : std::nullopt;
}

/// What is wrong with the entry, or nothing. `json` may be any bytes.
std::string read_entry(std::string_view json, ListedModel& model) {
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return "is not JSON";
  const ObjectReader entry(document.root());
  if (!entry.is_object()) return fmt::format("is {}, not an object", events::kind_of(document.root()));
  model.name = entry.text("id");
  if (model.name.empty()) return "has no id";
  model.display_name = entry.text("display_name");
  model.modified_at = entry.text("created_at");
  model.context_length = positive(entry, "max_input_tokens");
  model.output_tokens_max = positive(entry, "max_tokens");
  const auto told = entry.find("capabilities");
  if (!told || !told->is_object()) return "";  // older servers do not say
  model.capabilities = {"chat", "streaming", "tools"};
  const ObjectReader flags(*told);
  for (const auto& row : capabilities) {
    const auto flag = flags.find(row.theirs);
    if (flag && ObjectReader(*flag).flag("supported")) model.capabilities.emplace_back(row.ours);
  }
  return "";
}

std::unexpected<Error> not_it(std::string_view body) {
  auto other = other_api_text(body, "anthropic");
  if (other.empty()) {
    other = "the answer to /v1/models has no list under \"data\"; check that the base URL is that of Anthropic's API";
  }
  return fail(ErrorKind::unavailable, std::move(other));
}

}  // namespace

http::Request list_models(const Target& target, std::string_view page) {
  http::Request request;
  request.method = "GET";
  request.url = url_of(target.base_url, "/models?limit=1000");
  if (!page.empty()) request.url += "&after_id=" + percent_encoded(page);
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(request, target.credential);
  return request;
}

Result<ModelPage> parse_model_list(std::string_view body) {
  // Read on demand: each entry is parsed by itself, so that a bad one affects no other.
  ListDocument list(body);
  ondemand::object object;
  if (!list.valid() || list.document().get_object().get(object) != simdjson::SUCCESS) {
    return not_it(body);
  }
  ModelPage page;
  bool has_list = false;
  bool more = false;
  std::string last;
  std::set<std::string> names;
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return not_it(body);
    const auto key = field.key();
    ondemand::value value = field.value();
    if (key == "has_more") {
      if (value.get_bool().get(more) != simdjson::SUCCESS) more = false;
    } else if (key == "last_id") {
      std::string_view text;
      if (value.get_string().get(text) == simdjson::SUCCESS) last = text;
    } else if (key == "data" && !has_list) {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return not_it(body);
      has_list = true;
      if (!read_model_entries(array, page, names, read_entry, "id")) return not_it(body);
    }
  }
  if (!has_list) return not_it(body);
  // A server that repeats itself must not make an endless list of it.
  if (more && !page.models.empty()) page.next = last.empty() ? page.models.back().name : last;
  return page;
}

}  // namespace tokenrail::providers::anthropic
