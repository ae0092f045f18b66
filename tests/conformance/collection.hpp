// Which recordings these are. What follows from all of them together (the page of providers, the fields that any of
// them has) is compared only where they are those that it was written from.
#pragma once

#include <string>

namespace tokenrail::conformance {

/// How many exchanges there are, and a hash of their names. Empty: there are none.
[[nodiscard]] std::string collection();
/// The same of those that docs/reference/providers.md was written from.
[[nodiscard]] std::string described_collection();
/// Why the fields of what is written here are not compared with those of the recordings: others need not have every
/// field. Empty: these are the ones that the bodies here were written from.
[[nodiscard]] std::string why_not_compared();

[[nodiscard]] const std::string& providers_page_path();
/// What is between the two comments of that name in the page.
[[nodiscard]] std::string part_of_providers_page(const std::string& name);

}  // namespace tokenrail::conformance
