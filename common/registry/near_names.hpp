// Names that someone may have meant when they wrote another. Pure. A router looks for them on its only thread, with a
// name that any sender may send against a registry of any size: so the work is bounded whatever is asked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/edit_distance.hpp"

namespace tokenrail::registry {

class NearNames {
 public:
  static constexpr std::size_t name_bytes_max = 128;  ///< longer names are passed over, whether asked for or held
  static constexpr std::size_t names_max = 1'000;     ///< looked at; further ones are not
  static constexpr std::size_t cells_max = 250'000;   ///< of the tables of edit distances, all names together

  /// Keeps the nearest `count_max`.
  NearNames(std::string_view asked, std::size_t count_max);

  /// One more name that there is; with a provider it is "provider/name". False: do not bring more, enough has been
  /// looked at. Copies only what it keeps.
  bool look_at(std::string_view provider, std::string_view name);

  /// Nearest first: few single-character edits away, or one contained in the other.
  [[nodiscard]] std::vector<std::string> found() const;

  [[nodiscard]] std::size_t names_seen() const { return names_seen_; }
  [[nodiscard]] std::size_t cells() const { return distance_.cells(); }

 private:
  void keep(std::size_t distance, std::string_view provider, std::string_view name);

  std::string wanted_;  ///< in lower case
  std::size_t count_max_;
  std::size_t edits_max_;
  std::size_t names_seen_ = 0;
  config::EditDistance distance_{};
  std::string candidate_{};                                  ///< scratch: the name at hand, in lower case
  std::vector<std::pair<std::size_t, std::string>> near_{};  ///< by distance, then by name
};

}  // namespace tokenrail::registry
