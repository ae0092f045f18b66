#include "common/auth/sealed_text.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/gcm.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::string_view form = "v1.";

std::unexpected<std::string> refused(std::string_view why) {
  return std::unexpected(std::string(why));
}

}  // namespace

TextSealer::TextSealer(const crypto::KeyRing* ring, std::string purpose) : ring_(ring), purpose_(std::move(purpose)) {
  if (ring_ == nullptr) own_key_ = crypto::random_bytes(crypto::gcm_key_bytes);
}

std::string TextSealer::additional_data(std::string_view key_id) const {
  return fmt::format("{}\n{}", purpose_, key_id);
}

std::optional<std::string> TextSealer::key_of(std::string_view id) const {
  if (ring_ == nullptr) {
    if (!id.empty()) return std::nullopt;
    return std::string(own_key_.reveal());
  }
  const auto key = ring_->opening_key(id);
  if (!key) return std::nullopt;
  return crypto::hmac_sha256((*key)->reveal(), purpose_);
}

Result<std::string> TextSealer::seal(std::string_view text) const {
  const std::string id = ring_ == nullptr ? std::string() : ring_->primary_id();
  auto key = key_of(id);
  if (!key) return fail(ErrorKind::unavailable, "The key ring has no key for sessions.");
  const auto nonce = crypto::random_public_bytes(crypto::gcm_nonce_bytes);
  const auto aad = additional_data(id);
  const auto sealed = crypto::gcm_encrypt({.key = *key, .nonce = nonce, .aad = aad}, text);
  crypto::cleanse(*key);
  return fmt::format("{}{}.{}", form, id, crypto::to_base64url(nonce + sealed));
}

std::expected<Secret, std::string> TextSealer::open(std::string_view sealed) const {
  if (!sealed.starts_with(form)) return refused("not the form of a sealed text");
  sealed.remove_prefix(form.size());
  // An id of a key may have dots; base64url has none.
  const auto dot = sealed.rfind('.');
  if (dot == std::string_view::npos) return refused("not the form of a sealed text");
  const auto id = sealed.substr(0, dot);
  const auto bytes = crypto::from_base64url(sealed.substr(dot + 1));
  if (!bytes || bytes->size() <= crypto::gcm_nonce_bytes + crypto::gcm_tag_bytes)
    return refused("not the form of a sealed text");
  auto key = key_of(id);
  if (!key) return refused("sealed with a key that this process does not have");
  const auto aad = additional_data(id);
  const std::string_view all(*bytes);
  auto text = crypto::gcm_decrypt({.key = *key, .nonce = all.substr(0, crypto::gcm_nonce_bytes), .aad = aad},
                                  all.substr(crypto::gcm_nonce_bytes));
  crypto::cleanse(*key);
  if (!text) return refused("altered, or sealed with another key");
  return std::move(*text);
}

}  // namespace tokenrail::auth
