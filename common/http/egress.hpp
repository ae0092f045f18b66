// Which addresses calls of providers may lead to, by who set their base URL. One object a program, made from its
// settings.
#pragma once

#include <string_view>
#include <vector>

#include "common/http/address_rules.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::config {
class Values;
}

namespace tokenrail::http {

class Egress {
 public:
  /// Nothing is opened beside what address_rules.hpp allows.
  Egress() : Egress(std::vector<AddressRange>{}) {}
  explicit Egress(const std::vector<AddressRange>& allowed)
      : platform_(address_rule(UrlOwner::platform, allowed)),
        organisation_(address_rule(UrlOwner::organisation, allowed)) {}

  /// For a connection of that organisation; empty: one of the platform.
  [[nodiscard]] const AddressRule& rule_for(std::string_view org_id) const {
    return org_id.empty() ? platform_ : organisation_;
  }

 private:
  AddressRule platform_;
  AddressRule organisation_;
};

/// From `egress.allow`. Errors: invalid_input, with the setting's name.
[[nodiscard]] Result<Egress> egress_from(const config::Values& values);

}  // namespace tokenrail::http
