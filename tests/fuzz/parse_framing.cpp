#include <string>

#include "common/http/framing.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

constexpr std::size_t item_bytes_max = 512;

template <class Framer, class Write>
std::string items_of(std::string_view bytes, std::size_t step, Write&& write) {
  std::string items;
  Framer framer(item_bytes_max);
  const auto sink = [&](const auto& item) { write(items, item); };
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    if (!framer.feed(piece, sink)) break;
    fuzz::expect(framer.buffered_bytes() <= item_bytes_max);
  }
  framer.finish(sink);
  return items + (framer.failed() ? "|failed" : "");
}

template <class Framer, class Write>
void expect_same_for_every_cut(std::string_view text, std::size_t step, Write&& write) {
  const auto whole = items_of<Framer>(text, text.size(), write);
  fuzz::expect(items_of<Framer>(text, 1, write) == whole);
  fuzz::expect(items_of<Framer>(text, step, write) == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // The first byte is the length of the pieces.
  if (size < 2) return 0;
  const auto text = fuzz::text_of(bytes, size).substr(1);
  const std::size_t step = std::size_t{1} + bytes[0];
  expect_same_for_every_cut<http::LineFramer>(text, step, [](std::string& items, std::string_view line) {
    fuzz::expect(!line.empty() && line.size() <= item_bytes_max && line.find('\n') == std::string_view::npos);
    items.append(line) += '\n';
  });
  expect_same_for_every_cut<http::SseFramer>(text, step, [](std::string& items, const http::ServerSentEvent& event) {
    fuzz::expect(!event.type.empty() && event.data.size() <= item_bytes_max);
    items.append(event.type).append("\n").append(event.id).append("\n").append(event.data) += '\n';
  });
  return 0;
}
