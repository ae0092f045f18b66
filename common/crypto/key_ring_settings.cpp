#include "common/crypto/key_ring_settings.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace tokenrail::crypto {
namespace {

using config::Kind;
using config::Setting;

constexpr std::array settings{
    Setting{.name = "keyring.file",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "File with the key ring that seals and opens stored credentials; only its owner may read it."},
    Setting{.name = "keyring.keys",
            .env = "TOKENRAIL_KEYRING",
            .kind = Kind::secret,
            .default_value = "",
            .help = "The key ring itself, as the JSON of such a file, where there is no file."},
};

}  // namespace

std::span<const Setting> key_ring_settings() {
  return settings;
}

Result<std::optional<KeyRing>> load_key_ring(const config::Values& values) {
  const bool by_file = values.is_set("keyring.file");
  const bool by_text = values.is_set("keyring.keys");
  if (!by_file && !by_text) return std::nullopt;
  if (by_file && by_text) {
    return fail(ErrorKind::invalid_input,
                "keyring.file (TOKENRAIL_KEYRING_FILE) and keyring.keys (TOKENRAIL_KEYRING) are both set; set only one "
                "of them");
  }
  auto ring = by_file ? KeyRing::load(values.text("keyring.file")) : KeyRing::parse(values.text("keyring.keys"));
  if (!ring) {
    return fail(
        ring.error().kind,
        fmt::format("{}: {}", by_file ? "keyring.file (TOKENRAIL_KEYRING_FILE)" : "keyring.keys (TOKENRAIL_KEYRING)",
                    ring.error().detail));
  }
  return std::optional(std::move(*ring));
}

}  // namespace tokenrail::crypto
