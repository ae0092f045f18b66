#include "common/events/chunk.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  if (const auto chunk = events::parse_chunk(text)) {
    fuzz::expect(!chunk->request_id.empty() && !chunk->org_id.empty());
    // What was read of a delta is written and read back as it was.
    std::string out;
    const events::ChunkWriter writer(chunk->request_id, chunk->org_id, chunk->attempt);
    writer.write(out, chunk->seq,
                 {.text = chunk->delta.value_or(""), .reasoning = chunk->reasoning, .tool_calls = &chunk->tool_calls});
    const auto again = events::parse_chunk(out);
    fuzz::expect(again && again->delta.value_or("") == chunk->delta.value_or("") &&
                 again->reasoning == chunk->reasoning && again->tool_calls.size() == chunk->tool_calls.size());
  }
  // Any bytes at all are a text that a provider may send.
  std::string out;
  events::ChunkWriter("r", "o", 1).write(out, 0, {.text = text});
  fuzz::expect(events::parse_chunk(out).has_value());
  return 0;
}
