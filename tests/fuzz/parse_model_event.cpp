#include "common/events/model_event.hpp"
#include "common/events/registry_records.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

template <class Parse>
void same_again(std::string_view text, const Parse& parse) {
  if (const auto record = parse(text)) {
    const auto json = to_json(*record);
    const auto again = parse(json);
    fuzz::expect(again && to_json(*again) == json);
  }
}

}  // namespace

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
  same_again(text, events::parse_registry_default);
  same_again(text, events::parse_registry_alias);
  same_again(text, events::parse_registry_view);
  same_again(text, events::parse_registry_grants);
  same_again(text, events::parse_registry_organization);
  return 0;
}
