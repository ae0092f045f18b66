// Why a model can or cannot be used: one clause for each rule, in the order in which refusals name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/errors.hpp"
#include "common/events/model_event.hpp"

namespace tokenrail::registry {

enum class ClauseName {
  organization,  ///< the caller's organisation has not been deleted
  found,         ///< a row of that name is visible
  blocked,       ///< no row blocks it
  lifecycle,     ///< not retired
  enabled,       ///< enabled by the nearest row that has a value of its own
  maintenance,   ///< no row has a window that is open now
  available,     ///< its provider offers it, or stopped only lately
  allow_list,    ///< where the organisation works by allow-list: it has a row of its own, or a grant
  granted,       ///< not denied; where the organisation is restricted: granted
  kind,          ///< of the kind that is asked for
  capability,    ///< not known to lack what the request needs
  context,       ///< the messages may fit
  output,        ///< maxTokens is not above its limit
  selection,     ///< of "auto": within the request's limits on price and quality
  deployment,    ///< served by a connection that can be called
};
[[nodiscard]] std::string_view name_of(ClauseName name);

/// One rule, as it was applied.
struct Clause {
  ClauseName name = ClauseName::found;
  bool ok = true;
  std::string scope{};   ///< user | organisation | platform: the level that decided; empty: none did
  std::string detail{};  ///< a sentence
  std::string advice{};  ///< what to do, where it is not ok
  events::ErrorCode code = events::ErrorCode::model_not_enabled;  ///< of the refusal, where it is not ok
};

/// A failure with every clause that fails. The message begins with the first of them.
struct Refusal : events::Failure {
  std::vector<Clause> clauses{};
  std::optional<events::ModelName> model{};  ///< the model that was refused, where one was found
  std::string alias{};                       ///< the alias that led to it
};

[[nodiscard]] Refusal refusal_of(std::vector<Clause> clauses, std::string_view provider);

/// The clauses that fail, as bits.
class Failing {
 public:
  void add(ClauseName name) { bits_ |= bit(name); }
  [[nodiscard]] bool has(ClauseName name) const { return (bits_ & bit(name)) != 0; }
  [[nodiscard]] bool none() const { return bits_ == 0; }
  friend Failing operator|(Failing a, Failing b) {
    a.bits_ |= b.bits_;
    return a;
  }

 private:
  static std::uint32_t bit(ClauseName name) { return std::uint32_t{1} << static_cast<unsigned>(name); }
  std::uint32_t bits_ = 0;
};

/// What messages advise for finding another model.
inline constexpr std::string_view list_command = "`tokenrail registry list`";

/// "provider/name", as people write it.
[[nodiscard]] std::string text_of(const events::ModelName& name);

}  // namespace tokenrail::registry
