#include <string>

#include "common/crypto/envelope.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

const crypto::KeyRing& ring() {
  static const auto made = crypto::KeyRing::parse(
      R"({"keys":[{"id":"a","state":"primary","key":"jx1MArfpOlVmyNB+IfqbNBPgbcWin0h7PlUX2MBkL7k="}]})");
  return *made;
}

const crypto::Binding& binding() {
  static const crypto::Binding made{
      .table = "credential", .row_id = "1", .org_id = "acme", .provider = "openai", .field = "api_key", .version = 1};
  return made;
}

const crypto::SealedSecret& sealed() {
  static const auto made = crypto::seal(ring(), Secret("sk-canary"), binding());
  return *made;
}

/// No bytes but those that were sealed may open.
void expect_refused(const std::string& bytes) {
  if (bytes == sealed().bytes) return;
  const crypto::SealedSecret given{.bytes = bytes};
  const auto opened = crypto::open(ring(), given, binding());
  fuzz::expect(!opened && !opened.error().detail.contains("canary"));
  if (const auto id = crypto::key_id(given)) {
    fuzz::expect(crypto::is_key_id(*id));
    const auto again = crypto::sealed_from_text(crypto::to_text(given));
    fuzz::expect(again && again->bytes == bytes);
  }
  if (const auto again = crypto::rewrap(ring(), given, binding()))
    fuzz::expect(!crypto::open(ring(), *again, binding()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  expect_refused(std::string(text));
  if (const auto read = crypto::sealed_from_text(text)) expect_refused(read->bytes);
  // A good one with its end, its beginning, and some bytes of it replaced.
  const std::string& good = sealed().bytes;
  const auto cut = size == 0 ? 0 : bytes[0] % good.size();
  expect_refused(good.substr(0, cut) + std::string(text));
  expect_refused(std::string(text) + good.substr(cut));
  std::string altered = good;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    char& byte = altered[bytes[i] % altered.size()];
    byte = static_cast<char>(static_cast<std::uint8_t>(byte) ^ bytes[i + 1]);
  }
  expect_refused(altered);
  return 0;
}
