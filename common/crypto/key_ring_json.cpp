#include "common/crypto/key_ring_json.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/zeroing_json.hpp"

namespace tokenrail::crypto {
namespace {

constexpr std::string_view remedy = "'tokenrail keys create FILE' writes a valid key ring";

std::unexpected<Error> invalid(std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("{}; {}", what, remedy));
}

/// Nothing where the field is missing or no string. Valid as long as `object`.
std::optional<std::string_view> text_field(const json_t* object, const char* name) {
  const json_t* const value = json_object_get(object, name);
  if (!json_is_string(value)) return std::nullopt;
  return std::string_view(json_string_value(value), json_string_length(value));
}

std::optional<KeyState> state_of(std::string_view text) {
  for (const auto state : {KeyState::primary, KeyState::decrypt, KeyState::disabled})
    if (to_text(state) == text) return state;
  return std::nullopt;
}

Result<KeyEntry> read_entry(const json_t* object, std::size_t number) {
  if (!json_is_object(object)) return invalid(fmt::format("key {} of the key ring is no JSON object", number));
  const auto id = text_field(object, "id");
  // What is no id is not shown: it may be a key that was put into the wrong field.
  if (!id || !is_key_id(*id)) {
    return invalid(
        fmt::format("key {} of the key ring needs an \"id\" of 1 to {} letters, digits, dots, underscores or dashes",
                    number, key_id_bytes_max));
  }
  const auto name = fmt::format("key '{}' of the key ring", *id);
  const auto state_text = text_field(object, "state");
  const auto state = state_text ? state_of(*state_text) : std::nullopt;
  if (!state) return invalid(name + " needs a \"state\", one of primary, decrypt and disabled");
  const auto key = text_field(object, "key");
  if (!key) return invalid(name + " has no \"key\"");
  if (json_object_size(object) != 3) return invalid(name + " has a field other than \"id\", \"state\" and \"key\"");

  auto bytes = from_base64(*key);
  if (!bytes) return invalid(name + " is not base64 with its padding");
  const auto size = bytes->size();
  KeyEntry entry{.id = std::string(*id), .state = *state, .bytes = Secret(std::move(*bytes))};
  if (size != key_bytes) {
    return invalid(fmt::format("{} has {} bytes, and exactly {} random bytes are needed", name, size, key_bytes));
  }
  return entry;
}

}  // namespace

Result<std::vector<KeyEntry>> read_key_entries(std::string_view text) {
  zero_what_jansson_frees();
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return invalid("the key ring is empty");
  if (text.size() > ring_text_bytes_max) return invalid("the key ring is larger than 1 MiB");
  json_error_t error{};
  const Json root(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
  if (!root) {
    // jansson's own message quotes the text.
    return invalid(fmt::format("the key ring is not valid JSON at line {}, column {}", error.line, error.column));
  }
  const json_t* const keys = json_object_get(root.get(), "keys");
  if (!json_is_array(keys) || json_object_size(root.get()) != 1)
    return invalid("the key ring is no JSON object with \"keys\" as its only field");
  if (json_array_size(keys) == 0) return invalid("the key ring has no key");
  if (json_array_size(keys) > ring_keys_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("the key ring has more than {} keys; remove those that are disabled", ring_keys_max));

  std::vector<KeyEntry> entries;
  entries.reserve(json_array_size(keys));
  for (std::size_t i = 0; i < json_array_size(keys); ++i) {
    auto entry = read_entry(json_array_get(keys, i), i + 1);
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  return entries;
}

}  // namespace tokenrail::crypto
