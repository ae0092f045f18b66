#include <string>

#include "common/crypto/bytes.hpp"
#include "common/crypto/key_ring.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

/// What every ring promises, whatever text it came from.
void expect_sound(const crypto::KeyRing& ring) {
  std::size_t primaries = 0;
  for (const auto& key : ring.keys()) {
    fuzz::expect(crypto::is_key_id(key.id));
    primaries += key.state == crypto::KeyState::primary ? 1 : 0;
    const auto opening = ring.opening_key(key.id);
    fuzz::expect(opening.has_value() == (key.state != crypto::KeyState::disabled));
    if (opening) fuzz::expect((*opening)->size() == crypto::key_bytes);
  }
  fuzz::expect(primaries == 1 && ring.primary_key().size() == crypto::key_bytes);
  const auto text = ring.to_text();
  const auto again = crypto::KeyRing::parse(text.reveal());
  fuzz::expect(again && again->to_text().reveal() == text.reveal());
}

constexpr std::string_view head =
    R"({"keys":[{"id":"a","state":"primary","key":"jx1MArfpOlVmyNB+IfqbNBPgbcWin0h7PlUX2MBkL7k="})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  // As it is; behind a good key; and as the bytes of a key, which random input would not write as base64.
  const std::string key_of_input = crypto::to_base64(text.substr(0, crypto::key_bytes));
  const std::string with_key = std::string(head) + R"(,{"id":"b","state":"decrypt","key":")" + key_of_input + "\"}]}";
  for (const auto& given : {std::string(text), std::string(head) + std::string(text), with_key}) {
    const auto ring = crypto::KeyRing::parse(given);
    if (ring) {
      expect_sound(*ring);
    } else {
      // The message never shows a key.
      fuzz::expect(!ring.error().detail.empty() && !ring.error().detail.contains("jx1MArfp"));
    }
  }
  if (const auto decoded = crypto::from_base64(text)) fuzz::expect(crypto::to_base64(*decoded) == text);
  if (const auto decoded = crypto::from_base64url(text)) fuzz::expect(crypto::to_base64url(*decoded) == text);
  fuzz::expect(crypto::from_base64(crypto::to_base64(text)) == text);
  fuzz::expect(crypto::from_base64url(crypto::to_base64url(text)) == text);
  return 0;
}
