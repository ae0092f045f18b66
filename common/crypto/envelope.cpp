#include "common/crypto/envelope.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/gcm.hpp"

namespace tokenrail::crypto {
namespace {

constexpr std::string_view format_mark = "v1";
constexpr std::size_t wrapping_bytes = gcm_nonce_bytes + key_bytes + gcm_tag_bytes;
constexpr std::size_t content_bytes_min = gcm_nonce_bytes + 1 + gcm_tag_bytes;
static_assert(key_bytes == gcm_key_bytes);

/// The parts of sealed bytes, as views of them.
struct Parts {
  std::string_view key_id;
  std::string_view wrap_nonce;
  std::string_view wrapped_key;  ///< with its tag
  std::string_view content;      ///< nonce, ciphertext, tag
  std::string_view nonce;
  std::string_view ciphertext;  ///< with its tag
};

std::unexpected<Error> not_sealed() {
  return fail(ErrorKind::invalid_input,
              "these are no sealed bytes of version 1, or they were cut or altered; store the credential again");
}

Result<Parts> split(std::string_view bytes) {
  const auto head = format_mark.size() + 1;
  if (bytes.size() < head || !bytes.starts_with(format_mark)) return not_sealed();
  const std::size_t id_bytes = static_cast<unsigned char>(bytes[format_mark.size()]);
  if (bytes.size() < head + id_bytes + wrapping_bytes + content_bytes_min) return not_sealed();
  if (bytes.size() > head + id_bytes + wrapping_bytes + content_bytes_min - 1 + secret_bytes_max) return not_sealed();
  Parts parts;
  bytes.remove_prefix(head);
  parts.key_id = bytes.substr(0, id_bytes);
  if (!is_key_id(parts.key_id)) return not_sealed();
  bytes.remove_prefix(id_bytes);
  parts.wrap_nonce = bytes.substr(0, gcm_nonce_bytes);
  parts.wrapped_key = bytes.substr(gcm_nonce_bytes, key_bytes + gcm_tag_bytes);
  parts.content = bytes.substr(wrapping_bytes);
  parts.nonce = parts.content.substr(0, gcm_nonce_bytes);
  parts.ciphertext = parts.content.substr(gcm_nonce_bytes);
  return parts;
}

void append_number(std::string& out, std::uint64_t value, unsigned bytes) {
  while (bytes-- > 0) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * bytes)));
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size(), 8);
  out += text;
}

/// The additional data of a layer. `key_id` is empty for the content, which does not depend on the wrapping key.
std::string additional_data(std::string_view layer, std::string_view key_id, const Binding& binding) {
  std::string out;
  append_text(out, "tokenrail sealed secret");
  append_text(out, format_mark);
  append_text(out, layer);
  append_text(out, key_id);
  append_text(out, binding.table);
  append_text(out, binding.row_id);
  append_text(out, binding.org_id);
  append_number(out, binding.owner_user_id ? 1 : 0, 1);
  append_text(out, binding.owner_user_id.value_or(""));
  append_text(out, binding.provider);
  append_text(out, binding.field);
  append_number(out, static_cast<std::uint64_t>(binding.version), 8);
  return out;
}

std::string wrapping_data(std::string_view key_id, const Binding& binding) {
  return additional_data("data key", key_id, binding);
}

std::string content_data(const Binding& binding) {
  return additional_data("content", "", binding);
}

std::unexpected<Error> does_not_open(const Binding& binding) {
  return fail(
      ErrorKind::invalid_input,
      fmt::format("the sealed {} of {} '{}' does not open: it was altered, belongs to another row, organisation "
                  "or version, or another key has its key's id; store the credential again",
                  binding.field, binding.table, binding.row_id));
}

/// Everything up to the content, with the data key wrapped by the ring's primary key.
std::string wrap(const KeyRing& ring, const Secret& data_key, const Binding& binding) {
  const std::string& id = ring.primary_id();
  const std::string nonce = random_public_bytes(gcm_nonce_bytes);
  std::string out(format_mark);
  append_number(out, id.size(), 1);
  out += id;
  out += nonce;
  out += gcm_encrypt({.key = ring.primary_key().reveal(), .nonce = nonce, .aad = wrapping_data(id, binding)},
                     data_key.reveal());
  return out;
}

Result<Secret> unwrap(const KeyRing& ring, const Parts& parts, const Binding& binding) {
  const auto key = ring.opening_key(parts.key_id);
  if (!key) return std::unexpected(key.error());
  auto data_key =
      gcm_decrypt({.key = (*key)->reveal(), .nonce = parts.wrap_nonce, .aad = wrapping_data(parts.key_id, binding)},
                  parts.wrapped_key);
  if (!data_key) return does_not_open(binding);
  return std::move(*data_key);
}

}  // namespace

Result<SealedSecret> seal(const KeyRing& ring, const Secret& plain, const Binding& binding) {
  if (plain.empty()) return fail(ErrorKind::invalid_input, "the secret is empty; give one");
  if (plain.size() > secret_bytes_max) {
    return fail(ErrorKind::invalid_input, fmt::format("the secret has {} bytes, and at most {} are stored; shorten it",
                                                      plain.size(), secret_bytes_max));
  }
  const Secret data_key = random_bytes(key_bytes);
  const std::string nonce = random_public_bytes(gcm_nonce_bytes);
  SealedSecret sealed{.bytes = wrap(ring, data_key, binding)};
  sealed.bytes += nonce;
  sealed.bytes += gcm_encrypt({.key = data_key.reveal(), .nonce = nonce, .aad = content_data(binding)}, plain.reveal());
  return sealed;
}

Result<Secret> open(const KeyRing& ring, const SealedSecret& sealed, const Binding& binding) {
  const auto parts = split(sealed.bytes);
  if (!parts) return std::unexpected(parts.error());
  const auto data_key = unwrap(ring, *parts, binding);
  if (!data_key) return std::unexpected(data_key.error());
  auto plain =
      gcm_decrypt({.key = data_key->reveal(), .nonce = parts->nonce, .aad = content_data(binding)}, parts->ciphertext);
  if (!plain) return does_not_open(binding);
  return std::move(*plain);
}

Result<SealedSecret> rewrap(const KeyRing& ring, const SealedSecret& sealed, const Binding& binding) {
  const auto parts = split(sealed.bytes);
  if (!parts) return std::unexpected(parts.error());
  const auto data_key = unwrap(ring, *parts, binding);
  if (!data_key) return std::unexpected(data_key.error());
  SealedSecret out{.bytes = wrap(ring, *data_key, binding)};
  out.bytes += parts->content;
  return out;
}

Result<std::string> key_id(const SealedSecret& sealed) {
  const auto parts = split(sealed.bytes);
  if (!parts) return std::unexpected(parts.error());
  return std::string(parts->key_id);
}

std::string to_text(const SealedSecret& sealed) {
  return to_base64(sealed.bytes);
}

Result<SealedSecret> sealed_from_text(std::string_view text) {
  auto bytes = from_base64(text);
  if (!bytes) return not_sealed();
  SealedSecret sealed{.bytes = std::move(*bytes)};
  if (const auto parts = split(sealed.bytes); !parts) return std::unexpected(parts.error());
  return sealed;
}

}  // namespace tokenrail::crypto
