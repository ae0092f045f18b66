#include "common/registry/held_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/plan.hpp"
#include "common/catalog/row_json.hpp"
#include "common/events/cloud_events.hpp"
#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry {

namespace {

using events::Support;

std::string_view word_of(Support support) {
  if (support == Support::supported) return "supported";
  return support == Support::unsupported ? "unsupported" : "unknown";
}

Support support_of(std::string_view word) {
  if (word == "supported") return Support::supported;
  return word == "unsupported" ? Support::unsupported : Support::unknown;
}

struct Limit {
  const char* field;
  const char* name;
  std::optional<std::int64_t> HeldValues::* value;
  std::optional<std::int64_t> events::ModelState::* state;
};
constexpr std::array limits{
    Limit{"contextWindow", "context window", &HeldValues::context_window, &events::ModelState::context_window},
    Limit{"inputTokensMax", "limit of input tokens", &HeldValues::input_tokens_max,
          &events::ModelState::input_tokens_max},
    Limit{"outputTokensMax", "limit of output tokens", &HeldValues::output_tokens_max,
          &events::ModelState::output_tokens_max},
};

}  // namespace

std::string to_json(const HeldValues& values) {
  if (values.empty()) return {};
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  for (const auto& limit : limits)
    if (const auto& value = values.*limit.value) json.field(limit.field, *value);
  if (!values.capabilities.empty()) {
    json.begin_object("capabilities");
    for (const auto& [name, support] : values.capabilities) json.field(name, word_of(support));
    json.end_object();
  }
  if (!values.prices.empty()) json.raw_field("prices", catalog::to_json(values.prices));
  if (!values.missing.empty()) {
    json.begin_array("missing");
    for (const auto& name : values.missing) json.element(name);
    json.end_array();
  }
  json.end_object();
  return out;
}

HeldValues parse_held_values(std::string_view json) {
  HeldValues values;
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return values;
  const events::ObjectReader read(document.root());
  for (const auto& limit : limits) values.*limit.value = read.integer_if(limit.field);
  // One reader of prices for lists and catalogues.
  if (auto row = catalog::parse_row("", "", json)) values.prices = std::move(row->prices);
  simdjson::dom::object capabilities;
  if (const auto found = read.find("capabilities"); found && found->get(capabilities) == simdjson::SUCCESS) {
    for (const auto& member : capabilities)
      values.capabilities[std::string(member.key)] = support_of(events::string_of(member.value).value_or(""));
  }
  simdjson::dom::array missing;
  if (const auto found = read.find("missing"); found && found->get(missing) == simdjson::SUCCESS) {
    for (const auto& name : missing)
      if (const auto text = events::string_of(name)) values.missing.emplace(*text);
  }
  return values;
}

std::optional<HeldChange> suspicious_change(const events::ModelState& before, const events::ModelState& after,
                                            const std::vector<Price>& prices_before,
                                            const std::vector<Price>& prices_after) {
  HeldChange change{.model_id = before.id, .model_name = before.model_name};
  const auto because = [&](const std::string& text) { change.reason += (change.reason.empty() ? "" : "; ") + text; };
  for (const auto& limit : limits) {
    const auto& was = before.*limit.state;
    const auto& is = after.*limit.state;
    if (!was || !is || *is >= *was) continue;
    change.before.*limit.value = was;
    change.after.*limit.value = is;
    because(fmt::format("the {} would shrink from {} to {}", limit.name, *was, *is));
  }
  for (const auto& [name, support] : before.capabilities) {
    if (support != Support::supported) continue;
    const auto found = after.capabilities.find(name);
    const auto now = found == after.capabilities.end() ? Support::unknown : found->second;
    if (now == Support::supported) continue;
    change.before.capabilities[name] = support;
    change.after.capabilities[name] = now;
    because(fmt::format("the capability {} would become {}", name, word_of(now)));
  }
  if (const auto why = catalog::suspicion_of(prices_before, prices_after); !why.empty()) {
    change.before.prices = prices_before;
    change.after.prices = prices_after;
    because("the price of " + why);
  }
  if (change.reason.empty()) return std::nullopt;
  return change;
}

void set_values(events::ModelState& model, const HeldValues& values) {
  for (const auto& limit : limits)
    if (const auto& value = values.*limit.value) model.*limit.state = value;
  for (const auto& [name, support] : values.capabilities) model.capabilities[name] = support;
}

std::string held_detail(const std::vector<HeldChange>& changes) {
  const auto& first = changes.front();
  const auto name = first.model_name.empty() ? std::string() : first.model_name + ": ";
  const auto more = changes.size() > 1 ? fmt::format(" (and {} more)", changes.size() - 1) : std::string();
  return fmt::format("{}{}{}", name, first.reason, more);
}

std::string held_words(const std::vector<HeldChange>& changes) {
  if (changes.empty()) return {};
  return fmt::format("held since {}: {}. Decide: tokenrail registry decide {} accept|reject{}",
                     events::rfc3339(changes.front().since_ms), held_detail(changes), changes.front().id,
                     changes.size() > 1 ? ". All: tokenrail registry held" : "");
}

bool repeats(const HeldChange& change, const HeldChange& decided) {
  if (change.model_id != decided.model_id) return false;
  if (change.model_id.empty()) return std::ranges::includes(decided.after.missing, change.after.missing);
  return change.after == decided.after;
}

}  // namespace tokenrail::registry
