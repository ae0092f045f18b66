#include "common/events/audit.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto facts = events::parse_audit(fuzz::text_of(bytes, size));
  if (!facts) {
    return 0;
  }
  using Kind = events::AuditFacts::Kind;
  if (facts->kind == Kind::request || facts->kind == Kind::response) {
    fuzz::expect(!facts->ids.org_id.empty() && !facts->ids.request_id.empty() && facts->ids.epoch == facts->epoch);
    const auto again = events::parse_audit(to_json(events::LlmRequest{.ids = facts->ids}, 100'000));
    fuzz::expect(again && again->ids.source_offset == facts->ids.source_offset &&
                 again->ids.request_id == facts->ids.request_id);
  }
  return 0;
}
