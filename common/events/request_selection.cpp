// Who asks and how "auto" selects: the parts of a chat request that resolution reads beside the model.
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/events/request_reader.hpp"

namespace tokenrail::events {

using simdjson::dom::element;

std::string_view name_of(AutoSelection::Prefer prefer) {
  switch (prefer) {
    case AutoSelection::Prefer::quality:
      return "quality";
    case AutoSelection::Prefer::price:
      return "price";
    case AutoSelection::Prefer::speed:
      return "speed";
  }
  return "quality";
}

namespace {

AutoSelection::Prefer read_prefer(element source, const FieldPath& path, Findings& findings) {
  using enum AutoSelection::Prefer;
  const auto text = string_of(source);
  for (const auto prefer : {quality, price, speed}) {
    if (text == name_of(prefer)) {
      return prefer;
    }
  }
  if (text) {
    findings.wrong(path, "quality, price or speed", "is another string");
  } else {
    findings.wrong(path, "quality, price or speed", source);
  }
  return quality;
}

}  // namespace

AutoSelection read_auto_selection(element source, const RequestLimits& limits, Findings& findings) {
  AutoSelection selection;
  const FieldPath path("auto");
  const auto object = read_object(source, path, findings);
  if (!object) {
    return selection;
  }
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name != "maxInputMicros" && name != "maxOutputMicros" && name != "minQuality" && name != "qualityMetric" &&
        name != "view" && name != "prefer") {
      return false;
    }
    if (value.is_null()) {
      return true;
    }
    if (name == "maxInputMicros") {
      selection.input_micros_max = read_integer(value, path / name, 0, most, findings);
    } else if (name == "maxOutputMicros") {
      selection.output_micros_max = read_integer(value, path / name, 0, most, findings);
    } else if (name == "minQuality") {
      selection.quality_min = read_number(value, path / name, 0.0, 1.0, findings);
    } else if (name == "qualityMetric") {
      selection.quality_metric = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    } else if (name == "view") {
      selection.view = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    } else {
      selection.prefer = read_prefer(value, path / name, findings);
    }
    return true;
  });
  return selection;
}

std::vector<std::string> read_groups(element source, const RequestLimits& limits, Findings& findings) {
  std::vector<std::string> groups;
  const FieldPath path("groups");
  const auto array = read_array(source, path, limits.groups_max, findings);
  if (!array) {
    return groups;
  }
  std::size_t index = 0;
  for (const auto entry : *array) {
    if (!findings.ok()) {
      break;
    }
    if (auto text = read_name(entry, path[index++], limits.id_bytes_max, findings)) {
      groups.push_back(std::move(*text));
    }
  }
  return groups;
}

}  // namespace tokenrail::events
