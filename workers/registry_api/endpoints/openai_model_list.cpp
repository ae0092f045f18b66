#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/events/json_writer.hpp"
#include "workers/registry_api/endpoints/usable_models.hpp"
#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {

namespace {

/// Seconds since 1970 of "2026-01-31T…"; 0 where it is none.
std::int64_t day_of(std::string_view moment) {
  if (moment.size() < 10) return 0;
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : moment.substr(at, count)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!day.ok()) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(day).time_since_epoch()).count();
}

}  // namespace

std::string openai_model_list(const std::vector<std::string>& models) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.begin_array("data");
  for (const auto& text : models) {
    const auto model = parse_json(text, {.depth_max = 64, .values_max = 1'000'000});
    if (!model) continue;
    json.begin_object();
    json.field("id", model->text_of("slug").value_or(""));
    json.field("object", "model");
    json.field("created", day_of(model->text_of("createdAt").value_or("")));
    json.field("owned_by", model->text_of("provider").value_or(""));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace tokenrail::registry_api
