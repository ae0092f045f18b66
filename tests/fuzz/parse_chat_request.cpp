#include "common/events/chat_request.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const events::RequestLimits limits{.value_bytes_max = 4096, .messages_max = 20, .depth_max = 16};
  const auto result = events::parse_chat_request(fuzz::text_of(bytes, size), limits);
  if (const auto* request = std::get_if<events::ChatRequest>(&result)) {
    // What was taken can be written, and reads as the same request. (Its text may be longer than the input.)
    const auto json = events::to_json(*request);
    const auto again = events::parse_chat_request(json, {});
    const auto* same = std::get_if<events::ChatRequest>(&again);
    fuzz::expect(same != nullptr && events::to_json(*same) == json);
  }
  if (const auto* invalid = std::get_if<events::InvalidRequest>(&result)) {
    fuzz::expect(!invalid->request_id.empty() && !invalid->org_id.empty() && !invalid->failure.message.empty());
  }
  return 0;
}
