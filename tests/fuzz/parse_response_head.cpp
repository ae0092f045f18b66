#include "common/http/head_reader.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/provider.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

constexpr std::size_t head_bytes_max = 4096;

/// Lines up to the first empty one are the head, as libcurl hands them over; the rest is the body.
http::ResponseHead read_head(std::string_view& text) {
  http::HeadReader reader(head_bytes_max);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    text.remove_prefix(line.size());
    if (reader.line(line) != http::HeadReader::Step::more) break;
  }
  return reader.head();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  auto text = fuzz::text_of(bytes, size);
  const auto head = read_head(text);
  std::size_t head_bytes = 0;
  for (const auto& header : head.headers) {
    head_bytes += header.name.size() + header.value.size();
    for (const char c : header.name) fuzz::expect(c < 'A' || c > 'Z');
  }
  fuzz::expect(head_bytes <= 2 * head_bytes_max);
  if (const auto delay = providers::retry_after(head)) fuzz::expect(delay->count() >= 0);

  for (const auto& adapter : providers::adapter_names()) {
    const providers::Target target{
        .provider = adapter, .base_url = "http://127.0.0.1:1", .upstream_name = "m", .credential = {}};
    const auto failure = providers::find_provider(adapter)->classify(target, head, text);
    fuzz::expect(!failure.failure.message.empty() && !failure.error_class.empty());
    if (failure.retry_after) fuzz::expect(failure.retry_after->count() >= 0);
  }
  return 0;
}
