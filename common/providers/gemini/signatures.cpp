#include "common/providers/gemini/signatures.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/events/json_document.hpp"

namespace tokenrail::providers::gemini {

namespace {

std::optional<Signature> read_signature(std::string_view json) {
  const events::JsonDocument document(json);
  if (document.error() != simdjson::SUCCESS) return std::nullopt;
  const events::ObjectReader reader(document.root());
  const auto count = [&](std::string_view key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(reader.integer(key), 0));
  };
  Signature out{.part = reader.text("part"),
                .id = reader.text("id"),
                .from = count("from"),
                .bytes = count("bytes"),
                .calls = count("calls"),
                .value = reader.text("thoughtSignature")};
  if (out.part.empty() || out.value.empty()) return std::nullopt;
  return out;
}

/// Whether a character of the text begins at this byte, or the text ends there.
bool between_characters(std::string_view text, std::size_t at) {
  return at == text.size() || (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U);
}

}  // namespace

std::vector<Signature> signatures_of(const events::Message& message, std::string_view provider,
                                     std::size_t& unreadable) {
  std::vector<Signature> out;
  for (const auto& block : message.provider_blocks) {
    if (block.provider != provider) continue;
    if (auto one = read_signature(block.data)) {
      out.push_back(std::move(*one));
    } else {
      ++unreadable;
    }
  }
  return out;
}

std::vector<TextPiece> pieces_of(std::string_view text, const std::vector<Signature>& signatures) {
  std::vector<TextPiece> out;
  std::size_t at = 0;
  const Signature* lost = nullptr;
  std::vector<const Signature*> sorted;
  for (const auto& one : signatures) {
    if (one.part == "text") sorted.push_back(&one);
  }
  std::ranges::sort(sorted, {}, [](const Signature* one) { return std::pair(one->from, one); });
  for (const auto* one : sorted) {
    // Sums cannot overflow: each is checked against the text's size first.
    const bool fits = one->from >= at && one->from <= text.size() && one->bytes <= text.size() - one->from &&
                      between_characters(text, one->from) && between_characters(text, one->from + one->bytes);
    if (!fits && one->bytes > 0) {
      lost = one;
      continue;
    }
    const auto from = fits ? one->from : text.size();
    if (from > at) out.push_back({.text = text.substr(at, from - at)});
    out.push_back({.text = text.substr(from, one->bytes), .signature = one->value, .calls = one->calls});
    at = from + one->bytes;
  }
  if (at < text.size()) out.push_back({.text = text.substr(at)});
  if (lost != nullptr) {
    if (out.empty()) out.emplace_back();
    if (out.back().signature.empty()) out.back().signature = lost->value;
  }
  return out;
}

}  // namespace tokenrail::providers::gemini
