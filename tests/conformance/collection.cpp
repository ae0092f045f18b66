#include "tests/conformance/collection.hpp"

#include <cstdint>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {

std::string collection() {
  const auto names = all_cases();
  if (names.front().empty()) return "";
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const auto& name : names) {
    for (const char c : name + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return fmt::format("{} exchanges, {:016x}", names.size(), hash);
}

std::string described_collection() {
  constexpr std::string_view begin = "Made from a collection of recordings: ";
  const auto line = part_of_providers_page("collection");
  const auto end = line.rfind('.');
  if (!line.starts_with(begin) || end == std::string::npos) return "";
  return line.substr(begin.size(), end - begin.size());
}

std::string why_not_compared() {
  const auto recordings = collection();
  if (recordings.empty()) return "there are no recorded exchanges in " + transcripts_folder().string();
  if (recordings == described_collection()) return "";
  return "the recordings in " + transcripts_folder().string() + " are not those of docs/reference/providers.md";
}

const std::string& providers_page_path() {
  static const std::string path = TOKENRAIL_SOURCE_DIR "/docs/reference/providers.md";
  return path;
}

std::string part_of_providers_page(const std::string& name) {
  std::ifstream file(providers_page_path(), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const auto page = text.str();
  const auto mark = fmt::format("<!-- {}: written by a test -->\n", name);
  const auto begin = page.find(mark);
  const auto end = page.find(fmt::format("<!-- end of {} -->", name));
  if (begin == std::string::npos || end == std::string::npos) return "";
  return page.substr(begin + mark.size(), end - begin - mark.size());
}

}  // namespace tokenrail::conformance
