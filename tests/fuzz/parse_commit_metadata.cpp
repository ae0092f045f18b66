#include "common/events/cloud_events.hpp"
#include "common/events/commit_metadata.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  if (const auto metadata = events::decode_commit_metadata(text)) {
    // What was understood is written and read back as it was.
    const auto again = events::decode_commit_metadata(encode(*metadata));
    fuzz::expect(again && *again == *metadata);
  }
  if (const auto parent = events::valid_traceparent(text)) fuzz::expect(!parent->empty() && parent->size() <= 128);
  return 0;
}
