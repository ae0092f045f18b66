#include "common/providers/openai/reasoning_details.hpp"

#include <string_view>
#include <utility>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::providers::openai {

std::size_t ReasoningDetails::add(const simdjson::dom::element& entry) {
  const events::ObjectReader reader(entry);
  if (!reader.is_object()) return 0;
  const auto string_at = [&](std::string_view name) {
    const auto found = reader.find(name);
    return found ? events::string_of(*found) : std::nullopt;
  };
  const auto type = string_at("type").value_or("");
  const auto index = reader.integer_if("index");
  const bool joins = !details_.empty() && index && details_.back().index == index && details_.back().type == type &&
                     (type == "reasoning.text" || type == "reasoning.summary");
  if (!joins) details_.push_back({.type = std::string(type), .index = index});
  auto& detail = details_.back();
  std::size_t added = joins ? 0 : sizeof(Detail);
  if (const auto text = string_at("text")) {
    detail.text += *text;
    detail.has_text = true;
    added += text->size();
  }
  if (const auto summary = string_at("summary")) {
    detail.summary += *summary;
    detail.has_summary = true;
    added += summary->size();
  }
  for (const auto& [key, value] : simdjson::dom::object(entry.get_object().value_unsafe())) {
    if (key == "type" || key == "index" || key == "text" || key == "summary" || value.is_null()) continue;
    auto json = std::string(simdjson::minify(value));
    if (const auto known = detail.places.find(key); known != detail.places.end()) {
      auto& value_so_far = detail.others[known->second].second;
      if (value_so_far == json) continue;  // fragments repeat id and format
      added += json.size();
      value_so_far = std::move(json);
    } else {
      added += other_bytes + key.size() + json.size();
      detail.places.emplace(key, detail.others.size());
      detail.others.emplace_back(std::string(key), std::move(json));
    }
  }
  bytes_ += added;
  return added;
}

std::string ReasoningDetails::take() {
  std::string out;
  events::JsonWriter json(out);
  json.begin_array();
  for (const auto& detail : std::exchange(details_, {})) {
    json.begin_object();
    if (!detail.type.empty()) json.field("type", detail.type);
    if (detail.has_text) json.field("text", detail.text);
    if (detail.has_summary) json.field("summary", detail.summary);
    for (const auto& [name, value] : detail.others) json.raw_field(name, value);
    if (detail.index) json.field("index", *detail.index);
    json.end_object();
  }
  json.end_array();
  bytes_ = 0;
  return out;
}

}  // namespace tokenrail::providers::openai
