#include "common/crypto/key_ring.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/key_ring_json.hpp"
#include "common/crypto/weak_keys.hpp"

namespace tokenrail::crypto {
namespace {

std::unexpected<Error> invalid(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

std::unexpected<Error> unknown(std::string_view id) {
  return fail(ErrorKind::not_found,
              fmt::format("the key ring has no key '{}'; 'tokenrail keys status' lists those that it has", id));
}

}  // namespace

std::string_view to_text(KeyState state) {
  switch (state) {
    case KeyState::primary:
      return "primary";
    case KeyState::decrypt:
      return "decrypt";
    case KeyState::disabled:
      return "disabled";
  }
  return "disabled";
}

bool is_key_id(std::string_view id) {
  return !id.empty() && id.size() <= key_id_bytes_max && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

Result<KeyRing> KeyRing::parse(std::string_view text) {
  auto entries = read_key_entries(text);
  if (!entries) return std::unexpected(std::move(entries.error()));
  KeyRing ring;
  ring.keys_.reserve(entries->size());
  for (auto& entry : *entries)
    ring.keys_.push_back({.id = std::move(entry.id), .state = entry.state, .bytes = std::move(entry.bytes)});
  if (auto fit = ring.judge(); !fit) return std::unexpected(std::move(fit.error()));
  return ring;
}

Result<void> KeyRing::judge() const {
  for (auto key = keys_.begin(); key != keys_.end(); ++key) {
    if (const auto weakness = weakness_of(key->bytes.reveal())) {
      return invalid(fmt::format(
          "key '{}' of the key ring can be guessed: {}. Make a random key with 'tokenrail keys create FILE', or "
          "'tokenrail keys rotate' for a ring that is in use",
          key->id, *weakness));
    }
    for (auto other = keys_.begin(); other != key; ++other) {
      if (other->id == key->id)
        return invalid(fmt::format("two keys of the key ring have the id '{}'; give each an id of its own", key->id));
      if (equal_in_constant_time(other->bytes.reveal(), key->bytes.reveal())) {
        return invalid(fmt::format("the keys '{}' and '{}' of the key ring are the same key; remove one of them",
                                   other->id, key->id));
      }
    }
  }
  const auto primaries = std::ranges::count(keys_, KeyState::primary, &Key::state);
  if (primaries == 1) return {};
  return invalid(
      fmt::format("{} keys of the key ring have the state primary; set it for exactly one of them", primaries));
}

Result<KeyRing> KeyRing::create(std::string_view id) {
  KeyRing ring;
  if (auto added = ring.add(id); !added) return std::unexpected(std::move(added.error()));
  ring.keys_.front().state = KeyState::primary;
  return ring;
}

std::vector<KeyRing::KeyInfo> KeyRing::keys() const {
  std::vector<KeyInfo> infos;
  infos.reserve(keys_.size());
  for (const Key& key : keys_) infos.push_back({.id = key.id, .state = key.state});
  return infos;
}

const KeyRing::Key& KeyRing::primary() const {
  return *std::ranges::find(keys_, KeyState::primary, &Key::state);
}

const std::string& KeyRing::primary_id() const {
  return primary().id;
}

const Secret& KeyRing::primary_key() const {
  return primary().bytes;
}

const KeyRing::Key* KeyRing::find(std::string_view id) const {
  const auto found = std::ranges::find(keys_, id, &Key::id);
  return found == keys_.end() ? nullptr : &*found;
}

KeyRing::Key* KeyRing::find(std::string_view id) {
  const auto found = std::ranges::find(keys_, id, &Key::id);
  return found == keys_.end() ? nullptr : &*found;
}

Result<const Secret*> KeyRing::opening_key(std::string_view id) const {
  const Key* const key = find(id);
  if (key == nullptr) {
    return fail(ErrorKind::not_found,
                fmt::format("the key ring has no key '{}'; add it to the key ring of this program", id));
  }
  if (key->state == KeyState::disabled) {
    return fail(
        ErrorKind::not_found,
        fmt::format("key '{}' of the key ring is disabled; set its state to decrypt to open what it sealed", id));
  }
  return &key->bytes;
}

Result<void> KeyRing::add(std::string_view id) {
  if (!is_key_id(id)) {
    return invalid(fmt::format(
        "a key's id has 1 to {} letters, digits, dots, underscores or dashes; choose another one", key_id_bytes_max));
  }
  if (find(id) != nullptr) return invalid(fmt::format("the key ring has a key '{}' already; choose another id", id));
  if (keys_.size() >= ring_keys_max)
    return invalid(fmt::format("the key ring has {} keys, which is the limit; remove disabled ones", ring_keys_max));
  keys_.push_back({.id = std::string(id), .state = KeyState::decrypt, .bytes = random_bytes(key_bytes)});
  return {};
}

Result<void> KeyRing::promote(std::string_view id) {
  Key* const key = find(id);
  if (key == nullptr) return unknown(id);
  if (key->state == KeyState::disabled)
    return invalid(fmt::format("key '{}' is disabled; promote a key that is not", id));
  std::ranges::find(keys_, KeyState::primary, &Key::state)->state = KeyState::decrypt;
  key->state = KeyState::primary;
  return {};
}

Result<void> KeyRing::disable(std::string_view id) {
  Key* const key = find(id);
  if (key == nullptr) return unknown(id);
  if (key->state == KeyState::primary)
    return invalid(fmt::format("key '{}' is the primary one; run 'tokenrail keys rotate' first", id));
  key->state = KeyState::disabled;
  return {};
}

Secret KeyRing::to_text() const {
  // One buffer of the final size: one that grows would leave copies of the keys behind.
  constexpr std::size_t entry_bytes_max = 160;
  std::string text;
  text.reserve(32 + keys_.size() * entry_bytes_max);
  text += "{\"keys\":[";
  for (const Key& key : keys_) {
    text += &key == &keys_.front() ? "\n  {\"id\":\"" : ",\n  {\"id\":\"";
    text += key.id;
    text += "\",\"state\":\"";
    text += crypto::to_text(key.state);
    text += "\",\"key\":\"";
    const Secret base64(to_base64(key.bytes.reveal()));
    text += base64.reveal();
    text += "\"}";
  }
  text += "\n]}\n";
  return Secret(std::move(text));
}

}  // namespace tokenrail::crypto
