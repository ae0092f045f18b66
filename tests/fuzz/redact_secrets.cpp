#include "common/events/audit.hpp"
#include "common/events/redaction.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  const auto result = events::redact_secrets(text);
  fuzz::expect(result.redacted || result.text == text);
  const auto content = events::audited(text, events::ContentPolicy::full, size / 2);
  fuzz::expect(content.text && content.text->size() <= size / 2);
  return 0;
}
