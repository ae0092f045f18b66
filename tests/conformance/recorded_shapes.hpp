// Which fields recorded bodies have: the paths of their trees, with the type of what is at their ends. Elements of
// lists are distinguished by their role or type: "messages[tool].content:string".
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace tokenrail::conformance {

using Paths = std::set<std::string>;

/// Of one body; of each event or line of a stream. Objects that hold what a caller defined (schemas, arguments) are
/// ends. Nulls are left out.
[[nodiscard]] Paths paths_of(std::string_view body);

/// Of the requests to chat, or of their successful answers, in these folders (separated by blanks). Empty: there are
/// no recordings.
[[nodiscard]] const Paths& recorded_requests(std::string_view folders);
[[nodiscard]] const Paths& recorded_answers(std::string_view folders);

}  // namespace tokenrail::conformance
