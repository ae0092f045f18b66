#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/events/json_writer.hpp"
#include "workers/registry_api/endpoints/usable_models.hpp"

namespace tokenrail::registry_api {

namespace {

/// Seconds since 1970 out of a UUID of version 7; 0: it is none.
std::int64_t created_of(std::string_view id) {
  constexpr std::size_t version_at = 14;
  constexpr int hexadecimal = 16;
  if (id.size() <= version_at || id[version_at] != '7') return 0;
  // Its first 48 bits: milliseconds.
  const auto digits = std::string(id.substr(0, 8)) + std::string(id.substr(9, 4));
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), milliseconds, hexadecimal);
  return error == std::errc() && end == digits.data() + digits.size() ? milliseconds / 1000 : 0;
}

}  // namespace

void OpenAiModelList::add(std::span<const events::ModelState* const> models) {
  for (const auto* model : models) {
    if (!items_.empty()) items_ += ',';
    events::JsonWriter json(items_);
    json.begin_object();
    json.field("id", model->slug);
    json.field("object", "model");
    json.field("created", created_of(model->id));
    json.field("owned_by", model->provider);
    json.end_object();
  }
}

std::string OpenAiModelList::finish() && {
  return R"({"object":"list","data":[)" + std::move(items_) + "]}";
}

}  // namespace tokenrail::registry_api
