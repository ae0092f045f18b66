#include "common/providers/gemini/partial_call.hpp"

#include <charconv>
#include <optional>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::providers::gemini {

namespace {

using Kind = PartialValue::Kind;

constexpr std::size_t depth_max = 64;
constexpr std::size_t value_bytes = sizeof(PartialValue) + 128;  ///< with its name and the place of it

/// One step of a path: a name or an index.
struct Step {
  std::string_view name{};
  std::optional<std::size_t> index{};
};

/// The next step of "$.a.b[0]['c']", which is taken off its front; nothing where it is no step.
std::optional<Step> take_step(std::string_view& path) {
  const auto name_until = [&](std::string_view ends) {
    const auto name = path.substr(0, path.find_first_of(ends));
    path.remove_prefix(name.size());
    return name;
  };
  if (path.starts_with('.')) {
    path.remove_prefix(1);
    const auto name = name_until(".[");
    return name.empty() ? std::nullopt : std::optional(Step{.name = name});
  }
  if (path.size() < 3 || path.front() != '[') return std::nullopt;
  path.remove_prefix(1);
  if (const char quote = path.front(); quote == '\'' || quote == '"') {
    path.remove_prefix(1);
    const auto name = name_until(std::string_view(&quote, 1));
    if (path.size() < 2 || path[1] != ']') return std::nullopt;
    path.remove_prefix(2);
    return Step{.name = name};
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), index);
  path.remove_prefix(static_cast<std::size_t>(end - path.data()));
  if (error != std::errc{} || !path.starts_with(']')) return std::nullopt;
  path.remove_prefix(1);
  return Step{.index = index};
}

/// The value that the step leads to, made where there is none; null where a value of another kind is there,
/// or where elements before it are missing. `made` counts the values that were made.
PartialValue* follow(PartialValue& value, const Step& step, std::size_t& made) {
  const auto kind = step.index ? Kind::array : Kind::object;
  if (value.kind == Kind::none) value.kind = kind;
  if (value.kind != kind) return nullptr;
  if (step.index) {
    // Elements come in their order, so that a large index cannot take a lot of memory.
    if (*step.index > value.values.size()) return nullptr;
    if (*step.index == value.values.size()) {
      value.values.emplace_back();
      ++made;
    }
    return &value.values[*step.index];
  }
  if (const auto found = value.places.find(step.name); found != value.places.end()) return &value.values[found->second];
  value.places.emplace(step.name, value.names.size());
  value.names.emplace_back(step.name);
  ++made;
  return &value.values.emplace_back();
}

/// The value that the path leads to, or null.
PartialValue* find(PartialValue& root, std::string_view path, std::size_t& made) {
  if (!path.starts_with('$')) return nullptr;
  path.remove_prefix(1);
  auto* value = &root;
  for (std::size_t depth = 0; value != nullptr && !path.empty(); ++depth) {
    const auto step = take_step(path);
    if (!step || depth >= depth_max) return nullptr;
    value = follow(*value, *step, made);
  }
  return value == &root ? nullptr : value;
}

void write(std::string& out, const PartialValue& value) {
  switch (value.kind) {
    case Kind::none:
      out += "null";
      break;
    case Kind::literal:
      out += value.text;
      break;
    case Kind::text:
      events::append_json_string(out, value.text);
      break;
    case Kind::object:
    case Kind::array: {
      const bool object = value.kind == Kind::object;
      out += object ? '{' : '[';
      for (std::size_t i = 0; i < value.values.size(); ++i) {
        if (i > 0) out += ',';
        if (object) {
          events::append_json_string(out, value.names[i]);
          out += ':';
        }
        write(out, value.values[i]);
      }
      out += object ? '}' : ']';
      break;
    }
  }
}

}  // namespace

bool PartialCall::add(simdjson::dom::element piece) {
  const events::ObjectReader reader(piece);
  const auto path_element = reader.find("jsonPath");
  const auto path = path_element ? events::string_of(*path_element) : std::nullopt;
  if (!path) return false;
  std::size_t made = 0;
  auto* const value = find(root_, *path, made);
  if (value == nullptr) return false;
  bytes_ += made * value_bytes;
  bytes_ += path->size();
  const auto set = [&](std::string json) {
    if (value->kind != Kind::none && value->kind != Kind::literal) return false;
    value->kind = Kind::literal;
    value->text = std::move(json);
    bytes_ += value->text.size();
    return true;
  };
  if (const auto text = reader.find("stringValue")) {
    const auto characters = events::string_of(*text);
    if (!characters || (value->kind != Kind::none && value->kind != Kind::text)) return false;
    value->kind = Kind::text;
    value->text += *characters;
    bytes_ += characters->size();
    return true;
  }
  if (const auto number = reader.find("numberValue")) return number->is_number() && set(simdjson::minify(*number));
  if (const auto truth = reader.find("boolValue")) return truth->is_bool() && set(simdjson::minify(*truth));
  return set("null");
}

std::string PartialCall::arguments() const {
  std::string out;
  write(out, root_);
  return out;
}

}  // namespace tokenrail::providers::gemini
