#include "common/registry/merge_patch.hpp"

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

/// `target`: null where there is none, or none that is an object.
std::string merged(const object* target, object patch) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  const auto write = [&](std::string_view name, const element* old, element value) {
    object change;
    object inside;
    if (value.get(change) != simdjson::SUCCESS) {
      json.raw_field(name, simdjson::minify(value));
    } else if (old != nullptr && old->get(inside) == simdjson::SUCCESS) {
      json.raw_field(name, merged(&inside, change));
    } else {
      json.raw_field(name, merged(nullptr, change));
    }
  };
  if (target != nullptr) {
    for (const auto member : *target) {
      element change;
      const auto old = member.value;
      if (patch.at_key(member.key).get(change) != simdjson::SUCCESS) {
        json.raw_field(member.key, simdjson::minify(old));
      } else if (!change.is_null()) {
        write(member.key, &old, change);
      }
    }
  }
  for (const auto member : patch) {
    element old;
    const bool known = target != nullptr && target->at_key(member.key).get(old) == simdjson::SUCCESS;
    if (!known && !member.value.is_null()) write(member.key, nullptr, member.value);
  }
  json.end_object();
  return out;
}

}  // namespace

std::string merge_patch(std::string_view target, std::string_view patch) {
  const events::JsonDocument before(target);
  const events::JsonDocument change(patch);
  if (change.error() != simdjson::SUCCESS) return std::string(target);
  object changes;
  if (change.root().get(changes) != simdjson::SUCCESS) return simdjson::minify(change.root());
  object members;
  const bool merges = before.error() == simdjson::SUCCESS && before.root().get(members) == simdjson::SUCCESS;
  return merged(merges ? &members : nullptr, changes);
}

}  // namespace tokenrail::registry
