#include "common/events/model_event.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  if (const auto event = events::parse_model_upserted(text)) {
    const auto json = to_json(*event);
    const auto again = events::parse_model_upserted(json);
    fuzz::expect(again && to_json(*again) == json);
  }
  if (const auto mark = events::parse_registry_mark(text)) {
    const auto again = events::parse_registry_mark(to_json(*mark));
    fuzz::expect(again && again->version == mark->version);
  }
  return 0;
}
