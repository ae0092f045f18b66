#include "common/providers/openai_responses/response_fields.hpp"

#include <utility>

#include "common/events/json_writer.hpp"
#include "common/providers/estimate.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::ObjectReader;

ObjectReader object_at(const ObjectReader& object, std::string_view name) {
  const auto element = object.find(name);
  return element ? ObjectReader(*element) : ObjectReader();
}

std::optional<std::int64_t> count_at(const ObjectReader& object, std::string_view name) {
  const auto value = object.integer_if(name);
  return value && *value >= 0 ? value : std::nullopt;
}

}  // namespace

events::Usage usage_of(const ObjectReader& response, std::size_t prompt_bytes, std::size_t answer_bytes) {
  events::Usage usage;
  const auto counts = object_at(response, "usage");
  const auto input = count_at(counts, "input_tokens");
  const auto output = count_at(counts, "output_tokens");
  usage.estimated = !input && !output;
  usage.input_tokens = usage.estimated ? estimated_tokens(prompt_bytes) : input.value_or(0);
  usage.output_tokens = usage.estimated ? estimated_tokens(answer_bytes) : output.value_or(0);
  usage.cached_input_tokens = count_at(object_at(counts, "input_tokens_details"), "cached_tokens");
  usage.cache_write_input_tokens = count_at(object_at(counts, "input_tokens_details"), "cache_write_tokens");
  usage.reasoning_tokens = count_at(object_at(counts, "output_tokens_details"), "reasoning_tokens");
  return usage;
}

int status_in_error(const ObjectReader& event) {
  for (const auto& source : {object_at(event, "error"), event}) {
    for (const auto* const name : {"status", "status_code", "code"}) {
      const auto value = source.integer_if(name);
      if (value && *value >= 300 && *value < 600) return static_cast<int>(*value);
    }
  }
  return 0;
}

std::string placed_block(std::string item, const Place& place) {
  if (!place.after_text && place.after_calls == 0) return item;
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("afterText", place.after_text);
  json.field("afterCalls", static_cast<std::int64_t>(place.after_calls));
  json.raw_field("item", item);
  json.end_object();
  return out;
}

std::optional<PlacedItem> read_placed_block(std::string_view data) {
  const events::JsonDocument document(data);
  if (document.error() != simdjson::SUCCESS) return std::nullopt;
  const ObjectReader block(document.root());
  const auto wrapped = block.find("item");
  const ObjectReader item(wrapped ? *wrapped : document.root());
  const auto type = item.find("type");
  if (!type || events::string_of(*type).value_or("") != "reasoning") return std::nullopt;
  PlacedItem out{.item = wrapped ? std::string(simdjson::minify(*wrapped)) : std::string(data)};
  if (wrapped) {
    out.place.after_text = block.flag("afterText");
    out.place.after_calls = static_cast<std::size_t>(count_at(block, "afterCalls").value_or(0));
  }
  return out;
}

}  // namespace tokenrail::providers::openai_responses
