// Ids of tool calls as a provider takes them. One provider may refuse the ids that another makes. Servers that make
// none get their calls numbered from 1 in each answer, so that a conversation may have one id twice. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace tokenrail::providers {

struct CallIdRules {
  std::size_t bytes_max = 0;  ///< 0: no limit is known
  bool plain = false;         ///< only letters, digits, _ and -
};

class CallIds {
 public:
  explicit CallIds(const CallIdRules& rules = {}) : rules_(rules) {}

  /// The id to send with a call: the id itself where the provider takes it and no earlier call has it.
  [[nodiscard]] std::string call(const std::string& id);
  /// The id to send with a result: that of the newest call with this id.
  [[nodiscard]] std::string result(const std::string& id) const;

 private:
  [[nodiscard]] std::string accepted(std::string id) const;

  const CallIdRules rules_;
  std::map<std::string, std::string, std::less<>> sent_{};
  std::set<std::string, std::less<>> used_{};
  std::map<std::string, std::size_t, std::less<>> next_{};  ///< by an id that was taken already: the number to try next
};

}  // namespace tokenrail::providers
