#include "tests/simulator/words.hpp"

#include <algorithm>
#include <array>

namespace tokenrail::simulator {

namespace {

constexpr std::array<std::string_view, 16> words = {"amber",  "brook",  "cedar",   "delta",   "ember", "fjord",
                                                    "grove",  "harbor", "inlet",   "juniper", "kite",  "lantern",
                                                    "meadow", "north",  "orchard", "pebble"};
constexpr std::array<std::string_view, 16> wide_words = {"äther",   "brücke", "çedilla", "délta", "🌍",          "日本",
                                                         "smörgås", "Ωmega",  "naïve",   "žluť",  "👩‍🚀", "ключ",
                                                         "עולם",    "한국",   "ñandú",   "€uro"};

/// Pieces that begin with their blanks, so that joined they are the text again.
std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  bool word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && word) {
      pieces.emplace_back(text.substr(begin, i - begin));
      begin = i;
      word = false;
    } else if (text[i] != ' ') {
      word = true;
    }
  }
  if (begin < text.size()) pieces.emplace_back(text.substr(begin));
  return pieces;
}

std::string filled(std::string text, std::string_view place, std::string_view value) {
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
  return text;
}

std::string template_text(std::string_view message, std::string_view model, const Behaviour& behaviour) {
  return filled(filled(behaviour.text, "{message}", message), "{model}", model);
}

}  // namespace

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

std::uint64_t mixed_hash(std::string_view message, std::uint64_t part) {
  return mixed(hash_of(message) + (part + 1) * golden);
}

std::string answer_token(std::string_view message, const Behaviour& behaviour, std::uint64_t index) {
  const auto& list = behaviour.utf8 ? wide_words : words;
  const auto picked = mixed((hash_of(message) ^ behaviour.seed) + (index + 1) * golden) % list.size();
  std::string token = index == 0 ? "" : " ";
  token += list[picked];
  return token;
}

std::string answer_text(std::string_view message, std::string_view model, const Behaviour& behaviour) {
  if (!behaviour.text.empty()) return template_text(message, model, behaviour);
  std::string text;
  for (int i = 0; i < behaviour.tokens; ++i) text += answer_token(message, behaviour, static_cast<std::uint64_t>(i));
  return text;
}

Tokens::Tokens(const ChatCall& call, const Behaviour& behaviour) : message_(call.message), behaviour_(behaviour) {
  if (!behaviour.text.empty()) pieces_ = pieces_of(template_text(call.message, call.model, behaviour));
  count_ = behaviour.text.empty() ? static_cast<std::size_t>(behaviour.tokens) : pieces_.size();
  const bool asked = behaviour.continues == Continues::asked && call.asks_to_continue;
  if (behaviour.continues == Continues::on || asked) skip(call.prefill);
  // Of the new tokens: those that were there already do not count.
  if (call.tokens_max >= 0 && static_cast<std::size_t>(call.tokens_max) < count_) {
    count_ = static_cast<std::size_t>(call.tokens_max);
    cut_ = true;
  }
}

std::string Tokens::at(std::size_t index) const {
  auto token = whole(index + skipped_);
  if (index == 0) token.erase(0, skipped_bytes_);
  return token;
}

std::string Tokens::whole(std::size_t index) const {
  if (pieces_.empty()) return answer_token(message_, behaviour_, index);
  return pieces_[index % pieces_.size()];
}

void Tokens::skip(std::string_view prefill) {
  std::size_t tokens = 0;
  std::size_t bytes = 0;
  for (auto rest = prefill; !rest.empty();) {
    const auto token = tokens < count_ ? whole(tokens) : std::string();
    const auto same = std::min(token.size(), rest.size());
    if (token.empty() || token.substr(0, same) != rest.substr(0, same)) return;
    rest.remove_prefix(same);
    if (same == token.size()) {
      ++tokens;
    } else {
      bytes = same;
    }
  }
  skipped_ = tokens;
  skipped_bytes_ = bytes;
  count_ -= tokens;
}

}  // namespace tokenrail::simulator
